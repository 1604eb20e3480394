"""Own faces, where the host allows them: consent, pictures of two people, a model that learns them, a swap that is always marked."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st
import torch
from streamlit.logger import get_logger

from aecore.jobs.errands import Cancelled, Report, Work
from aecore.provenance.exporting import KINDS
from aecore.refusal import Refused
from aecore.swap import film, own
from aecore.swap.blend import SEAMS, Finish, Seam
from aecore.swap.own import Consent, Course, Look
from pages.ui import mending, state, swap_gallery, swap_kept, swap_steps, widgets
from pages.ui.i18n import Translator, marked
from pages.ui.mending import Wish
from pages.ui.swap_kept import PEOPLE, Keep, kept

READING, TEACH, SWAP = "own-read", "own-teach", "own-swap"
NAMES = {"A": marked("First person"), "B": marked("Second person")}
LOOKING = marked("Looking for faces: {share} %")
LEARNING = marked("Learning both faces: {share} %")
SWAPPING = marked("Swapping: {share} %")
WIDE, WIDTH = 480, 128
"""Pixels of a result, and of a frame in the rows."""
SHOWN_EVERY = 2.0  # seconds
logger = get_logger(__name__)


@dataclass(frozen=True)
class Count:
    """How many frames were used, and why others were not."""

    used: int
    left_out: tuple[tuple[Refused, int], ...]


def show(t: Translator) -> None:
    """All of it, or how a host allows it."""
    try:
        own.check_allowed()
    except Refused as refused:
        st.info(t.refusal(refused), icon=":material/lock:")
        return
    keep = kept()
    if keep.consent is None:
        _consent(keep, t)
        return
    words, button = st.columns([3, 1], vertical_alignment="center")
    words.caption(
        t(
            "Everything here stays in the memory of this server, for this tab alone. It is gone when you close the tab, "
            "when the connection breaks off, or at once:"
        )
    )
    button.button(t("Delete now"), icon=":material/delete:", key="own-delete", width="stretch", on_click=_delete)
    for column, person in zip(st.columns(2), PEOPLE, strict=True):
        with column:
            _person(keep, person, t)
    if len(keep.albums) == len(PEOPLE):
        _teaching(keep, t)
    if keep.model is not None:
        _swapping(keep, t)


def _consent(keep: Keep, t: Translator) -> None:
    st.markdown(
        t(
            "A face belongs to whoever wears it. Before you bring one, say what the swap is for, and that both people agreed to just that. "
            "The log of this server notes that consent was given, without names, words or pictures."
        )
    )
    if keep.refused:
        st.error(t.refusal(keep.refused))
    with st.form("own-consent"):
        st.text_input(t("What is the swap for?"), max_chars=300, key="own-purpose")
        st.checkbox(t("Both people are myself, or agreed to this purpose in writing."), key="own-agreed")
        st.checkbox(t("Both people are adults."), key="own-adults")
        st.checkbox(t("Whoever sees the result will be told that it is a swap, and I leave its marks on."), key="own-honest")
        st.form_submit_button(t("I declare this"), type="primary", on_click=_declare)


def _person(keep: Keep, person: str, t: Translator) -> None:
    """One person's uploader, and what could be used."""
    st.markdown(f"**{t(NAMES[person])}**")
    key = f"own-files-{person}"
    st.file_uploader(
        t("Photos, or a film of at most {seconds} seconds", seconds=film.MOST_SECONDS),
        accept_multiple_files=True,
        max_upload_size=own.MOST_BYTES >> 20,
        key=swap_kept.uploader(key),
        on_change=_take,
        args=(key, person),
        help=t(
            "At least {least} photos (PNG, JPEG and others), or a film (MP4), with one face each, in many poses and expressions; at most {most}.",
            least=own.LEAST_USED,
            most=own.MOST_FILES,
        ),
    )
    if asked := keep.asked.get(person):
        mending.watch(Wish(f"{READING}-{person}", asked, _reading(keep, person), LOOKING), partial(_used, person), t)


def _used(person: str, count: Count, t: Translator) -> None:
    album = kept().albums.get(person)
    if album is None:
        return
    widgets.strip([widgets.row(t("Upright, and as large as all others"), own.few(album.frames, 6).numpy())], key=f"own-strip-{person}")
    left = sum(number for _, number in count.left_out)
    st.caption(t("{used} frames are used, {left} are not.", used=count.used, left=left))
    for refused, number in count.left_out:
        st.caption(t("{count} times: {reason}", count=number, reason=t.refusal(refused)))


def _teaching(keep: Keep, t: Translator) -> None:
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    minutes = left.segmented_control(
        t("Minutes of learning"), own.MINUTES, default=own.MINUTES[0], required=True, format_func=t.number, key="own-minutes"
    )
    right.button(t("Learn"), key="own-learn", type="primary", width="stretch", on_click=_learn, args=(minutes,))
    if asked := keep.asked.get(TEACH):
        mending.watch(Wish(TEACH, asked, _teach(keep), LEARNING, _drawn), _drawn, t)


def _drawn(look: Look, t: Translator) -> None:
    """Frames of both people, and each of them as the other."""
    keep = kept()
    if len(keep.albums) < len(PEOPLE) or not keep.drawn:
        return
    before = swap_gallery.enlarged(torch.cat([own.few(each.frames) for each in keep.albums.values()]), WIDTH)
    rows = [widgets.Row(t("As they are"), swap_gallery.given(torch.cat(list(before), 2)))]
    rows += [
        widgets.Row(t("All as {person}, after step {step}", person=t(NAMES[name]), step=look.step), address)
        for name, address in keep.drawn.items()
    ]
    widgets.strip(rows, key="own-drawn")


def _swapping(keep: Keep, t: Translator) -> None:
    directions = {t("The second person's face on the first"): ("A", "B"), t("The first person's face on the second"): ("B", "A")}
    left, right = st.columns(2)
    way = left.segmented_control(t("Which way?"), list(directions), default=next(iter(directions)), required=True, key="own-way")
    seams: dict[str, Seam] = {t(swap_steps.SEAM_NAMES[each]): each for each in SEAMS}
    seam = seams[
        right.segmented_control(t("Seam"), list(seams), default=t(swap_steps.SEAM_NAMES[Finish().seam]), required=True, key="own-seam")
    ]
    source, target = directions[way]
    st.file_uploader(
        t("A picture or film of this person: {person}", person=t(NAMES[source])),
        max_upload_size=own.MOST_BYTES >> 20,
        key=swap_kept.uploader("own-file"),
        on_change=_take,
        args=("own-file", SWAP),
    )
    if asked := keep.asked.get(SWAP):
        name = f"{asked}-{source}-{seam}"
        mending.watch(Wish(SWAP, name, _swap(keep, source, target, Finish(seam=seam)), SWAPPING, _nothing), _swapped, t)


def _swapped(left: int, t: Translator) -> None:
    if (result := kept().result) is None:
        return
    content, kind = result
    if kind == "mp4":
        st.video(content, width=WIDE)
    else:
        st.image(swap_gallery.whole(content, kind), width=WIDE, alt=t("The swap"))
    st.caption(t("Marked: label, invisible watermark and signed manifest"))
    if left:
        st.caption(t("{count} frames show no face that could be swapped, and stay as they were.", count=left))
    swap_gallery.take(t("Download, with all marks"), content, f"swap.{kind}", KINDS[kind], key="own-take")


def _nothing(glimpse: object, t: Translator) -> None:
    """A swap shows nothing before it is marked."""


# The work, in threads. All that is of a face goes through ``keep``; what errands keep are counts.
def _reading(keep: Keep, person: str) -> Work:
    def do(report: Report, stopped: Callable[[], bool]) -> Count:
        album = own.read(keep.files.pop(person, []), partial(_go_on, keep, report, stopped))
        _check(keep, stopped)
        keep.albums[person] = album
        keep.model, keep.result = None, None
        keep.drawn = {}
        keep.asked.pop(TEACH, None)
        keep.asked.pop(SWAP, None)
        return Count(len(album.frames), album.left_out)

    return do


def _teach(keep: Keep) -> Work:
    minutes = float(st.session_state.get("own-minutes-asked", own.MINUTES[0]))

    def do(report: Report, stopped: Callable[[], bool]) -> Look:
        course, look, shown = own.Course(keep.albums, 60 * minutes), Look(0, 0), 0.0
        for look in course.looks():
            _check(keep, stopped)
            if time.perf_counter() - shown > SHOWN_EVERY:
                _keep_drawn(keep, course, stopped)
                shown = time.perf_counter()
            report(look.share, look)
        _keep_drawn(keep, course, stopped)
        return look

    return do


def _keep_drawn(keep: Keep, course: Course, stopped: Callable[[], bool]) -> None:
    """What was learnt so far is kept, also of a course that is cancelled later."""
    model, drawn = course.drawn()
    rows = {name: swap_gallery.labelled(swap_gallery.enlarged(frames, WIDTH)) for name, frames in drawn.items()}
    marked_rows = {name: swap_gallery.made(torch.cat(list(each), 2)) for name, each in rows.items()}
    _check(keep, stopped)
    keep.model, keep.drawn = model, marked_rows


def _swap(keep: Keep, source: str, target: str, finish: Finish) -> Work:
    def do(report: Report, stopped: Callable[[], bool]) -> int:
        keep.result = None
        content, model = keep.files.get(SWAP, []), keep.model
        if not content or model is None:
            raise Cancelled
        swapped, kind, left = own.swapped(content[0], model, source, target, finish, partial(_go_on, keep, report, stopped))
        _check(keep, stopped)
        keep.result = swapped, kind
        return left

    return do


def _go_on(keep: Keep, report: Report, stopped: Callable[[], bool], share: float) -> None:
    _check(keep, stopped)
    report(share)


def _check(keep: Keep, stopped: Callable[[], bool]) -> None:
    if keep.gone or stopped():
        raise Cancelled


# What a button asks is done before the page is drawn: a run of the page that another one overtakes would lose it.
def _declare() -> None:
    given, keep = st.session_state, kept()
    consent = Consent(given["own-purpose"], given["own-agreed"], given["own-adults"], given["own-honest"])
    try:
        consent.check()
    except Refused as refused:
        keep.refused = refused
        return
    keep.consent, keep.refused = consent, None
    logger.info("Own faces: consent was given in session %s.", state.session()[:8])


def _take(key: str, kind: str) -> None:
    if contents := swap_kept.taken(key):
        keep = kept()
        keep.files[kind] = contents
        if kind in PEOPLE:
            keep.albums.pop(kind, None)
        keep.ask(kind)


def _learn(minutes: int) -> None:
    st.session_state["own-minutes-asked"] = minutes
    keep = kept()
    keep.model, keep.result = None, None
    keep.drawn = {}
    keep.asked.pop(SWAP, None)
    keep.ask(TEACH)


def _delete() -> None:
    for kind in (*(f"{READING}-{person}" for person in PEOPLE), TEACH, SWAP):
        for line in mending.lines():
            line.cancel(f"{state.session()}-{kind}")
    swap_kept.forget()
