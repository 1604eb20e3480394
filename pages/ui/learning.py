"""A network that learns from one noisy signal alone, shown while it does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from torch import Tensor

from aecore.jobs.errands import Report
from aecore.signals import alone
from pages.ui import waves
from pages.ui.i18n import Translator

CLOSE = 400  # samples looked at closely
Losses = tuple[tuple[int, float], ...]
"""Steps, and the loss after each."""


@dataclass(frozen=True)
class Look:
    """A run at one moment: its losses so far, and a few samples ``(n,)`` of the noisy signal and of what it makes of them."""

    losses: Losses
    places: np.ndarray
    noisy: np.ndarray
    output: np.ndarray


def learn(noisy: Tensor, report: Report, stopped: Callable[[], bool]) -> tuple[Tensor | None, Losses]:
    """What a network learns of a noisy signal ``(C, N)``, and its losses; None once nobody wants it any more."""
    losses: Losses = ()
    for each in alone.learn(noisy):
        if stopped():
            break
        if each.output is None:  # it learns no more, and mends the whole
            report(each.share)
            continue
        losses = (*losses, (each.step, each.loss))
        if each.result is not None:
            return each.result, losses
        seen = noisy[:, each.stretch]
        part = close(seen)
        places = each.stretch.start + np.arange(seen.shape[1])[part]
        report(each.share, Look(losses, places, seen[0, part].numpy(), each.output[0, part].numpy()))
    return None, ()


def close(values: Tensor) -> slice:
    """Where the first channel of a signal ``(C, N)`` is strongest: CLOSE samples."""
    whole = values.shape[1] // CLOSE * CLOSE
    first = int(values[0, :whole].reshape(-1, CLOSE).square().sum(1).argmax()) * CLOSE if whole else 0
    return slice(first, first + CLOSE)


def live(look: Look, t: Translator) -> None:
    """The run so far: its loss, and what it makes of a few samples."""
    left, right = st.columns([2, 3])
    with left:
        _curve(look.losses, t)
    curves = {t("noisy"): (look.places, look.noisy, waves.NOISY), t("mended"): (look.places, look.output, waves.MENDED)}
    words = t(
        "{count} samples where the signal is strong, as the network sees them after step {step}.", count=CLOSE, step=look.losses[-1][0]
    )
    right.vega_lite_chart(*waves.traces(curves, t("sample"), t("amplitude"), 240, t), key="learning-output", alt=words)
    st.caption(words)


def learnt(losses: Losses, t: Translator) -> None:
    """How the network learnt, once it has."""
    with st.expander(t("How it learnt"), icon=":material/show_chart:"):
        *judged, (_, least) = losses
        _curve(judged or losses, t, least)
        st.caption(
            t(
                "It never saw a clean sample: each was guessed from its neighbours, and the loss is how far off the guess was at samples "
                "that it never learnt from. Where the curve rises, it learns the noise by heart; the weights with the least loss were kept."
            )
        )


def _curve(losses: Sequence[tuple[int, float]], t: Translator, kept: float | None = None) -> None:
    """The loss over steps; ``kept`` is that of the weights which were kept."""
    steps, values = (np.array(each) for each in zip(*losses, strict=True))
    curves = {t("loss"): (steps, values, waves.MENDED)}
    if kept is not None:
        curves[t("weights kept")] = (steps[[0, -1]], np.array([kept, kept]), waves.CLEAN)
    chart = waves.traces(curves, t("step"), t("loss"), 240, t)
    now = losses[-1][1] if kept is None else kept
    st.vega_lite_chart(*chart, key="learning-loss", alt=t("Loss over steps: {loss} now.", loss=t.figure(now)))
