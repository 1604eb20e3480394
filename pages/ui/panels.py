"""What a trained model has to show: first what its variant is about, open, then what all have inside."""

from functools import lru_cache

import streamlit as st
import torch
from torch import Tensor

from aecore import inspect
from aecore.losses import kl_normal
from aecore.metrics import psnr
from aecore.models import Autoencoder
from aecore.models.contractive import Contractive
from aecore.models.denoising import Denoising
from aecore.models.variational import Variational
from aecore.models.vector_quantised import VectorQuantised
from pages.ui import cache, codebook, figures, inside, widgets
from pages.ui.i18n import Translator

LOOKED_AT = 500  # pictures
SHOWN = 8


def show(model: Autoencoder, data: str, t: Translator) -> None:
    """The panels of ``model``, on test pictures of the set named ``data``."""
    if isinstance(model, Denoising):
        _cleaned(model, data, t)
    if isinstance(model, Variational):
        _samples(model, data, t)
    if isinstance(model, VectorQuantised):
        codebook.show(model, data, t)
    found = _health_of(model, data)
    sparse = bool((found.firing < 1).any())
    if sparse:
        _health(found, t)
    inside.show(model, data, "directions" if isinstance(model, Contractive) else "atoms" if sparse else None, t)


def _cleaned(model: Denoising, data: str, t: Translator) -> None:
    x, noisy, clean = _mended(model, data)
    with st.expander(
        t("Damaged and cleaned: {before} dB before, {after} dB after", before=_db(noisy, x, t), after=_db(clean, x, t)), expanded=True
    ):
        rows = [(t("As it was"), x), (t("Damaged, as the encoder sees it"), noisy), (t("Cleaned: drawn again from the code"), clean)]
        widgets.strip([widgets.row(words, inside.pixels(pictures[:SHOWN])) for words, pictures in rows], key="cleaned")


def _samples(model: Variational, data: str, t: Translator) -> None:
    drawn, news = _drawn(model, data)
    title = t("Pictures nobody drew, and how much each code value says: {nats} nats in all", nats=t.number(float(news.sum()), 1))
    with st.expander(title, expanded=True):
        widgets.strip([widgets.row(t("Drawn from random codes"), inside.pixels(drawn))], key="samples")
        words = t("Nats of KL divergence for each code value, largest first; one near 0 says nothing.")
        st.vega_lite_chart(*figures.bars(news.numpy(), t("code value"), t("nats"), t), key="news", alt=words)
        st.caption(words)


def _health(found: inspect.Health, t: Translator) -> None:
    size = len(found.firing)
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


@lru_cache(maxsize=16)
@torch.no_grad()
def _mended(model: Denoising, data: str) -> tuple[Tensor, Tensor, Tensor]:
    """Clean, damaged and mended test pictures, the damage always from the same seed."""
    x = _pictures(data)
    noisy = model.damage(x, torch.Generator().manual_seed(0))
    return x, noisy, model(noisy)


@lru_cache(maxsize=16)
@torch.no_grad()
def _drawn(model: Variational, data: str) -> tuple[Tensor, Tensor]:
    """Pictures decoded from random codes, and the nats of each code value, largest first."""
    z = torch.randn(SHOWN, model.config.code, generator=torch.Generator().manual_seed(0))
    return model.decode(z), kl_normal(*model.region(_pictures(data))).mean(0).sort(descending=True).values


@lru_cache(maxsize=16)
@torch.no_grad()
def _health_of(model: Autoencoder, data: str) -> inspect.Health:
    return inspect.health(model.encode(_pictures(data)))


def _pictures(data: str) -> Tensor:
    return cache.data(data).test[:LOOKED_AT].float() / 255


def _db(output: Tensor, target: Tensor, t: Translator) -> str:
    return t.number(min(psnr(output, target), 99), 1)
