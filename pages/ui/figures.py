"""Charts from plain arrays; no state. Vega-Lite, because it stays mounted while it is fed and speaks decimal commas."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from aecore.inspect import Baselines
from aecore.training import Reported
from pages.ui.i18n import Translator, marked

Chart = tuple[pa.Table, dict[str, Any]]
RECONSTRUCTION = "reconstruction"  # the term that all variants have
TERMS = {
    "divergence": marked("KL divergence"),
    "toll": marked("Toll"),
    "rate": marked("Away from the target rate"),
    "contraction": marked("Contraction"),
    "cure": marked("Cure"),
    "codebook": marked("Codebook"),
    "commitment": marked("Commitment"),
}
"""What variants minimise besides."""
TRAIN, VALIDATION, FLOOR, PCA = "#4c78a8", "#e45756", "#7f7f7f", "#2ca02c"
SERIES = (
    "#4c78a8",
    "#f58518",
    "#e45756",
    "#72b7b2",
    "#b279a2",
    "#eeca3b",
    "#ff9da6",
    "#9d755d",
    "#1b9e9e",
    "#6a51a3",
    "#d62790",
    "#8c6d31",
)


def losses(reports: Sequence[Reported], lines: Baselines | None, epochs: float, code: int, unit: str, t: Translator) -> Chart:
    """Reconstruction loss on training and held-out pictures over epochs, with the floor and the PCA line from end to end."""
    names = [t("training pictures"), t("held-out pictures"), t("PCA with {count} numbers", count=code), t("floor: a perfect copy")]
    rows = [(each.epoch, each.train[RECONSTRUCTION], names[0]) for each in reports]
    rows += [(each.epoch, each.validation[RECONSTRUCTION], names[1]) for each in reports]
    if lines:
        rows += [(x, y, name) for name, y in ((names[2], lines.pca), (names[3], lines.floor)) for x in (0.0, epochs)]
    colour = {"domain": names, "range": [TRAIN, VALIDATION, PCA, FLOOR]}
    spec = {
        "mark": {"type": "line", "clip": True, "strokeWidth": 2, "point": False},
        "encoding": {
            "x": {"field": "epoch", "type": "quantitative", "title": t("epoch"), "scale": {"domainMin": 0}},
            "y": {"field": "loss", "type": "quantitative", "title": unit, "scale": _heights(reports, lines)},
            "color": {
                "field": "line",
                "type": "nominal",
                "title": None,
                "scale": colour,
                "legend": {"orient": "bottom", "columns": 2, "labelLimit": 200, "offset": 4, "padding": 0},
            },
            "strokeDash": {"field": "line", "scale": {"domain": names, "range": [[1, 0], [1, 0], [6, 4], [2, 3]]}, "legend": None},
            "tooltip": [
                {"field": "line", "title": " "},
                {"field": "epoch", "title": t("epoch"), "format": ".2f"},
                {"field": "loss", "title": unit, "format": ".4f"},
            ],
        },
        "config": config(t),
        "height": 300,
    }
    return _curves(rows), spec


def _heights(reports: Sequence[Reported], lines: Baselines | None) -> dict[str, Any]:
    """From a little below the floor up to the loss of the average picture, so that the axis stands still while the run goes on."""
    if lines is None:
        return {"zero": False}
    lowest = min((each.validation[RECONSTRUCTION] for each in reports), default=lines.mean)
    top = max(lines.mean, 1.1 * lowest) if lowest < float("inf") else lines.mean
    return {"domain": [lines.floor - 0.04 * (top - lines.floor), top], "nice": False, "zero": False}


def terms(reports: Sequence[Reported], epochs: float, unit: str, t: Translator) -> Chart | None:
    """What is minimised beside the reconstruction loss, on held-out pictures over epochs; None where there is nothing, or only zeros."""
    names = [name for name in TERMS if any(each.validation.get(name) for each in reports)]
    if not names:
        return None
    words = [t(TERMS[name]) for name in names]
    rows = [(each.epoch, each.validation[name], word) for name, word in zip(names, words, strict=True) for each in reports]
    legend = {"orient": "bottom", "labelLimit": 200, "offset": 4, "padding": 0}
    spec = {
        "mark": {"type": "line", "strokeWidth": 2},
        "encoding": {
            "x": {"field": "epoch", "type": "quantitative", "title": None, "scale": {"domain": [0, epochs]}},
            "y": {"field": "loss", "type": "quantitative", "title": unit},
            "color": {
                "field": "line",
                "type": "nominal",
                "title": None,
                "scale": {"domain": words, "range": SERIES[4 : 4 + len(words)]},
                "legend": legend,
            },
            "tooltip": [{"field": "line", "title": " "}, {"field": "loss", "title": unit, "format": ".4f"}],
        },
        "config": config(t),
        "height": 210,
    }
    return _curves(rows), spec


def overlay(curves: Mapping[str, Sequence[tuple[float, float]]], lines: Baselines, epochs: float, unit: str, t: Translator) -> Chart:
    """Several losses over epochs, each a list of (epoch, loss) by its name, between the floor and the average picture's loss."""
    rows = [(x, y, name) for name, points in curves.items() for x, y in points]
    rows += [(x, y, name) for name, y in ((t("PCA"), lines.pca), (t("floor: a perfect copy"), lines.floor)) for x in (0.0, epochs)]
    names = [*curves, t("PCA"), t("floor: a perfect copy")]
    dashed = {"condition": {"test": {"field": "line", "oneOf": names[-2:]}, "value": [6, 4]}, "value": [1, 0]}
    spec = {
        "mark": {"type": "line", "clip": True, "strokeWidth": 2},
        "encoding": {
            "x": {"field": "epoch", "type": "quantitative", "title": t("epoch"), "scale": {"domainMin": 0}},
            "y": {"field": "loss", "type": "quantitative", "title": unit, "scale": {"domain": [lines.floor, lines.mean], "nice": False}},
            "color": {
                "field": "line",
                "type": "nominal",
                "title": None,
                "scale": {"domain": names, "range": [*SERIES[: len(curves)], PCA, FLOOR]},
                "legend": {"orient": "bottom", "columns": 4, "labelLimit": 200, "symbolType": "stroke", "offset": 4, "padding": 0},
            },
            "strokeDash": dashed,
            "tooltip": [
                {"field": "line", "title": " "},
                {"field": "epoch", "title": t("epoch"), "format": ".2f"},
                {"field": "loss", "title": unit, "format": ".4f"},
            ],
        },
        "config": config(t),
        "height": 380,
    }
    return _curves(rows), spec


def codes(points: np.ndarray, labels: np.ndarray, classes: Sequence[str], axes: tuple[str, str], t: Translator) -> Chart:
    """Codes of test pictures as a cloud ``(N, 2)``, coloured by class."""
    names = [t(classes[int(each)]) for each in labels]
    table = pa.table({"x": pa.array(points[:, 0]), "y": pa.array(points[:, 1]), "class": pa.array(names)})
    axis = {"grid": False, "labels": False, "ticks": False}
    spec = {
        "mark": {"type": "circle", "size": 28, "opacity": 0.8},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "title": axes[0], "axis": axis, "scale": {"zero": False}},
            "y": {"field": "y", "type": "quantitative", "title": axes[1], "axis": axis, "scale": {"zero": False}},
            "color": {
                "field": "class",
                "type": "nominal",
                "title": None,
                "scale": {"scheme": "tableau10", "domain": [t(each) for each in classes]},
                "legend": {"orient": "right", "symbolLimit": 20} if len(classes) > 1 else None,
            },
            "tooltip": [{"field": "class", "title": " "}],
        },
        "config": config(t),
        "height": 300,
    }
    return table, spec


def bars(values: np.ndarray, across: str, up: str, t: Translator) -> Chart:
    """One bar for each of ``values`` ``(n,)``, in their order; the axes are called ``across`` and ``up``."""
    table = pa.table({"place": pa.array(range(1, len(values) + 1), pa.int32()), "value": pa.array(values, pa.float32())})
    spec = {
        "mark": {"type": "bar", "color": TRAIN},
        "encoding": {
            "x": {
                "field": "place",
                "type": "quantitative",
                "title": across,
                "scale": {"nice": False},
                "bin": False,
                "axis": {"tickMinStep": 1},
            },
            "y": {"field": "value", "type": "quantitative", "title": up},
            "tooltip": [{"field": "place", "title": across}, {"field": "value", "title": up, "format": ".3f"}],
        },
        "config": config(t),
        "height": 220,
    }
    return table, spec


def spectrum(values: np.ndarray, across: str, up: str, t: Translator) -> Chart:
    """A falling row of positive ``values`` ``(n,)`` on a logarithmic axis; those below a millionth of the first are left out."""
    table, spec = bars(values[values > 1e-6 * values[0]], across, up, t)
    spec["mark"] = {"type": "line", "color": TRAIN, "point": {"size": 14}}
    spec["encoding"]["y"]["scale"] = {"type": "log", "nice": False}
    spec["encoding"]["y"]["axis"] = {"format": "~g"}
    spec["encoding"]["tooltip"][1]["format"] = ".3~g"
    return table, spec


def _curves(rows: Sequence[tuple[float, float, str]]) -> pa.Table:
    """Points (epoch, loss, name of the line) as a table."""
    epoch, loss, line = zip(*rows, strict=True)
    return pa.table({"epoch": pa.array(epoch, pa.float32()), "loss": pa.array(loss, pa.float32()), "line": pa.array(line)})


def config(t: Translator) -> dict[str, Any]:
    """Numbers in a chart as the language writes them."""
    symbols = t.locale.number_symbols["latn"]
    number = {"decimal": symbols["decimal"], "thousands": symbols["group"], "grouping": [3], "currency": ["", ""]}
    return {"locale": {"number": number}}


def matrix(
    values: Sequence[Sequence[float]], rows: Sequence[str], columns: Sequence[str], titles: tuple[str, str, str], t: Translator
) -> Chart:
    """A table of figures ``(rows, columns)`` in colours; cells whose row and column have one name are framed.

    ``titles`` are of the columns, the rows and the figures.
    """
    across, down, figure = titles
    cells = [(row, column, value) for row, line in zip(rows, values, strict=True) for column, value in zip(columns, line, strict=True)]
    row, column, value = zip(*cells, strict=True)
    table = pa.table({"row": row, "column": column, "value": pa.array(value, pa.float32())})
    low, high = min(value), max(value)
    place = {
        "x": {
            "field": "column",
            "type": "nominal",
            "title": across,
            "sort": list(columns),
            "axis": {"labelAngle": -30, "labelLimit": 110, "labelOverlap": False},
        },
        "y": {"field": "row", "type": "nominal", "title": down, "sort": list(rows), "axis": {"labelLimit": 110}},
    }
    colour = {"field": "value", "type": "quantitative", "scale": {"scheme": "viridis", "domain": [low, high]}, "legend": None}
    ink = {"condition": {"test": f"datum.value > {(low + high) / 2}", "value": "black"}, "value": "white"}
    tooltip = [
        {"field": "row", "title": down},
        {"field": "column", "title": across},
        {"field": "value", "title": figure, "format": ".2f"},
    ]
    spec = {
        "encoding": place,
        "layer": [
            {"mark": {"type": "rect"}, "encoding": {"color": colour, "tooltip": tooltip}},
            {
                "transform": [{"filter": "datum.row == datum.column"}],
                "mark": {"type": "rect", "fillOpacity": 0, "stroke": SERIES[2], "strokeWidth": 3},
            },
            {"mark": {"type": "text"}, "encoding": {"text": {"field": "value", "format": ".1f"}, "color": ink}},
        ],
        "config": {**config(t), "axis": {"grid": False, "ticks": False, "domain": False}},
        "height": {"step": 34},
    }
    return table, spec
