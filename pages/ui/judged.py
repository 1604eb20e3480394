"""What a mended signal is worth: its score, the filters beside it, how much of the noise to take out."""

from collections.abc import Sequence

import pyarrow as pa
import streamlit as st
import torch
from torch import Tensor

from aecore.metrics import si_sdr
from pages.ui.i18n import Translator, marked
from pages.ui.signals import Repaired

FILTERS = {
    "savitzky-golay": marked("Savitzky-Golay"),
    "wavelet": marked("Wavelets"),
    "spectral subtraction": marked("Spectral subtraction"),
}


def strength(repaired: Repaired, t: Translator) -> Tensor:
    """Ask how much of the noise to take out; gives the signal so mended."""
    share = st.slider(
        t("Strength"), 0.0, 1.0, 1.0, 0.05, format="localized", key="signal-strength", help=t("Less leaves some of the noise.")
    )
    return torch.lerp(repaired.noisy, repaired.output, share)


def scores(repaired: Repaired, output: Tensor, t: Translator) -> None:
    """Before and after, where the clean signal is known, and the time that it took."""
    with st.container(horizontal=True):
        if repaired.clean is not None:
            words = t("Scale-invariant signal-to-distortion ratio: how much stronger the signal is than all that is wrong with it.")
            st.metric(t("Noisy (SI-SDR)"), _decibels(repaired.noisy, repaired.clean, t), border=True, width="content", help=words)
            st.metric(t("Mended (SI-SDR)"), _decibels(output, repaired.clean, t), border=True, width="content", help=words)
        words = t("For {count} values, on one core.", count=t.number(output.numel()))
        st.metric(t("Time"), t.duration(repaired.seconds), border=True, width="content", help=words)


def filters(repaired: Repaired, names: Sequence[str], t: Translator) -> None:
    """Classical filters beside the autoencoder, where the clean signal is known."""
    if repaired.clean is None:
        return
    label = t("Beside it: filters that never learnt anything")
    with st.expander(label, icon=":material/balance:", on_change="rerun", key="signal-filters") as panel:
        if not panel.open:
            return
        clean = repaired.clean[:, repaired.middle]
        rows = [(t("With noise"), repaired.noisy[:, repaired.middle], None)]
        rows += [(t("Autoencoder"), repaired.output[:, repaired.middle], repaired.seconds)]
        rows += [(t(FILTERS[name]), *repaired.filtered(name)) for name in names]
        found = [si_sdr(output, clean) for _, output, _ in rows]
        words = [_decibels(output, clean, t) for _, output, _ in rows]
        bold = [f"**{each}**" if value == max(found) else each for each, value in zip(words, found, strict=True)]
        seconds = ["—" if each is None else _milliseconds(each, t) for _, _, each in rows]
        st.table(pa.table({t("Filter"): [each for each, _, _ in rows], "SI-SDR": bold, t("Time"): seconds}), border="horizontal")
        if clean.shape[1] < repaired.clean.shape[1]:
            st.caption(t("On the {count} samples in the middle.", count=t.number(clean.shape[1])))


def _decibels(output: Tensor, target: Tensor, t: Translator) -> str:
    return t("{sdr} dB", sdr=t.number(max(-99.0, min(si_sdr(output, target), 99.0)), 1))


def _milliseconds(seconds: float, t: Translator) -> str:
    return t.duration(seconds) if seconds >= 1 else f"{t.number(1000 * seconds)} ms"
