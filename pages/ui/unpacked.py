"""A picture that came out of a file: beside what went in where that is known, with its score, and to take home."""

from dataclasses import dataclass

import streamlit as st
from torch import Tensor

from pages.ui import cleaned, widgets
from pages.ui.i18n import Translator
from pages.ui.mended import Score
from pages.ui.packed import address, moment, png


@dataclass(frozen=True, eq=False)
class Unpacked:
    """The ``picture`` ``(C, H, W)`` uint8 that came out of a file of ``size`` bytes in so many ``seconds``; how near it is, where that is known.

    ``seen`` is how the page shows it; ``original`` the same of what was compressed, where that is known.
    """

    picture: Tensor
    size: int
    seconds: float
    score: Score | None
    seen: bytes
    original: bytes | None

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self.picture.numel() + len(self.seen)


def show(opened: Unpacked, t: Translator) -> None:
    """The picture, how near it is, and the way to take it home."""
    words = t("The picture that comes out")
    if opened.original is None:
        st.image(opened.seen, width="stretch", alt=words)
    else:
        zoom = st.segmented_control(
            t("Zoom"),
            [1, 2, 4],
            default=1,
            format_func=lambda each: f"{each} ×",
            key="compress-zoom",
            required=True,
            label_visibility="collapsed",
        )
        names = {"before": t("went in"), "after": t("came out"), "slider": t("Move the border between what went in and what came out")}
        widgets.curtain(address(opened.original), address(opened.seen), names, int(zoom or 1), key="compress-curtain")
    _, height, width = opened.picture.shape
    with st.container(horizontal=True):
        if opened.score:
            figures(opened.score, t)
        else:
            words = t("From a file of {size}.", size=t.size(opened.size))
            st.metric(t("Pixels"), f"{width} × {height}", border=True, width="content", help=words)
        st.metric(t("Time"), moment(opened.seconds, t), border=True, width="content", help=t("To read the file, on one core."))
    st.download_button(
        t("Take the picture home (PNG)"),
        lambda: png(opened.picture),
        "picture.png",
        "image/png",
        icon=":material/download:",
        on_click="ignore",
    )


def figures(score: Score, t: Translator) -> None:
    """PSNR and SSIM, side by side."""
    words = t("Against the picture that went in: 3 dB more is half the squared error.")
    st.metric("PSNR", t("{psnr} dB", psnr=t.number(min(score.psnr, cleaned.MOST), 2)), border=True, width="content", help=words)
    words = t("Structural similarity, 1 for a perfect copy. Of more than a million pixels, on 16 pieces spread over them.")
    st.metric("SSIM", t.number(score.ssim, 3), border=True, width="content", help=words)
