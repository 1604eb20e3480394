"""What the Shelf shows: a card for each model, one model in full, and the way to put one's own there."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import numpy as np
import streamlit as st
import torch

from aecore import weights
from aecore.data import DATASETS
from aecore.models import VARIANTS, Autoencoder
from aecore.refusal import Refused
from aecore.weights import Card
from pages.ui import cache, explain, frame, panels, shelf, shelf_card, state, uploads, widgets
from pages.ui.i18n import Translator

ACROSS = 3  # cards in a row
SHOWN = 6  # pictures on a card
WIDE = 420  # pixels of a card's pictures, at least


@dataclass(frozen=True)
class Look:
    """Test pictures ``(N, C, H, W)`` uint8, what a model draws of them, the loss of PCA at its code size, and both rows as PNG."""

    pictures: np.ndarray
    drawn: np.ndarray
    pca: float
    png: bytes


_looking = Lock()  # so that a room full of first visitors computes once


def gallery(t: Translator) -> None:
    """All models as cards: the visitor's own, then those that come with the lab, by what they learnt from."""
    st.markdown(
        t(
            "Autoencoders that have learnt already, to look into, take home or train again. On each card: test pictures above, "
            "what it draws of them below."
        )
    )
    _upload(t)
    own = shelf.own(state.visitor())
    if own:
        st.subheader(t("Your own"), anchor="own")
        st.caption(
            t("Only you see these. They lie in this server's memory: they go when it restarts or needs the room, so keep your files.")
        )
        _cards(own, t)
    order = list(VARIANTS)
    shipped = dict(sorted(((name, cache.model(name)) for name in weights.shipped()), key=lambda each: order.index(each[1][1].variant)))
    for data, known in DATASETS.items():
        found = {name: each for name, each in shipped.items() if each[1].data == data}
        if found:
            st.subheader(t(known.title), anchor=data)
            _cards(found, t)


def detail(name: str, t: Translator) -> None:
    """Model ``name`` in full; for a name that is not on this visitor's shelf, a sentence and all that are."""
    model, card = shelf.models(state.visitor()).get(name, (None, None))
    if model is None or card is None:
        missing = Refused("There is no model called {name} here, or it was somebody's own and is gone. These are here:", name=name[:60])
        st.warning(t.refusal(missing))
        gallery(t)
        return
    mine = name.startswith(shelf.OWN)
    st.button(t("All models"), key="all", icon=":material/arrow_back:", on_click=state.show_model, args=(None,))
    st.subheader(f"{t(VARIANTS[card.variant].title)} · {_data(card, t)}", anchor=False)
    st.markdown(t(VARIANTS[card.variant].about))
    left, right = st.columns([3, 2], gap="large")
    with left:
        look = _look(name, model, card)
        _figures(model, card, look, t)
        if look:
            below = t("Drawn again from {count} numbers each", count=int(card.knobs["code"]))
            widgets.strip([widgets.row(t("Test pictures"), look.pictures), widgets.row(below, look.drawn)], key=f"strip-{name}")
        else:
            st.info(t("The pictures that this model learnt from are not on this server, so there is nothing to show it here."))
        if look and not mine:
            panels.show(model, card.data, t)
        explain.panel(model, card.variant, card.data, t)
    with right:
        if mine:
            st.button(t("Take it off the shelf"), icon=":material/delete:", key=f"remove-{name}", on_click=_remove, args=(name,))
        _train(card, t)
        st.page_link(
            frame.page("latent", t), label=t("See its codes on a map"), icon=":material/scatter_plot:", query_params={"weights": name}
        )
        _downloads(model, card, t)
        shelf_card.show(card, mine, t)


def _remove(name: str) -> None:
    shelf.remove(state.visitor(), name)
    state.show_model(None)


def _cards(models: Mapping[str, shelf.Model], t: Translator) -> None:
    names = list(models)
    for first in range(0, len(names), ACROSS):
        for column, name in zip(st.columns(ACROSS), names[first : first + ACROSS], strict=False):
            with column.container(border=True, height="stretch"):
                _card(name, *models[name], t)


def _card(name: str, model: Autoencoder, card: Card, t: Translator) -> None:
    """One model in short. Of a stranger's card only checked names and numbers are shown, which cannot be Markdown."""
    title, data = t(VARIANTS[card.variant].title), _data(card, t)
    st.markdown(f"**{title}**" if name in weights.shipped() else f"**{title}** · {data}")
    look = _look(name, model, card)
    if look:
        st.image(
            look.png, width="stretch", alt=t("{data}: test pictures above, what {name} draws of them below", data=data, name=card.name)
        )
    size = t.size(shelf.size(model))
    st.caption(
        t(
            "Code: {code} numbers. {parameters} parameters in {size}.",
            code=int(card.knobs["code"]),
            parameters=t.number(card.parameters),
            size=size,
        )
    )
    st.markdown(_against_pca(card, look, t))
    st.button(t("Open {name}", name=card.name), key=f"open-{name}", on_click=state.show_model, args=(name,))


def _against_pca(card: Card, look: Look | None, t: Translator) -> str:
    loss = _test_loss(card)
    if loss is None:
        return t("Test loss: not on its card")
    words = t("Test loss **{loss}** {unit}", loss=t.figure(loss, 3), unit=_unit(card, t))
    return f"{words} · {t('PCA {loss}', loss=t.figure(look.pca, 3))}" if look else words


def _figures(model: Autoencoder, card: Card, look: Look | None, t: Translator) -> None:
    loss = _test_loss(card)
    pixels = t.number(math.prod(card.shape))
    with st.container(horizontal=True):
        _figure(
            t("Test loss"), "—" if loss is None else t.figure(loss), t("PCA {loss}", loss=t.figure(look.pca)) if look else _unit(card, t)
        )
        _figure(t("Numbers in its code"), t.number(int(card.knobs["code"])), t("of {count} in a picture", count=pixels))
        _figure(t("Parameters"), t.number(card.parameters), t.size(shelf.size(model)))


def _figure(label: str, value: str, below: str) -> None:
    st.metric(label, value, below, delta_color="off", delta_arrow="off", border=True, width="content")


def _test_loss(card: Card) -> float | None:
    return card.metrics["test"].get("cross_entropy" if card.knobs["loss"] == "cross-entropy" else "mse")


def _unit(card: Card, t: Translator) -> str:
    return t("nats per pixel") if card.knobs["loss"] == "cross-entropy" else t("squared error")


def _train(card: Card, t: Translator) -> None:
    if st.button(t("Train with these settings"), type="primary", icon=":material/play_arrow:", key="train-again"):
        state.open_settings(shelf_card.settings(card))
        state.show_run(None)
        st.switch_page(frame.page("train", t))


def _downloads(model: Autoencoder, card: Card, t: Translator) -> None:
    """Files made when they are asked for; no rerun, which would take the other buttons' files away for a moment."""
    files = {
        t("Whole model (ZIP)"): (".zip", lambda: shelf.whole(model, card)),
        t("Encoder half"): ("-encoder.safetensors", lambda: weights.half(model, "encoder")),
        t("Decoder half"): ("-decoder.safetensors", lambda: weights.half(model, "decoder")),
        t("Card (JSON)"): (".json", lambda: weights.pack(model, card)[1]),
    }
    st.markdown(f"**{t('Take it home')}**")
    with st.container(horizontal=True):
        for label, (end, make) in files.items():
            st.download_button(label, make, card.name + end, "application/octet-stream", on_click="ignore")


def _upload(t: Translator) -> None:
    """Ask for a model's files; once they are read the uploader is empty again, and a bad file stays there with its sentence."""
    with st.expander(t("Put a model of your own here"), icon=":material/upload:"):
        files = st.file_uploader(
            t("Weights (.safetensors) and card (.json) together, or the ZIP of both that is made here"),
            accept_multiple_files=True,
            max_upload_size=uploads.MOST_MEGABYTES,
            key=state.upload_key(),
            help=t("Pickles such as .pt are not read: they can run code when they are opened."),
        )
        if not files:
            return
        try:
            name = shelf.keep(state.visitor(), *shelf.read([(file.name, file.getvalue()) for file in files]))
        except Refused as refused:
            st.error(t.refusal(refused))
            return
    state.empty_upload()
    state.show_model(name)
    st.rerun()


def _data(card: Card, t: Translator) -> str:
    """What the model learnt from, in words of our own."""
    return t(DATASETS[card.data].title) if card.data in DATASETS else t("Own pictures")


def _look(name: str, model: Autoencoder, card: Card) -> Look | None:
    """What a model draws, where its pictures are here; of shipped models once for all visitors."""
    if card.data not in DATASETS or not cache.has(card.data) or DATASETS[card.data].shape != card.shape:
        return None
    if name.startswith(shelf.OWN):
        return _seen(model, card)
    with _looking:
        return _shipped(name)


def warm_up() -> None:
    """Draw with all shipped models, so that the first visitor need not wait for it."""
    for name in weights.shipped():
        model, card = cache.model(name)
        _look(name, model, card)


@lru_cache(maxsize=64)
def _shipped(name: str) -> Look:
    return _seen(*cache.model(name))


@torch.no_grad()
def _seen(model: Autoencoder, card: Card) -> Look:
    pictures = cache.data(card.data).test[:SHOWN]
    drawn = (model(pictures.float() / 255).numpy() * 255).round().astype(np.uint8)
    both = widgets.montage(np.concatenate([pictures.numpy(), drawn]), SHOWN)
    lines = cache.baselines(card.data, int(card.knobs["code"]), str(card.knobs["loss"]))
    return Look(pictures.numpy(), drawn, lines.pca, widgets.png(both, max(1, WIDE // both.shape[1])))
