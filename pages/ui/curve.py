"""How much a picture costs and how near it comes back: our codec against what Pillow writes, on this very picture."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isnan, nan

import pyarrow as pa
import streamlit as st
from torch import Tensor

from aecore.codec.rivals import LEAST_SIDE, RIVALS, Rival, read
from aecore.codec.scores import bd_rate
from aecore.jobs.errands import Cancelled, Report, Work
from aecore.metrics import psnr
from aecore.refusal import Refused
from pages.ui import codecs, mending, packing, rates
from pages.ui.i18n import Translator, marked
from pages.ui.mending import Wish
from pages.ui.rates import OURS, Point

QUALITIES = (5, 20, 40, 60, 80, 95)
MOST_SIDE = 640  # pixels of each side of the part that is tried
LEAST_GAIN = 0.01  # dB that a larger file must be better by to count
DRAWING = marked("Compressing it at one size after another: {share} %")


@dataclass(frozen=True)
class Curves:
    """All points so far; ``sides`` are the width and height of what was tried, ``whole`` whether that is the whole picture."""

    points: tuple[Point, ...]
    sides: tuple[int, int]
    whole: bool

    def of(self, name: str) -> list[tuple[float, float]]:
        """The points of one format."""
        return [(each.rate, each.psnr) for each in self.points if each.name == name]


def section(asked: packing.Asked, t: Translator) -> None:
    """The curve, drawn when somebody wants to see it."""
    with st.expander(
        t("Rate and distortion: this picture in five formats"), icon=":material/show_chart:", on_change="rerun", key="compress-curve"
    ) as panel:
        if panel.open and asked.load is not None:
            mending.watch(Wish("curve", asked.picture, work(asked.load), DRAWING, live=_draw), _show, t)


def work(load: packing.Load) -> Work:
    """What the errand does: compress the picture at some sizes by us, then by each rival, reporting all points so far."""

    def do(report: Report, stopped: Callable[[], bool]) -> Curves:
        picture = load()
        part = middle(picture)
        height, width = part.shape[1:]
        tries = [(OURS, lambda quality=each: _ours(part, quality, stopped)) for each in QUALITIES]
        tries += [
            (name, lambda rival=rival, each=each: _theirs(rival, part, each)) for name, rival in RIVALS.items() for each in rival.steps
        ]
        curves = Curves((), (width, height), part.shape == picture.shape)
        for place, (name, run) in enumerate(tries):
            if stopped():
                raise Cancelled
            report(place / len(tries), curves)
            size, score = run()
            curves = Curves((*curves.points, Point(name, 8 * size / part[0].numel(), score)), curves.sides, curves.whole)
        return curves

    return do


def middle(picture: Tensor) -> Tensor:
    """At most ``MOST_SIDE`` pixels each way of a picture ``(C, H, W)``, from its middle. Refused for a picture too small for all formats."""
    _, height, width = picture.shape
    if min(height, width) < LEAST_SIDE:
        raise Refused(
            "This picture has {width} x {height} pixels, and other formats need at least {least} each way. Choose a larger one.",
            width=width,
            height=height,
            least=LEAST_SIDE,
        )
    top, left = max(0, (height - MOST_SIDE) // 2), max(0, (width - MOST_SIDE) // 2)
    return picture[:, top : top + MOST_SIDE, left : left + MOST_SIDE]


def error(output: Tensor, target: Tensor) -> float:
    """PSNR in dB of pictures uint8."""
    return psnr(output.float() / 255, target.float() / 255)


def _ours(part: Tensor, quality: int, stopped: Callable[[], bool]) -> tuple[int, float]:
    codec = codecs.shipped(codecs.PHOTO)
    file, _ = codec.write(part, quality, _unheard, stopped)
    return len(file), error(codec.read(file, _unheard, stopped), part)


def _theirs(rival: Rival, part: Tensor, value: float) -> tuple[int, float]:
    file = rival.write(part, value)
    return len(file), error(read(file, len(part)), part)


def _draw(curves: Curves, t: Translator) -> None:
    words = t("PSNR over bits per pixel: ours, the formats of Pillow, and in grey published curves.")
    st.vega_lite_chart(*rates.chart(curves.points, t), key="compress-rates", alt=words)


def _show(curves: Curves, t: Translator) -> None:
    _draw(curves, t)
    width, height = curves.sides
    part = t("the whole picture") if curves.whole else t("the {width} × {height} pixels in its middle", width=width, height=height)
    st.caption(
        t(
            "In colour: {part}, by our codec for photographs and by others; sizes of whole files, PSNR of 8-bit pictures. In grey, for orientation only: means over the 24 Kodak photographs, "
            "other pictures than yours, as published by [CompressAI](https://github.com/InterDigitalInc/CompressAI). "
            "There, Ballé 2018 is the [factorised prior](https://arxiv.org/abs/1802.01436).",
            part=part,
        )
    )
    _savings(curves, t)
    st.download_button(
        t("Points of the curve (CSV)"), lambda: table(curves.points), "rates.csv", "text/csv", icon=":material/download:", on_click="ignore"
    )


def _savings(curves: Curves, t: Translator) -> None:
    """How many more or fewer bytes we take than each rival at equal PSNR, averaged over what both reach."""
    rows = {name: saving(curves.of(name), curves.of(OURS)) for name in RIVALS}
    columns = {
        t("Against"): list(rows),
        t("Our bytes at equal PSNR"): [
            "—" if isnan(each) else t("{percent} %", percent=f"{'+' if each > 0 else '−'}{t.number(abs(each))}") for each in rows.values()
        ],
    }
    st.table(pa.table(columns), border="horizontal")
    st.caption(t("The mean over all qualities that both reach (BD-rate); below zero, ours is shorter."))


def saving(theirs: Sequence[tuple[float, float]], ours: Sequence[tuple[float, float]]) -> float:
    """How many per cent more bytes we take at equal PSNR; NaN where that cannot be said. Points that cost more and are no better do not count."""
    curves: list[list[tuple[float, float]]] = [[], []]
    for curve, points in zip(curves, (theirs, ours), strict=True):
        for rate, score in sorted(points):
            if score < inf and (not curve or score > curve[-1][1] + LEAST_GAIN):
                curve.append((rate, score))
    return bd_rate(*curves) if min(map(len, curves)) > 1 else nan


def table(points: Sequence[Point]) -> bytes:
    """The points as CSV."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["format", "bits per pixel", "PSNR in dB"])
    writer.writerows((each.name, f"{each.rate:.5f}", f"{each.psnr:.4f}") for each in points)
    return file.getvalue().encode()


def _unheard(done: float) -> None:
    """Progress within one file."""
