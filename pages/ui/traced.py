"""A mended series: drawn, judged, and taken home."""

import numpy as np
import streamlit as st
from torch import Tensor

from aecore.signals.files import Table, write_table
from pages.ui import judged, learning, spectra, waves
from pages.ui.i18n import Translator
from pages.ui.signals import Repaired

ZOOMS = (1, 4, 16, 64)
FEWEST = 50  # values in sight
MOST_POINTS = 1600  # of a curve


def show(repaired: Repaired, t: Translator) -> None:
    """All that is to be seen of a mended series."""
    table, names = repaired.signal.file, list(repaired.signal.names)
    assert isinstance(table, Table)
    output = judged.strength(repaired, t)
    judged.scores(repaired, output, t)
    zooms = [each for each in ZOOMS if each == 1 or output.shape[1] / each >= FEWEST]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(t("Column"), names, key="series-column", width=220) if len(names) > 1 else names[0]
        zoom = st.segmented_control(t("Zoom"), zooms, default=1, format_func=lambda each: f"{each} ×", key="series-zoom", required=True)
        place = st.slider(t("Part"), 0.0, 1.0, 0.0, 0.01, format="percent", key="series-part", width=220) if zoom and zoom > 1 else 0.0
    _draw(repaired, output, names.index(name), _part(output.shape[1], int(zoom or 1), place), t)
    st.download_button(
        t("Take the mended series home"),
        lambda: write_table(table, {each: row.numpy() for each, row in zip(names, output, strict=True)}),
        "mended.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    if repaired.losses:
        learning.learnt(repaired.losses, t)
    judged.filters(repaired, ("savitzky-golay", "wavelet"), t)


def _axis(table: Table) -> str | None:
    """The first column that only rises: a clock, or a row number."""
    for name, values in table.columns.items():
        if name not in table.signals and np.isfinite(values).all() and len(values) > 1 and (np.diff(values) > 0).all():
            return name
    return None


def _part(length: int, zoom: int, place: float) -> slice:
    """The part in sight: a ``zoom``-th of the series, ``place`` of the way along it."""
    size = max(2, length // zoom)
    first = round(place * (length - size))
    return slice(first, first + size)


def _draw(repaired: Repaired, output: Tensor, row: int, part: slice, t: Translator) -> None:
    """One column in sight: noisy, mended and, where it is known, clean; below it what was removed."""
    table, name = repaired.signal.file, repaired.signal.names[row]
    assert isinstance(table, Table)
    clock = _axis(table)
    across = t("row") if clock is None else clock
    places = np.arange(1, output.shape[1] + 1) if clock is None else table.columns[clock]

    def curve(values: Tensor, colour: str) -> waves.Curve:
        seen = values[row, part].numpy()
        kept = spectra.thinned(seen, MOST_POINTS)
        return places[part][kept], seen[kept], colour

    curves = {t("noisy"): curve(repaired.noisy, waves.NOISY)}
    if repaired.clean is not None:
        curves[t("without noise")] = curve(repaired.clean, waves.CLEAN)
    curves[t("mended")] = curve(output, waves.MENDED)
    words = t("The series over time: noisy, mended and, where it is known, without noise.")
    st.vega_lite_chart(*waves.traces(curves, across, name, 300, t), key="series-curves", alt=words)
    words = t("What was removed")
    st.markdown(f"**{words}**")
    removed = {words: curve(repaired.noisy - output, waves.REMOVED)}
    st.vega_lite_chart(*waves.traces(removed, across, name, 150, t), key="series-removed", alt=words)
