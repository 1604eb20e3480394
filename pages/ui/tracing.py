"""The series of Denoise: an ECG or columns of a table, noise added or not, and mended."""

from functools import cache

import numpy as np
import streamlit as st
import torch

from aecore.knobs import Choice, Knob
from aecore.refusal import Refused
from aecore.signals import noise, pieces, samples
from aecore.signals.files import Table, read_table
from pages.ui import mending, signals, state, traced, uploads
from pages.ui.i18n import Translator, marked
from pages.ui.signals import Signal

SAMPLE, OWN = "ecg", "own"
NOMINAL_RATE = 1000  # values a second, which crackle needs to know; as in training
MOST_AT_FIRST = 8  # columns
TITLES = {SAMPLE: marked("ECG")}
SOURCE = Knob("series", SAMPLE, Choice((SAMPLE, OWN)), marked("Series"), marked("A sample, or columns of a table of your own."))
KIND = Knob(
    "series_noise",
    "white",
    Choice(tuple(noise.SERIES_SHARES)),
    marked("Kind of noise"),
    marked("White noise is equally strong at all pitches; pink is weaker at high ones, as hiss is; crackle is clicks."),
)


def page(t: Translator) -> None:
    """Settings on the left, the series on the right."""
    st.markdown(
        t("Noise out of anything that was measured over time, such as a heartbeat. Choose the columns; the others stay as they are.")
    )
    left, right = st.columns([1, 3], gap="large")
    with left:
        state.open_link()
        values = signals.choose(SOURCE, TITLES, OWN, t("My own"), t)
        name, table, refused = _own(t) if values["series"] == OWN else (SAMPLE, _sample(), None)
        chosen = _columns(name, table, t) if table else []
        values |= signals.settings(KIND, t)
        state.put_in_link(values, {each.name: each.default for each in (SOURCE, KIND, *signals.KNOBS)})
    with right:
        if refused:
            st.error(t.refusal(refused), icon=":material/error:")
        elif table is None:
            st.info(t("Choose a table on the left."))
        elif not chosen:
            st.info(t("Choose at least one column on the left."))
        else:
            asked = f"{name}-{[list(table.columns).index(each) for each in chosen]}"
            signal = _signal(table, chosen)
            mending.watch(signals.wish("series", asked, lambda: signal, values.get(KIND.name), values), traced.show, t)


def _own(t: Translator) -> tuple[str, Table | None, Refused | None]:
    """Ask for a table; gives a name for it, and the table, or why it was refused."""
    file = st.file_uploader(t("Your table: CSV"), max_upload_size=uploads.MOST_MEGABYTES, key="series-file", help=signals.kept(t))
    if file is None:
        return "", None, None
    name, table, refused = st.session_state.get("series-read", ("", None, None))
    if name != file.file_id:
        try:
            table, refused = read_table(file.getvalue(), file.name), None
        except Refused as error:
            table, refused = None, error
        st.session_state["series-read"] = (file.file_id, table, refused)
    return file.file_id, table, refused


def _columns(name: str, table: Table, t: Translator) -> list[str]:
    """Ask which columns to mend; at first all but clocks and row numbers."""
    if len(table.columns) == 1:
        return list(table.columns)
    return st.multiselect(
        t("Columns to mend"), list(table.columns), default=list(table.signals or table.columns)[:MOST_AT_FIRST], key=f"columns-{name}"
    )


@cache
def _sample() -> Table:
    return samples.ecg()


def _signal(table: Table, chosen: list[str]) -> Signal:
    """Columns as a signal ``(C, N)`` in float64, with a straight line across each gap; the file keeps its gaps."""
    values = np.stack([pieces.filled(table.columns[each]) for each in chosen])
    return Signal(torch.from_numpy(values), NOMINAL_RATE, table, tuple(chosen))
