"""What only some variants have to show: cleaned pictures, samples and their news, how busy a code is."""

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from aecore import inspect
from aecore.data import Images
from aecore.losses import kl_normal
from aecore.metrics import psnr
from aecore.models import Autoencoder
from aecore.models.denoising import Denoising
from aecore.models.variational import Variational
from pages.ui import figures, widgets
from pages.ui.i18n import Translator

LOOKED_AT = 1000  # pictures
SHOWN = 8


@torch.no_grad()
def show(model: Autoencoder, data: Images, t: Translator) -> None:
    """The panels of ``model``, on test pictures of ``data``; nothing for a plain autoencoder."""
    x = data.test[:LOOKED_AT].float() / 255
    if isinstance(model, Denoising):
        _cleaned(model, x, t)
    if isinstance(model, Variational):
        _samples(model, x, t)
    codes = model.encode(x)
    if bool((codes == 0).any()):
        _health(codes, t)


def _cleaned(model: Denoising, x: Tensor, t: Translator) -> None:
    noisy = model.damage(x, torch.Generator().manual_seed(0))
    clean = model(noisy)
    with st.expander(
        t("Damaged and cleaned: {before} dB before, {after} dB after", before=_db(noisy, x, t), after=_db(clean, x, t)), expanded=True
    ):
        rows = [(t("As it was"), x), (t("Damaged, as the encoder sees it"), noisy), (t("Cleaned: drawn again from the code"), clean)]
        widgets.strip([widgets.row(words, _bytes(pictures[:SHOWN])) for words, pictures in rows], key="cleaned")


def _samples(model: Variational, x: Tensor, t: Translator) -> None:
    z = torch.randn(SHOWN, model.config.code, generator=torch.Generator().manual_seed(0))
    news = kl_normal(*model.region(x)).mean(0).sort(descending=True).values.numpy()
    title = t("Pictures nobody drew, and how much each code value says: {nats} nats in all", nats=t.number(float(news.sum()), 1))
    with st.expander(title, expanded=True):
        widgets.strip([widgets.row(t("Drawn from random codes"), _bytes(model.decode(z)))], key="samples")
        words = t("Nats of KL divergence for each code value, largest first; one near 0 says nothing.")
        st.vega_lite_chart(*figures.bars(news, t("code value"), t("nats"), t), key="news", alt=words)
        st.caption(words)


def _health(codes: Tensor, t: Translator) -> None:
    found = inspect.health(codes)
    size = codes.shape[1]
    title = t(
        "How busy the code is: {active} of {size} values in a picture, {dead} dead",
        active=t.number(found.active, 1),
        size=size,
        dead=found.dead,
    )
    with st.expander(title, expanded=True):
        words = t("Share of pictures in which each code value is not zero, largest first.")
        firing = found.firing.sort(descending=True).values.numpy()
        st.vega_lite_chart(*figures.bars(firing, t("code value"), t("share of pictures"), t), key="firing", alt=words)
        st.caption(words)


def _db(output: Tensor, target: Tensor, t: Translator) -> str:
    return t.number(min(psnr(output, target), 99), 1)


def _bytes(pictures: Tensor) -> np.ndarray:
    return (pictures.numpy() * 255).round().astype(np.uint8)
