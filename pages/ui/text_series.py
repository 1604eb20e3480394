"""The same network reads numbers: an electrocardiogram rebuilt from codes, and where it is strange."""

from functools import lru_cache

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from aecore.denoise.weights import Card
from aecore.knobs import Choice, Knob
from aecore.text import weights, windows
from aecore.text.series import SeriesRecurrent
from pages.ui import forms, state, waves
from pages.ui.i18n import Translator, marked

WORDS = {
    "as_it_is": marked("As it is"),
    "extra_beat": marked("An extra beat"),
    "loose_contact": marked("A loose contact"),
    "upside_down": marked("Upside down"),
    "trembling": marked("Trembling"),
}
KIND = Knob(
    "ecg",
    "extra_beat",
    Choice(("as_it_is", *windows.STRANGE)),
    marked("What happens in the middle"),
    marked("One window of the series is made strange before the network reads it."),
)
SEED = 0


@lru_cache(maxsize=1)
def shipped() -> tuple[SeriesRecurrent, Card]:
    """The network that comes with the lab, and its card."""
    return weights.load_series()


def held() -> Tensor:
    """The last third of the electrocardiogram, of which nothing was learnt, ``(N,)``."""
    values = windows.ecg()
    return values[round(windows.TRAIN_SHARE * len(values)) :]


def changed(values: Tensor, kind: str, size: int) -> tuple[Tensor, int]:
    """A series ``(N,)`` whose middle window of ``size`` is strange, and where that begins."""
    first = (len(values) - size) // 2
    values = values.clone()
    if kind in windows.STRANGE:
        part = values[None, first : first + size]
        values[first : first + size] = windows.STRANGE[kind](part, torch.Generator().manual_seed(SEED))[0]
    return values, first


def draw(t: Translator) -> None:
    """What the panel holds."""
    model, card = shipped()
    size = model.plan.window
    st.markdown(
        t(
            "A sentence is a sequence of words, a heartbeat a sequence of numbers. The same network reads windows of {window} samples, "
            "makes {code} numbers of each and says the window again. What it has never met comes back badly, and so gives itself away.",
            window=size,
            code=model.plan.code,
        )
    )
    with st.columns(2)[0]:
        values = forms.knobs([KIND], t, {name: t(text) for name, text in WORDS.items()})
    kind = values[KIND.name]
    state.put_in_link(values, {KIND.name: KIND.default})
    series, first = changed(held(), kind, size)
    output, strangeness = windows.rebuilt(model, series)
    places = np.arange(len(series))
    curves = {t("given"): (places, series.numpy(), waves.NOISY), t("rebuilt"): (places, output.numpy(), waves.MENDED)}
    alt = t("An electrocardiogram of {count} samples, and how it comes back from its codes.", count=len(series))
    st.vega_lite_chart(*waves.traces(curves, t("sample"), t("amplitude"), 240, t), key="ecg-rebuilt", alt=alt)
    peak = int(strangeness.argmax())
    below = {t("strangeness"): (places, strangeness.numpy(), waves.REMOVED)}
    words = t(
        "Squared error around each sample: highest at sample {peak}. The window made strange is {first} to {last}.",
        peak=peak,
        first=first,
        last=first + size,
    )
    if kind == "as_it_is":
        words = t("Squared error around each sample: highest at sample {peak}. Nothing was made strange.", peak=peak)
    st.vega_lite_chart(*waves.traces(below, t("sample"), t("squared error"), 200, t), key="ecg-strange", alt=words)
    st.caption(words)
    found = card.metrics["held out"]
    if kind in windows.STRANGE:
        st.markdown(
            t(
                "A window made strange in this way comes back worse than one left as it is in **{auc} %** of the "
                "cases (AUC; 50 % would be guessing).",
                auc=t.number(100 * found[f"auc_{kind}"], 1),
            )
        )
    st.caption(
        t(
            "The last third of the series, held out. Its squared error is {ours} of the variance; PCA with as many numbers leaves {pca}. "
            "Three heartbeats are all there is to learn from: no basis for a judgement of anybody's heart.",
            ours=t.number(found["mse"], 2),
            pca=t.number(found["mse_pca"], 2),
        )
    )
