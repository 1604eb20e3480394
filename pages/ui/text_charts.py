"""Charts of words, from plain arrays; no state."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from pages.ui import figures
from pages.ui.figures import Chart
from pages.ui.i18n import Translator

DARK = "#e45756"


def levels(rows: Sequence[tuple[str, float]], across: str, t: Translator, top: float | None = None) -> Chart:
    """One level bar for each name, in their order, with its value written; the axis is called ``across`` and ends at ``top``."""
    names = [f"{place:03d}{name}" for place, (name, _) in enumerate(rows)]  # a word may stand twice in a sentence
    table = pa.table({"name": names, "value": pa.array([value for _, value in rows], pa.float32())})
    scale = {"domain": [min(0.0, *(value for _, value in rows)), top]} if top else {"nice": True}
    y = {"field": "name", "type": "nominal", "title": None, "sort": None, "axis": {"labelExpr": "slice(datum.label, 3)", "labelLimit": 150}}
    x = {"field": "value", "type": "quantitative", "title": across, "scale": scale, "axis": {"tickCount": 5}}
    spec = {
        "encoding": {"y": y, "x": x},
        "layer": [
            {"mark": {"type": "bar", "color": figures.TRAIN}},
            {
                "mark": {"type": "text", "align": "left", "dx": 4, "color": "#888888"},
                "encoding": {"text": {"field": "value", "type": "quantitative", "format": ".2f"}},
            },
        ],
        "config": figures.config(t),
        "height": {"step": 24},
    }
    return table, spec


def grouped(rows: Sequence[tuple[str, str, float]], up: str, t: Translator) -> Chart:
    """Bars for (model, way of reading, value): the ways stand side by side for each model, in shares of 1."""
    models, ways = (list(dict.fromkeys(row[place] for row in rows)) for place in (0, 1))
    model, way, value = zip(*rows, strict=True)
    table = pa.table({"model": model, "way": way, "value": pa.array(value, pa.float32())})
    shared = {
        "x": {"field": "model", "type": "nominal", "title": None, "sort": models, "axis": {"labelAngle": 0, "labelLimit": 200}},
        "xOffset": {"field": "way", "sort": ways},
        "y": {
            "field": "value",
            "type": "quantitative",
            "title": up,
            "scale": {"domain": [0, 1.08]},
            "axis": {"format": "%", "values": [0, 0.5, 1]},
        },
    }
    colour = {
        "field": "way",
        "type": "nominal",
        "title": None,
        "sort": ways,
        "scale": {"range": [figures.TRAIN, DARK]},
        "legend": {"orient": "bottom"},
    }
    spec = {
        "encoding": shared,
        "layer": [
            {"mark": {"type": "bar"}, "encoding": {"color": colour}},
            {
                "mark": {"type": "text", "dy": -8, "color": "#888888"},
                "encoding": {"text": {"field": "value", "type": "quantitative", "format": ".0%"}},
            },
        ],
        "config": figures.config(t),
        "height": 280,
    }
    return table, spec


def curves(
    lines: Mapping[str, Sequence[tuple[float, float]]], across: str, up: str, t: Translator, share: bool = False, zero: bool = False
) -> Chart:
    """Lines over steps by their names; with ``share`` the axis goes from 0 to 100 %, with ``zero`` it begins at 0."""
    rows = [(*point, name) for name, points in lines.items() for point in points]
    place, value, name = zip(*rows, strict=True) if rows else ((), (), ())
    table = pa.table({"place": pa.array(place, pa.float32()), "value": pa.array(value, pa.float32()), "line": pa.array(name, pa.string())})
    axis = {"axis": {"format": "%"}, "scale": {"domain": [0, 1]}} if share else {"scale": {"zero": zero}}
    legend = {"orient": "bottom", "labelLimit": 220, "symbolType": "stroke", "symbolStrokeWidth": 3, "offset": 4, "padding": 0}
    ways = {"domain": list(lines), "range": [figures.TRAIN, DARK, "#2ca02c", "#b279a2"][: len(lines)]}
    dashes = {"domain": list(lines), "range": [[1, 0], [6, 3], [2, 2], [8, 2, 2, 2]][: len(lines)]}
    line = {"field": "line", "type": "nominal", "title": None, "legend": legend if len(lines) > 1 else None}
    spec = {
        "mark": {"type": "line", "strokeWidth": 2, "clip": True, "point": {"size": 14}},
        "encoding": {
            "x": {"field": "place", "type": "quantitative", "title": across, "axis": {"format": ",d", "tickMinStep": 1}},
            "y": {"field": "value", "type": "quantitative", "title": up, **axis},
            "color": {**line, "scale": ways},
            "strokeDash": {**line, "scale": dashes},
        },
        "config": figures.config(t),
        "height": 220,
    }
    return table, spec
