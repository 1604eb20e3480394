"""The performance: a short film of the source beside the same film swapped, always marked."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st
import torch
from torch import Tensor

from aecore.jobs.errands import Cancelled, Report, Work
from aecore.knobs import Choice, Knob
from aecore.provenance import export
from aecore.swap.scores import flicker
from pages.ui import forms, mending, state, swap_gallery, swap_joins
from pages.ui.i18n import Translator, marked
from pages.ui.mending import Wish
from pages.ui.swap_joins import NAMES, SHARED, Asked

JOIN = Knob("join", SHARED, Choice(tuple(NAMES)), marked("Join"), marked("Which of the ways plays the part."))
RATE = 15.0
"""Frames per second."""
MAKING = marked("Making and marking the film: {share} %")


@dataclass(frozen=True)
class Film:
    """A marked MP4; the flicker of the swap, and what a still picture would have, in grey levels."""

    content: bytes
    flicker: float
    still: float

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return len(self.content)


_films: dict[tuple[str, Asked], Film] = {}  # for all visitors, until the server ends; changed by the thread of the line alone
MOST_FILMS = 64


def section(asked: Asked, t: Translator) -> None:
    """The player, once somebody wants to see it."""
    with st.expander(t("The performance, before and after"), icon=":material/movie:", on_change="rerun", key="swap-clip") as panel:
        if not panel.open:
            return
        name = SHARED
        if len(swap_joins.names(asked.size)) > 1:
            name = forms.knobs([JOIN], t, {name: t(words) for name, words in NAMES.items()})[JOIN.name]
            state.put_in_link({JOIN.name: name}, {JOIN.name: JOIN.default})
        mending.watch(Wish("swap-clip", f"{name}-{asked.key}", work(name, asked), MAKING), partial(_show, name, asked), t)


def work(name: str, asked: Asked) -> Work:
    """What the errand does: swap every frame, measure the flicker, and export the two films side by side."""

    def do(report: Report, stopped: Callable[[], bool]) -> Film:
        if (name, asked) in _films:
            return _films[name, asked]
        source, truth = (swap_joins.frames("clip", each, asked.size) for each in (asked.source, asked.target))
        output = swap_joins.join(name, asked).swap(source, asked.source, asked.target)
        mask = swap_joins.masks("clip", asked.target, asked.size)

        def progress(done: float) -> None:
            if stopped():
                raise Cancelled
            report(done)

        content = export(side_by_side(source, output), "mp4", rate=RATE, progress=progress)
        while len(_films) >= MOST_FILMS:
            _films.pop(next(iter(_films)))
        _films[name, asked] = Film(content, flicker(output, truth, mask), flicker(truth[:1].expand_as(truth), truth, mask))
        return _films[name, asked]

    return do


def side_by_side(left: Tensor, right: Tensor) -> Tensor:
    """Two films ``(N, 3, S, S)`` uint8 as one, enlarged; the right one, which a network drew, has a label of its own."""
    return torch.cat((swap_gallery.enlarged(left), swap_gallery.labelled(swap_gallery.enlarged(right))), 3)


def _show(name: str, asked: Asked, film: Film, t: Translator) -> None:
    player, words = st.columns([3, 2], gap="medium", vertical_alignment="center")
    player.video(film.content, "video/mp4", loop=True, autoplay=True, muted=True)
    with words:
        st.markdown(
            t(
                "Left: {source}, as rendered. Right: the same performance with the face of {target}, by the join called *{join}*. "
                "No network learnt from these {count} frames.",
                source=asked.source,
                target=asked.target,
                join=t(NAMES[name]),
                count=len(swap_joins.frames("clip", asked.source, asked.size)),
            )
        )
        help_ = t("How far the change from frame to frame differs from that of the true film, inside the face. The truth has 0.")
        with st.container(horizontal=True):
            st.metric(t("Flicker (grey levels)"), t.number(film.flicker, 1), border=True, width="content", help=help_)
            still = t("What a face that never moves would have.")
            st.metric(t("A still picture"), t.number(film.still, 1), border=True, width="content", help=still)
        st.download_button(
            t("Take the film home (MP4, {size})", size=t.size(len(film.content))),
            film.content,
            "swap.mp4",
            "video/mp4",
            icon=":material/download:",
            on_click="ignore",
        )
        st.caption(t("It carries the label, the watermark and the signed manifest. The page Verify reads them."))
