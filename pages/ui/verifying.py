"""Verify: a file from the lab or of the visitor's own, the marks found in it, and what there is to know about them."""

import inspect
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from hashlib import sha256

import streamlit as st
import torch
from torch import Tensor

from aecore.data import faces
from aecore.jobs.errands import Report, Work
from aecore.knobs import Choice, Knob
from aecore.metrics import psnr
from aecore.provenance import Findings, export, label, verify, watermark
from pages.ui import forms, harming, mending, packed, state, swap_clip, swap_gallery, swap_joins, uploads, verified
from pages.ui.i18n import Translator, marked
from pages.ui.mending import Wish
from pages.ui.swap_joins import DIRECTIONS, SHARED, Asked

SAMPLE, OWN = "sample", "own"
FILE = Knob(
    "marked-file",
    SAMPLE,
    Choice((SAMPLE, OWN)),
    marked("The file"),
    marked("Own files stay in the memory of this server and are never written."),
)
FILES = {SAMPLE: marked("One that was made here"), OWN: marked("My own file")}
SIDE = 128
SHOWN = [0, 24]
"""Held-out frames in the sample, of both people each."""
AMPLIFIED = 16
READING = marked("Reading: {share} %")


def section(t: Translator) -> None:
    """The file, the marks in it, and the ways to lose them."""
    chosen = forms.knobs([FILE], t, {name: t(words) for name, words in FILES.items()})[FILE.name]
    state.put_in_link({FILE.name: chosen}, {FILE.name: FILE.default})
    if chosen == SAMPLE:
        content, found = sample()
        verified.show(found, t, address=swap_gallery.whole(content, "png"))
        _inside(t)
        harming.section(content, found, t)
        return
    file = st.file_uploader(
        t("A picture or a film"),
        max_upload_size=uploads.MOST_MEGABYTES,
        key="verify-file",
        help=t("PNG, JPEG, WebP, MP4 and others. Of a film the first frames are read."),
    )
    if file is None:
        st.info(t("Choose a file above."))
        return
    content = file.getvalue()
    mending.watch(Wish("verify", sha256(content).hexdigest()[:16], work(content, file.name), READING), partial(_own, content), t)


def work(content: bytes, name: str) -> Work:
    """What the errand does with a stranger's file."""

    def do(report: Report, stopped: Callable[[], bool]) -> Findings:
        return verify(content, name)

    return do


def _own(content: bytes, found: Findings, t: Translator) -> None:
    verified.show(found, t)
    harming.section(content, found, t)


@lru_cache(maxsize=1)
def sample() -> tuple[bytes, Findings]:
    """A marked file of the two people who do not exist, and what is found in it; the same for all visitors."""
    content = export(people(), "png")
    return content, verify(content, "sample.png")


@lru_cache(maxsize=1)
def film() -> bytes:
    """Their performance, side by side, as a marked MP4."""
    return export(torch.cat([drawn("clip", each) for each in DIRECTIONS], 3), "mp4", rate=swap_clip.RATE)


@lru_cache(maxsize=1)
def people() -> Tensor:
    """The sample before it is marked: two frames of A with B's face above the same two of B with A's, ``(3, 256, 256)`` uint8."""
    return torch.cat([torch.cat(list(drawn("held", each, SHOWN)), 2) for each in DIRECTIONS], 1)


def drawn(split: faces.Split, direction: str, places: Sequence[int] | slice = slice(None)) -> Tensor:
    """Frames swapped by the shared encoder, ``(N, 3, 128, 128)`` uint8, so that what the manifest says of them is true."""
    asked = Asked(direction, SIDE, 0)
    return swap_joins.join(SHARED, asked).swap(swap_joins.frames(split, asked.source, SIDE)[places], asked.source, asked.target)


def _inside(t: Translator) -> None:
    """The sample's invisible mark made visible, and the ways to take it home."""
    content, found = sample()
    labelled = label.draw(people())
    difference = (128 + AMPLIFIED * (found.frame.float() - labelled.float())).clamp(0, 255).byte()
    with st.expander(t("Make the invisible mark visible"), icon=":material/visibility:"):
        left, right, _ = st.columns(3)
        words = t("With the watermark")
        left.image(swap_gallery.whole(content, "png"), caption=words, width="stretch", alt=words)
        words = t("The watermark alone, {times} times as strong", times=AMPLIFIED)
        right.image(packed.png(difference, 2), caption=words, width="stretch", alt=words)
        st.caption(
            t(
                "The watermark leaves this picture {psnr} dB (PSNR) from what it was: a grey level or two. It hides where there is much to see: "
                "in hair and at edges more than in plain walls.",
                psnr=t.number(psnr(found.frame.float() / 255, labelled.float() / 255), 1),
            )
        )
    with st.container(horizontal=True):
        st.download_button(t("Take this picture home"), content, "sample.png", "image/png", icon=":material/download:", on_click="ignore")
        st.download_button(
            t("Take a marked film home (MP4)"), film, "sample.mp4", "video/mp4", icon=":material/download:", on_click="ignore"
        )


def explain(t: Translator) -> None:
    """The lesson and the code."""
    with st.expander(t("Explain: where a picture comes from"), icon=":material/school:"):
        lesson, code = st.tabs([t("Lesson"), t("The code that runs")])
        lesson.markdown(t.lesson("verify"))
        with code:
            st.caption(t("Not a copy: this is read from the program as it runs."))
            for each in (export, watermark.embed, watermark.detect, verify):
                st.code(inspect.getsource(each), "python")
