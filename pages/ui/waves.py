"""Charts of sounds and series, from plain arrays; no state."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from pages.ui import figures
from pages.ui.figures import Chart
from pages.ui.i18n import Translator

NOISY, MENDED, REMOVED, CLEAN = "#a9a9a9", figures.TRAIN, figures.VALIDATION, figures.PCA
Curve = tuple[np.ndarray, np.ndarray, str]
"""Places ``(n,)``, values ``(n,)`` and a colour."""


def spectrogram(address: str, seconds: float, top: float, loudest: float, stops: Sequence[str], span: float, t: Translator) -> Chart:
    """A picture of a sound, given by its address, on axes of seconds and kHz up to ``top``; the colours ``stops`` span ``span`` dB."""
    table = pa.table({"url": [address], "x": [0.0], "x2": [seconds], "y": [0.0], "y2": [top], "level": [loudest - span]})
    colour = {"domain": [loudest - span, loudest], "range": list(stops), "nice": False}
    legend = {"orient": "right", "gradientLength": 110, "gradientThickness": 8, "tickCount": 4, "titleFontSize": 11}
    plain = {"nice": False, "zero": False}
    spec = {
        "layer": [
            {
                "mark": {"type": "image", "aspect": False},
                "encoding": {
                    "x": {"field": "x", "type": "quantitative", "title": t("seconds"), "scale": {**plain, "domain": [0, seconds]}},
                    "x2": {"field": "x2"},
                    "y": {"field": "y", "type": "quantitative", "title": "kHz", "scale": {**plain, "domain": [0, top]}},
                    "y2": {"field": "y2"},
                    "url": {"field": "url"},
                },
            },
            {
                "mark": {"type": "point", "opacity": 0},
                "encoding": {"color": {"field": "level", "type": "quantitative", "title": "dB", "scale": colour, "legend": legend}},
            },
        ],
        "config": {**figures.config(t), "axis": {"grid": False}},
        "height": 200,
    }
    return table, spec


def wave(low: np.ndarray, high: np.ndarray, seconds: tuple[float, float], reach: float, colour: str, t: Translator) -> Chart:
    """The outline of a wave between its lowest and highest values ``(n,)``, from the first to the second of ``seconds``, up to ``reach``."""
    times = np.linspace(*seconds, len(low), dtype=np.float32)
    table = pa.table({"time": times, "low": pa.array(low, pa.float32()), "high": pa.array(high, pa.float32())})
    plain = {"nice": False, "zero": False}
    spec = {
        "mark": {"type": "area", "color": colour, "clip": True, "interpolate": "step", "strokeWidth": 1, "stroke": colour},
        "encoding": {
            "x": {"field": "time", "type": "quantitative", "title": t("seconds"), "scale": {**plain, "domain": list(seconds)}},
            "y": {"field": "low", "type": "quantitative", "title": t("amplitude"), "scale": {**plain, "domain": [-reach, reach]}},
            "y2": {"field": "high"},
        },
        "config": figures.config(t),
        "height": 170,
    }
    return table, spec


def traces(curves: Mapping[str, Curve], across: str, up: str, height: int, t: Translator, reach: float | None = None) -> Chart:
    """Curves over one another by their names, the last on top; the axes are called ``across`` and ``up``, which is as far as ``reach``, if given."""
    places = np.concatenate([each[0] for each in curves.values()]).astype(np.float64)
    values = np.concatenate([each[1] for each in curves.values()]).astype(np.float32)
    names = [name for name, each in curves.items() for _ in each[0]]
    colours = {"domain": list(curves), "range": [colour for _, _, colour in curves.values()]}
    legend = {"orient": "bottom", "labelLimit": 200, "symbolType": "stroke", "symbolStrokeWidth": 3, "offset": 4, "padding": 0}
    plain = {"nice": False, "zero": False}
    spec = {
        "mark": {"type": "line", "strokeWidth": 1.5, "clip": True},
        "encoding": {
            "x": {"field": "place", "type": "quantitative", "title": across, "scale": plain},
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": up,
                "axis": {"titleLimit": height - 60},
                "scale": {"zero": False} if reach is None else {**plain, "domain": [-reach, reach]},
            },
            "color": {
                "field": "curve",
                "type": "nominal",
                "title": None,
                "scale": colours,
                "legend": legend if len(curves) > 1 else None,
            },
            "tooltip": [
                {"field": "curve", "title": " "},
                {"field": "place", "title": across, "format": ".3~f"},
                {"field": "value", "title": up, "format": ".4~g"},
            ],
        },
        "config": figures.config(t),
        "height": height,
    }
    return pa.table({"place": places, "value": values, "curve": pa.array(names).dictionary_encode()}), spec
