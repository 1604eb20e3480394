"""Try to destroy the marks: one harm at a time by hand, or all of them at once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

import streamlit as st
from torch import Tensor

from aecore.jobs.errands import Cancelled, Report, Work
from aecore.knobs import Choice, Knob, Range, Value
from aecore.provenance import Findings, harm, verify, watermark
from aecore.provenance.harm import HARMS
from pages.ui import mending, packed, state, verified
from pages.ui.i18n import Translator, marked
from pages.ui.mending import Wish

BYTE = "byte"
MOST = 512
"""Pixels of the longer side of the copy on which harms are tried."""
NAMES = {
    "crop": marked("Crop"),
    "resize": marked("Resize"),
    "jpeg": "JPEG",
    "webp": "WebP",
    "screenshot": marked("Screenshot"),
    "rotate": marked("Rotate"),
    "blur": marked("Blur"),
    "noise": marked("Noise"),
    BYTE: marked("Change one byte of the file"),
}
AMOUNTS = {
    "crop": marked("Kept of each side (%)"),
    "resize": marked("New size (%)"),
    "jpeg": marked("Quality"),
    "webp": marked("Quality"),
    "screenshot": marked("Zoom of the screen (%)"),
    "rotate": marked("Degrees"),
    "blur": marked("Standard deviation (tenths of a pixel)"),
    "noise": marked("Standard deviation (grey levels)"),
}
HARM = Knob(
    "harm",
    "jpeg",
    Choice((*HARMS, BYTE)),
    marked("What happens to the picture?"),
    marked("One thing at a time; each begins with the picture above."),
)
SEARCHING = marked("Searching for parts and turned pictures: {share} %")
TRYING = marked("Trying: {share} %")


@dataclass(frozen=True)
class Survival:
    """Which marks are left after a harm, and how strong it was."""

    harm: str
    visible: bool
    invisible: bool
    manifest: bool


def section(content: bytes, found: Findings, t: Translator) -> None:
    """The harms, and the marks that are left."""
    st.subheader(t("Try to destroy the marks"), anchor=False)
    st.fragment(_by_hand)(content, found, t)
    with st.expander(t("All of them at once"), icon=":material/checklist:", on_change="rerun", key="survival") as panel:
        if panel.open:
            key = sha256(content).hexdigest()[:16]
            mending.watch(Wish("survival", key, survey(content, small(found.frame)), TRYING), table, t)


def _by_hand(content: bytes, found: Findings, t: Translator) -> None:
    name, amount = _settings(t)
    if name == BYTE:
        verified.show(verify(content + b"\0", "file"), t, t("The same file with one byte more at its end"))
        return
    harmed = HARMS[name](small(found.frame), amount)
    after = verify(packed.png(harmed), "file.png", search=False)
    wish = Wish("search", sha256(content).hexdigest()[:16] + f"-{name}-{amount:g}", search(harmed), SEARCHING)
    found_later = None if after.invisible.found else mending.result(wish)
    if found_later:
        after = replace(after, invisible=found_later)
    searching = not after.invisible.found and found_later is None
    caption = t("{harm}: what is left, {width} × {height} pixels", harm=t(NAMES[name]), width=harmed.shape[2], height=harmed.shape[1])
    verified.show(after, t, caption, searching)
    if searching:
        mending.watch(wish, searched, t)


def _settings(t: Translator) -> tuple[str, float]:
    """Which harm, and how much of it."""
    refused = state.open_knob(HARM)
    same = {"format_func": lambda name: t(NAMES[name]), "key": state.knob_key(HARM.name), "persist_state": "session"}
    name = str(HARM.check(st.pills(t(HARM.label), list(NAMES), help=t(HARM.help), required=True, wrap=True, **same)))
    values: dict[str, Value] = {HARM.name: name}
    defaults: dict[str, Value] = {HARM.name: HARM.default}
    amount = 0.0
    if name in HARMS:
        each = HARMS[name]
        knob = Knob(f"harm-{name}", each.default, Range(each.low, each.high), AMOUNTS[name], "")
        refused = state.open_knob(knob) or refused
        amount = st.slider(t(knob.label), each.low, each.high, key=state.knob_key(knob.name), persist_state="session")
        values[knob.name], defaults[knob.name] = amount, knob.default
    if refused:
        st.warning(t("{reason} The link asked for something else; the default is used.", reason=t.refusal(refused)))
    state.put_in_link(values, defaults)
    return name, amount


def small(picture: Tensor) -> Tensor:
    """The copy on which harms are tried."""
    longest = max(picture.shape[1:])
    return picture if longest <= MOST else harm.HARMS["resize"](picture, 100 * MOST / longest)


def search(picture: Tensor) -> Work:
    """What the errand does: look for the invisible mark in a part or a turned picture."""

    def do(report: Report, stopped: Callable[[], bool]) -> watermark.Trace:
        return watermark.detect(picture)

    return do


def searched(trace: watermark.Trace, t: Translator) -> None:
    """What the search has found."""
    if trace.found:
        st.success(
            t(
                "Searching has found the watermark: score {score}, needed {threshold}; {share} % of the longer side are left, turned by {angle}°.",
                score=t.number(trace.score, 1),
                threshold=t.number(trace.threshold, 1),
                share=t.number(100 * trace.share),
                angle=t.number(-trace.angle + 0.0, 1),
            ),
            icon=":material/check:",
        )
    else:
        st.warning(t("Searching has not found the watermark either: it is gone."), icon=":material/close:")


def survey(content: bytes, picture: Tensor) -> Work:
    """What the errand does: every harm as strong as it is by default, and what each mark has to say afterwards."""

    def do(report: Report, stopped: Callable[[], bool]) -> tuple[Survival, ...]:
        rows = []
        for place, (name, each) in enumerate(HARMS.items()):
            if stopped():
                raise Cancelled
            report(place / (len(HARMS) + 1))
            after = verify(packed.png(each(picture, each.default)), "file.png")
            rows.append(Survival(name, after.visible.found, after.invisible.found, after.manifest.holds))
        after = verify(content + b"\0", "file")
        return (*rows, Survival(BYTE, after.visible.found, after.invisible.found, after.manifest.holds))

    return do


def table(rows: tuple[Survival, ...], t: Translator) -> None:
    """What survives what."""
    heads = (t("What happens"), t("How much"), t("The label"), t("The watermark"), t("The manifest"))
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in rows:
        amount = f"{t(AMOUNTS[row.harm])}: {t.number(HARMS[row.harm].default)}" if row.harm in HARMS else ""
        marks = (t("survives") if each else t("lost") for each in (row.visible, row.invisible, row.manifest))
        lines.append("| " + " | ".join((t(NAMES[row.harm]), amount, *marks)) + " |")
    st.markdown("\n".join(lines))
    st.caption(t("Pictures of more than {most} pixels are tried on a smaller copy.", most=MOST))
