"""All scenes held out at once: the three joins against the truth, beside what costs nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import streamlit as st
from torch import Tensor

from aecore.data import faces
from aecore.jobs.errands import Cancelled, Report, Work
from aecore.swap.judge import TRAITS
from aecore.swap.scores import Nearness, closer, correlations, nearest, nearness
from pages.ui import mending, swap_joins
from pages.ui.i18n import Translator, marked
from pages.ui.mending import Wish
from pages.ui.swap_joins import NAMES, Asked

UNCHANGED, MEAN, NEAREST, TRUTH = "unchanged", "mean", "nearest", "truth"
WORDS = {
    UNCHANGED: marked("Source, unchanged"),
    MEAN: marked("Mean picture of the target"),
    NEAREST: marked("Most similar training frame of the target"),
    **NAMES,
    TRUTH: marked("Truth"),
}
SHOWN = {"mouth": marked("Mouth"), "smile": marked("Smile"), "blink": marked("Eyelids"), "yaw": marked("Turn"), "gaze_x": marked("Gaze")}
"""Traits whose correlation is in the table."""
MEASURING = marked("Swapping and measuring: {share} %")


@dataclass(frozen=True)
class Row:
    """One method on all held frames: nearness; shares nearer to the target than to the source and taken for the target; correlations by trait."""

    name: str
    near: Nearness
    closer: float
    target: float
    traits: dict[str, float]


_tables: dict[Asked, tuple[Row, ...]] = {}  # for all visitors, until the server ends; changed by the thread of the line alone
MOST_TABLES = 64


def section(asked: Asked, t: Translator) -> None:
    """The table, once somebody wants to see it."""
    label = t("All scenes in a table")
    with st.expander(label, icon=":material/table_chart:", on_change="rerun", key="swap-scores") as panel:
        if panel.open:
            mending.watch(Wish("swap-scores", asked.key, work(asked), MEASURING), partial(show, asked), t)


def work(asked: Asked) -> Work:
    """What the errand does: draw and measure one method after another."""

    def do(report: Report, stopped: Callable[[], bool]) -> tuple[Row, ...]:
        if asked not in _tables:
            rows = []
            for name, output in methods(asked):
                if stopped():
                    raise Cancelled
                rows.append(measured(name, output, asked))
                report(len(rows) / len(WORDS))
            while len(_tables) >= MOST_TABLES:
                _tables.pop(next(iter(_tables)))
            _tables[asked] = tuple(rows)
        return _tables[asked]

    return do


def methods(asked: Asked) -> Iterator[tuple[str, Tensor]]:
    """Names and what each makes of the source's held frames, uint8 ``(60, 3, S, S)``."""
    source, truth = (swap_joins.frames("held", each, asked.size) for each in (asked.source, asked.target))
    album = swap_joins.frames("train", asked.target, asked.size)[faces.PEOPLE.index(asked.target) :: len(faces.PEOPLE)]
    yield UNCHANGED, source
    yield MEAN, album.float().mean(0).round().byte().expand_as(truth)
    yield NEAREST, nearest(source, swap_joins.masks("held", asked.source, asked.size), album)
    for name in swap_joins.names(asked.size):
        yield name, swap_joins.join(name, asked).swap(source, asked.source, asked.target)
    yield TRUTH, truth


def measured(name: str, output: Tensor, asked: Asked) -> Row:
    """A method's figures."""
    source, truth = (swap_joins.frames("held", each, asked.size) for each in (asked.source, asked.target))
    mask = swap_joins.masks("held", asked.target, asked.size)
    reading = swap_joins.reader().read(output)
    taken = float((reading.people.argmax(1) == faces.PEOPLE.index(asked.target)).float().mean())
    known = dict(zip(TRAITS, correlations(reading.traits, swap_joins.traits()).tolist(), strict=True))
    return Row(name, nearness(output, truth, mask), closer(output, truth, source, mask), taken, known)


def show(asked: Asked, rows: Sequence[Row], t: Translator) -> None:
    """The table, and what its columns mean."""

    def column(figure: Callable[[Row], str], missing: Sequence[str] = ()) -> list[str]:
        return ["—" if each.name in missing else figure(each) for each in rows]

    table = {
        t("Method"): [f"**{t(WORDS[each.name])}**" if each.name in NAMES else t(WORDS[each.name]) for each in rows],
        t("PSNR, face (dB)"): column(lambda row: t.number(row.near.psnr_face, 1), (TRUTH,)),
        t("SSIM, face"): column(lambda row: t.number(row.near.ssim_face, 2), (TRUTH,)),
        t("PSNR, frame (dB)"): column(lambda row: t.number(row.near.psnr, 1), (TRUTH,)),
        t("Nearer to {person} (%)", person=asked.target): column(lambda row: t.number(100 * row.closer)),
        t("Taken for {person} (%)", person=asked.target): column(lambda row: t.number(100 * row.target)),
        **{t(words): column(lambda row, name=name: t.number(row.traits[name] + 0.0, 2), (MEAN,)) for name, words in SHOWN.items()},
    }
    st.table(pa.table(table), border="horizontal")
    st.caption(
        t(
            "Means over the {count} scenes held out, against the true {person}. Mouth, smile, eyelids, turn and gaze are correlations between what a "
            "network that knows both people reads off the pictures and what was rendered: 1 where they rise and fall together. Its reading of the truth "
            "is in the last row, so that you see how far it is to be trusted.",
            count=len(swap_joins.frames("held", asked.source, asked.size)),
            person=asked.target,
        )
    )
