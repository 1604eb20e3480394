"""What a finished run is worth: against the guess, against copying, in bytes."""

import math

import numpy as np
import streamlit as st

from aecore import inspect
from aecore.jobs import View
from pages.ui import cache, panels, state, widgets
from pages.ui.i18n import Translator, marked

CARD_WIDTH, CARD_HEIGHT = 156, 130  # pixels: four side by side on a laptop, two on a phone
PROBE_WIDTH = 120  # pixels: five side by side on a laptop
PROBES = {
    "own": marked("Own pictures"),
    "other": marked("Another data set"),
    "inverted": marked("Inverted"),
    "shuffled": marked("Pixels shuffled"),
    "noise": marked("White noise"),
}


def show(view: View, t: Translator) -> None:
    """The figures of a finished run, and the identity test."""
    assert view.finished is not None
    loss, code = str(view.order.knobs["loss"]), int(view.order.knobs["code"])
    name = "cross_entropy" if loss == "cross-entropy" else "mse"
    final, lines = view.finished.test[name], cache.baselines(view.order.data, code, loss)
    shape = cache.data(view.order.data).shape
    model = cache.trained(view, shape)
    guess = state.guess(view.id)
    size = t("picture: {size}", size=t.size(math.prod(shape)))
    off = None if guess is None else t("{difference} off", difference=t.figure(abs(final - guess), 2))
    unseen = t("Measured once, at the end, on pictures not used for learning.")
    seen = t("Careful: this run has learnt from the test pictures too, as was asked.")
    with st.container(horizontal=True):
        _metric(t("Test loss"), t.figure(final), help=seen if view.order.plan.train_on_test else unseen)
        _metric(t("PCA's loss"), t.figure(lines.pca), help=t("The best that a linear code of {count} numbers can do.", count=code))
        _metric(t("Your guess"), "—" if guess is None else t.figure(guess), off)
        _metric(
            t("Stored code"),
            t.size(model.bits() / 8),
            size,
            help=t("As it is, without compression: 4 bytes for each number, or for a symbol its bits."),
        )
    _verdict(final, lines, code >= math.prod(shape), t)
    panels.show(model, view.order.data, t)
    _identity(cache.identity_test(model, view.order.data), t)


def _metric(label: str, value: str, below: str | None = None, help: str | None = None) -> None:
    st.metric(label, value, below, delta_color="off", delta_arrow="off", border=True, height=CARD_HEIGHT, width=CARD_WIDTH, help=help)


def _verdict(final: float, lines: inspect.Baselines, roomy: bool, t: Translator) -> None:
    if roomy:
        st.markdown(t("The code has room for the whole picture, so a low loss proves nothing. Read the identity test below."))
    elif final >= lines.mean:
        st.markdown(t("Worse than always drawing the average picture: it has not learnt anything yet. Try more epochs."))
    elif final > lines.pca:
        st.markdown(
            t("Better than the average picture, but PCA, a linear code of the same size, does better still. More epochs, or hidden layers?")
        )
    else:
        share = t.number(100 * (lines.pca - final) / (lines.pca - lines.floor))
        st.markdown(t("Better than PCA at the same code size: {share} % of the way from there to the floor.", share=share))


def _identity(probes: dict[str, inspect.Probe], t: Translator) -> None:
    gap = inspect.identity_gap(probes)
    with st.expander(
        t("Identity test: has it learnt its pictures, or merely to copy? Gap: {gap} dB", gap=t.number(gap, 1)), icon=":material/compare:"
    ):
        st.markdown(
            t(
                "Pictures that it has never seen the like of go in. A network that merely copies gives them all back equally well: a gap of 0 dB. "
                "The gap is how much better its own kind of pictures comes back than the same pixels shuffled. Above: in; below: out."
            )
        )
        with st.container(horizontal=True):
            for kind, probe in sorted(probes.items(), key=lambda each: list(PROBES).index(each[0])):
                pairs = np.concatenate([(each[:4].numpy() * 255).round().astype(np.uint8) for each in (probe.inputs, probe.outputs)])
                with st.container(width=PROBE_WIDTH):
                    st.markdown(f"**{t(PROBES[kind])}**")
                    st.image(
                        widgets.png(widgets.montage(pairs, 4), 3), caption=t("{psnr} dB", psnr=t.number(probe.psnr, 1)), width="stretch"
                    )
