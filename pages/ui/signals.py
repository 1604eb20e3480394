"""What sound and series share on Denoise: noise to add, and two ways to take it out."""

import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import streamlit as st
import torch
from torch import Tensor, nn

from aecore.jobs.errands import Cancelled, Report, Work
from aecore.knobs import Choice, Knob, Range
from aecore.signals import alone, classic, noise, pieces, weights
from aecore.signals.files import Sound, Table
from pages.ui import forms, learning, mending
from pages.ui.i18n import Translator, marked

TASK = Knob("task", "add", Choice(("add", "blind")), marked("The noise"), marked("Where we add the noise, the result can be scored."))
SNR = Knob(
    "snr",
    5.0,
    Range(-5.0, 20.0),
    marked("Signal to noise (dB)"),
    marked("At 0 dB the noise is as strong as the signal; each 10 dB more leaves a tenth of its power."),
)
WAY = Knob(
    "way",
    "shipped",
    Choice(("shipped", "alone")),
    marked("Who mends it"),
    marked("An autoencoder that learnt from many others before, or one that learns now, from this noisy file alone, in under a minute."),
)
KNOBS = (TASK, SNR, WAY)
WORDS = {
    "add": marked("Add some"),
    "blind": marked("It has some"),
    "shipped": marked("Trained before"),
    "alone": marked("This file alone"),
    "white": marked("White"),
    "pink": marked("Pink"),
    "hum": marked("Hum"),
    "crackle": marked("Crackle"),
}
SEED = 0
TRIED = 1 << 20  # samples on which the classical filters are tried


@dataclass(frozen=True)
class Signal:
    """What is to be mended: ``values`` ``(C, N)``, how many a second (``rate``), and the file that they are from.

    ``names`` are those of the columns, if from a table.
    """

    values: Tensor
    rate: int
    file: Sound | Table
    names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Repaired:
    """A signal through an autoencoder: ``noisy``, ``output`` and, where it is known, ``clean``, all ``(C, N)``.

    ``losses`` are those of learning from this signal alone, if it was so; ``seconds`` were spent on mending, learning included.
    """

    signal: Signal
    noisy: Tensor
    clean: Tensor | None
    output: Tensor
    losses: learning.Losses
    seconds: float
    _filtered: dict[str, tuple[Tensor, float]] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return sum(each.numel() * each.element_size() for each in (self.noisy, self.clean, self.output) if each is not None)

    @property
    def middle(self) -> slice:
        """The part on which the classical filters are tried."""
        length = self.noisy.shape[1]
        first = max(0, (length - TRIED) // 2)
        return slice(first, min(first + TRIED, length))

    def filtered(self, name: str) -> tuple[Tensor, float]:
        """The middle of the noisy signal through a classical filter, and the seconds that it took."""
        if name not in self._filtered:
            began = time.perf_counter()
            output = classic.FILTERS[name](self.noisy[:, self.middle])
            self._filtered[name] = output, time.perf_counter() - began
        return self._filtered[name]


def choose(source: Knob, titles: Mapping[str, str], own: str, own_words: str, t: Translator) -> dict[str, Any]:
    """Draw the choice of a sample by its title, or of a file of one's own."""
    return forms.knobs([source], t, {name: t(title) for name, title in titles.items()} | {own: own_words})


def kept(t: Translator) -> str:
    """What becomes of an uploaded file."""
    return t("The file stays in the memory of this server for as long as you look at it, and is never written.")


def settings(kind: Knob, t: Translator) -> dict[str, Any]:
    """Draw what is to happen to the signal; there is no value for ``kind`` where no noise is to be added."""
    words = {option: t(text) for option, text in (forms.WORDS | WORDS).items()}
    values = forms.knobs([TASK], t, words)
    if values["task"] == "add":
        values |= forms.knobs([kind], t, words) | forms.knobs([SNR], t)
    return values | forms.knobs([WAY], t, words)


def wish(model: str, asked: str, load: Callable[[], Signal], kind: str | None, values: Mapping[str, Any]) -> mending.Wish:
    """To have a signal mended by the shipped ``model``, or by one that learns from it; noise of ``kind`` is added before."""
    snr, way = float(values.get("snr", 0)), str(values["way"])
    work = _work(model, load, kind, snr, way)
    if way == "shipped":
        return mending.Wish(f"{model}-shipped", f"{asked}-{kind}-{snr}", work)
    return mending.Wish(f"{model}-alone", f"{asked}-{kind}-{snr}", work, marked("Learning from this file alone: {share} %"), learning.live)


def _work(model: str, load: Callable[[], Signal], kind: str | None, snr: float, way: str) -> Work:
    def mend(report: Report, stopped: Callable[[], bool]) -> Repaired:
        signal = load()
        noisy = signal.values
        if kind:
            noisy = noise.KINDS[kind](signal.values, snr, torch.Generator().manual_seed(SEED), signal.rate)
        began = time.perf_counter()
        if way == "alone":
            output, losses = learning.learn(noisy, report, stopped)
        else:
            output, losses = pieces.denoise(_shipped(model), noisy, progress=report, stopped=stopped), ()
        if output is None:
            raise Cancelled
        return Repaired(signal, noisy, signal.values if kind else None, output, losses, time.perf_counter() - began)

    return mend


@cache
def _shipped(name: str) -> nn.Module:
    return weights.load(name)[0]


def explain(model: str, t: Translator) -> None:
    """The lesson of sound and series, and the network of the shipped ``model``."""
    with st.expander(t("Explain: noise out of sound and series"), icon=":material/school:"):
        lesson, code = st.tabs([t("Lesson"), t("The code that runs")])
        with lesson:
            st.markdown(t.lesson("denoise-signals"))
        with code:
            st.caption(t("Not a copy: this is read from the program as it runs."))
            st.code(inspect.getsource(weights.NETWORKS[model]), "python")
            st.code(inspect.getsource(alone.learn), "python")
