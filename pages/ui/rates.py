"""The chart of rate against distortion, from points; no state."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import pyarrow as pa

from aecore.codec.rivals import PUBLISHED, RIVALS
from pages.ui import figures
from pages.ui.figures import Chart
from pages.ui.i18n import Translator

OURS = "ours"
MOST_RATE = 2.0  # bits per pixel at the end of the axis
GREY = "#8f8f8f"
COLOURS = ("#d9480f", "#4c78a8", "#2ca02c", "#b279a2", "#1b9e9e")


@dataclass(frozen=True)
class Point:
    """One file of the format ``name``: bits per pixel and PSNR in dB."""

    name: str
    rate: float
    psnr: float


def chart(points: Sequence[Point], t: Translator) -> Chart:
    """Points of each format joined by lines, perfect copies left out, over the published curves in grey, named at their ends."""
    words = {OURS: t("ours"), **{name: name for name in RIVALS}}
    published = [Point(name, *each) for name, curve in PUBLISHED.items() for each in curve]
    ends = {(name, curve[-1][0]) for name, curve in PUBLISHED.items()}
    rows = [(words[each.name], "", each) for each in points if each.psnr < inf] + [(each.name, "grey", each) for each in published]
    table = pa.table(
        {
            "curve": pa.array([name for name, _, _ in rows]),
            "kind": pa.array([kind for _, kind, _ in rows]),
            "end": pa.array([kind == "grey" and (each.name, each.rate) in ends for _, kind, each in rows]),
            "rate": pa.array([each.rate for _, _, each in rows], pa.float32()),
            "psnr": pa.array([each.psnr for _, _, each in rows], pa.float32()),
        }
    )
    place: dict[str, Any] = {
        "x": {"field": "rate", "type": "quantitative", "title": t("bits per pixel"), "scale": {"domain": [0, MOST_RATE], "nice": False}},
        "y": {"field": "psnr", "type": "quantitative", "title": t("PSNR in dB"), "scale": {"zero": False}},
    }
    colour = {
        "field": "curve",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(words.values()), "range": list(COLOURS[: len(words)])},
        "legend": {"orient": "bottom", "symbolType": "stroke", "symbolStrokeWidth": 3, "offset": 4, "padding": 0, "columns": 3},
    }
    tooltip = [
        {"field": "curve", "title": " "},
        {"field": "rate", "title": t("bits per pixel"), "format": ".3f"},
        {"field": "psnr", "title": t("PSNR in dB"), "format": ".2f"},
    ]
    line = {"type": "line", "clip": True, "interpolate": "monotone"}
    grey, ours = ([{"filter": f"datum.kind {sign} 'grey'"}] for sign in ("==", "!="))
    spec = {
        "layer": [
            {
                "transform": grey,
                "mark": {**line, "color": GREY, "strokeWidth": 1, "strokeDash": [4, 3]},
                "encoding": {**place, "detail": {"field": "curve"}, "tooltip": tooltip},
            },
            {
                "transform": [{"filter": "datum.end"}],
                "mark": {"type": "text", "align": "left", "dx": 4, "dy": -4, "fontSize": 10, "color": GREY, "clip": True},
                "encoding": {**place, "text": {"field": "curve"}},
            },
            {
                "transform": ours,
                "mark": {**line, "strokeWidth": 2, "point": {"size": 36}},
                "encoding": {**place, "color": colour, "tooltip": tooltip},
            },
        ],
        "config": figures.config(t),
        "height": 400,
    }
    return table, spec
