"""The left column of Train: what to train, on what, how long, and a guess of how it will end."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
import torch

from aecore import weights
from aecore.data import DATASETS
from aecore.jobs import Order
from aecore.knobs import Choice, Knob, Range, Value
from aecore.models import VARIANTS, Autoencoder, blueprint
from aecore.refusal import Refused
from aecore.training import Plan
from pages.ui import cache, forms, state, uploads, widgets
from pages.ui.i18n import Translator, marked

MOST_SECONDS = 900  # of a run started on the page, so that the line moves
OWN = "own"
DATA = Knob("data", "digits", Choice((*DATASETS, OWN)), marked("Pictures"), marked("What the network learns to draw again."))
VARIANT = Knob("variant", "undercomplete", Choice(tuple(VARIANTS)), marked("Variant"), marked("The kind of autoencoder."))
PLAN = tuple(replace(each, limits=Range(1, MOST_SECONDS, log=True)) if each.name == "seconds" else each for each in Plan.knobs())
LESSONS: dict[str, dict[str, Value]] = {
    marked("The classic: 784 pixels, 32 numbers"): {
        "data": "digits",
        "variant": "undercomplete",
        "code": 32,
        "depth": 0,
        "loss": "cross-entropy",
    },
    marked("Only two numbers"): {"data": "digits", "variant": "undercomplete", "code": 2, "depth": 2, "width": 256, "epochs": 20},
    marked("One step against PCA"): {"data": "digits", "variant": "undercomplete", "code": 16, "depth": 0, "loss": "mse"},
    marked("Depth pays"): {"data": "clothes", "variant": "undercomplete", "code": 16, "depth": 2, "loss": "mse", "epochs": 15},
    marked("Filters see shapes"): {"data": "clothes", "variant": "convolutional", "code": 32, "epochs": 8},
    marked("Room enough to copy"): {"data": "digits", "variant": "overcomplete", "loss": "mse"},
    marked("Few units at a time"): {"data": "digits", "variant": "top-k"},
    marked("Atoms of handwriting"): {"data": "digits", "variant": "sparse", "depth": 0},
    marked("Every unit takes its turn"): {"data": "digits", "variant": "sparse-kl"},
    marked("A code that hardly moves"): {"data": "digits", "variant": "contractive"},
    marked("Noise in, digit out"): {"data": "digits", "variant": "denoising"},
    marked("A cloud of digits"): {"data": "digits", "variant": "variational"},
    marked("An alphabet for digits"): {"data": "digits", "variant": "vector-quantised"},
    marked("Two faces in eight numbers"): {
        "data": "faces-64",
        "variant": "convolutional",
        "code": 8,
        "depth": 3,
        "loss": "mse",
        "batch": 16,
        "epochs": 25,
    },
}


@dataclass(frozen=True)
class Chosen:
    """What the visitor has set: the order to place, and the model it would build (without memory behind its weights)."""

    order: Order
    model: Autoencoder


def settings(t: Translator) -> Chosen | None:
    """Draw the settings and the button that places the order; None, with the reason said, where they do not fit."""
    state.open_link()
    st.selectbox(
        t("Start from an exercise"),
        [None, *LESSONS],
        format_func=lambda each: t(each) if each else t("My own settings"),
        key="lesson",
        on_change=_open_lesson,
    )
    data, ready = pictures(t)
    names = {name: t(variant.title) for name, variant in VARIANTS.items()}
    variant = forms.knobs([VARIANT], t, names)["variant"]
    st.caption(t(VARIANTS[variant].about))
    declared = VARIANTS[variant].model.Config.knobs()
    state.open_variant(variant, [each.name for each in declared])
    knobs = forms.knobs(declared, t)
    with st.expander(t("Training plan"), icon=":material/tune:"):
        plan = forms.knobs(PLAN, t)
    defaults = {each.name: each.default for each in (DATA, VARIANT, *declared, *PLAN)}
    shown = {"data": OWN if data.startswith("own-") else data, "variant": variant, **knobs, **plan}
    state.put_in_link(shown, defaults)
    order = Order(variant, knobs, data, Plan(**plan))
    try:
        model = blueprint(variant, cache.data(data).shape if ready else DATASETS["digits"].shape, **knobs)
    except Refused as refused:
        st.error(t.refusal(refused))
        return None
    if ready:
        _start(order, model, t)
    return Chosen(order, model)


def invitation(chosen: Chosen | None, lost: bool, t: Translator) -> None:
    """Before the first run: what there is to see, from shipped weights where there are some for these settings."""
    if lost:
        st.info(t("The run in this link is no longer kept here. Its settings are: train it again."))
    st.markdown(t("Choose on the left, guess how it will end, then press **Train** and watch it learn."))
    if chosen is None or not cache.has(chosen.order.data):
        return
    data = cache.data(chosen.order.data)
    x = data.test[:8].float() / 255
    rows = [widgets.row(t("Test pictures"), data.test[:8].numpy())]
    name = f"{chosen.order.data}-{chosen.order.variant}"
    if name in weights.shipped():
        model, card = cache.model(name)
        with torch.no_grad():
            output = model(x)
        count = int(card.knobs["code"])
        rows.append(widgets.row(t("Drawn again by a model trained before, from {count} numbers each", count=count), _bytes(output)))
    code = int(chosen.order.knobs["code"])
    rows.append(
        widgets.row(
            t("Drawn again by PCA, from {count} numbers each: can you beat it?", count=code),
            _bytes(cache.pca(chosen.order.data, code).reconstruct(x)),
        )
    )
    widgets.strip(rows, key="invitation")


def share(t: Translator) -> None:
    """The address that opens this page as it is."""
    with st.popover(t("Link to this page as it is"), icon=":material/link:"):
        st.markdown(t("Opens these settings, this run while it is kept, and this language. Your own pictures are never in it."))
        st.code(state.link(), language=None, wrap_lines=True)


def pictures(t: Translator) -> tuple[str, bool]:
    """Ask for the pictures; gives their name, and whether they are at hand."""
    titles = {name: t(known.title) for name, known in DATASETS.items()} | {OWN: t("My own pictures")}
    name = forms.knobs([DATA], t, titles)["data"]
    if name == OWN:
        own = uploads.own_pictures(t)
        return own or "digits", own is not None
    st.caption(t(DATASETS[name].about))
    return name, DATASETS[name].built_in or uploads.downloaded(name, t)


def _start(order: Order, model: Autoencoder, t: Translator) -> None:
    code, loss = int(order.knobs["code"]), str(order.knobs["loss"])
    lines = cache.baselines(order.data, code, loss)
    low, high = round(lines.floor, 4), round(lines.mean, 4)
    guess = st.slider(
        t("Predict: the loss on test pictures at the end"),
        low,
        high,
        round((low + high) / 2, 4),
        step=0.0001 if high < 0.2 else 0.001,
        format="localized",
        key=f"guess-{order.data}-{loss}",
        help=t("Left end: a perfect copy. Right end: always drawing the average picture."),
    )
    if st.button(t("Train"), type="primary", icon=":material/play_arrow:", width="stretch", key="train"):
        try:
            own = None if order.built_in else cache.data(order.data)
            run = cache.jobs().submit(state.visitor(), order, own)
        except Refused as refused:
            st.error(t.refusal(refused))
            return
        state.keep_guess(run, guess)
        state.show_run(run)
    pixels = int(np.prod(model.shape))
    st.caption(
        t(
            "{parameters} parameters. Code: {code} numbers for {pixels} of the picture.",
            parameters=t.number(model.parameter_count()),
            code=code,
            pixels=t.number(pixels),
        )
    )
    if code >= pixels:
        st.warning(t("The code is as large as the picture: nothing forces this network to do more than copy."))


def _open_lesson() -> None:
    lesson = st.session_state.lesson
    if lesson:
        state.open_settings(LESSONS[lesson])


def _bytes(pictures: torch.Tensor) -> np.ndarray:
    return (pictures.numpy() * 255).round().astype(np.uint8)
