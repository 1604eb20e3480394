"""What every trained model has inside: what its units draw, what moves its code, what its codes look like. Computed when opened."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from aecore import inspect
from aecore.models import Autoencoder
from pages.ui import cache, figures, widgets
from pages.ui.i18n import Translator, marked

LOOKED_AT = 2_000  # pictures whose codes are compared
PICTURES = 4  # at which the Jacobian is taken
ATOMS, COLUMNS = 60, 12
DIRECTIONS = 8
AXES = 64
REACH = 0.5  # of the picture's own Euclidean length: the longest push
WIDTH = 736  # pixels, as wide as a strip
Panel = Callable[[Autoencoder, str, Translator], None]


def pixels(pictures: Tensor) -> np.ndarray:
    """Pictures in [0, 1] as uint8."""
    return (pictures.numpy() * 255).round().astype(np.uint8)


def signed(pictures: Tensor) -> np.ndarray:
    """Pictures ``(N, C, H, W)`` with signs as uint8, each at full contrast around middle grey."""
    return pixels(0.5 + 0.5 * pictures / pictures.abs().amax((1, 2, 3), keepdim=True).clamp_min(1e-30))


def show(model: Autoencoder, data: str, first: str | None, t: Translator) -> None:
    """All panels of ``model``, which has learnt the set named ``data``; the one named ``first`` before the others, and open."""
    for name in sorted(PANELS, key=lambda each: each != first):
        st.fragment(_panel, key=f"inside-{name}")(name, name == first, model, data, t)


def _panel(name: str, opened: bool, model: Autoencoder, data: str, t: Translator) -> None:
    title, draw = PANELS[name]
    with st.expander(t(title), expanded=opened, key=f"inside-{name}-{type(model).__name__}", on_change="rerun") as panel:
        if panel.open:
            draw(model, data, t)


def _atoms(model: Autoencoder, data: str, t: Translator) -> None:
    found = _atoms_of(model, data)
    if not len(found.units):
        st.markdown(t("No unit ever changes: all pictures have the same code."))
        return
    st.markdown(
        t(
            "Each square is what one unit adds to the picture when it goes from 0 to its usual size while the others keep their mean: "
            "its atom. Grey: nothing; white: brighter; black: darker; each at full contrast."
        )
    )
    words = t(
        "The {count} units that change pictures most, of {size}, the strongest first.", count=len(found.units), size=model.config.code
    )
    columns = min(COLUMNS, len(found.units))
    with st.container(width=WIDTH * columns // COLUMNS):
        st.image(widgets.png(widgets.montage(signed(found.pictures), columns), 2), width="stretch", alt=words)
    st.caption(words)


def _directions(model: Autoencoder, data: str, t: Translator) -> None:
    found = _sensitivity(model, data)
    if not found.squared_norm > 0:
        st.markdown(t("No small change of a picture moves its code: the Jacobian is 0. A code that moves in jumps has no directions."))
        return
    st.markdown(
        t(
            "The Jacobian says how much each code value moves when each pixel moves a little. Its singular vectors are the changes of the "
            "whole picture that the code feels, strongest first; its singular values say how strongly."
        )
    )
    with st.container(horizontal=True):
        meaning = t("Squared Frobenius norm of the encoder's Jacobian: its squared entries added up; the mean over a few test pictures.")
        _card(t("Jacobian, squared"), t.figure(found.squared_norm, 3), None, meaning)
        felt, all_ = found.felt(), t("of {size}", size=min(model.config.code, found.directions[0].numel()))
        _card(t("Directions felt"), t.number(felt), all_, t("Singular values above a tenth of the largest."))
        axes = cache.pca(data, AXES)
        along, chance = 100 * inspect.along(found.directions, axes), 100 * len(axes.axes) / found.directions[0].numel()
        meaning = t(
            "How much of the directions drawn below lies along the {axes} main axes of the pictures (PCA), where they differ most. "
            "The rest is a change that hardly any picture shows.",
            axes=len(axes.axes),
        )
        by_chance = t("by chance: {share} %", share=t.number(chance))
        _card(t("Along the pictures"), t("{share} %", share=t.number(along)), by_chance, meaning)
    words = t("Singular values of the Jacobian, largest first, on a logarithmic axis.")
    if not found.exact:
        words += " " + t("The Jacobian is large: these are the 64 largest, found with random probes at one picture.")
    st.vega_lite_chart(*figures.spectrum(found.values.numpy(), t("direction"), t("singular value"), t), key="singular", alt=words)
    st.caption(words)
    x, drawn = _pushed(model, data)
    pictures = np.concatenate([pixels(cache.data(data).test[:1].float() / 255), signed(found.directions)])
    rows = [
        (t("A test picture, then the changes that its code feels most (grey: none; white: brighter; black: darker)"), pictures),
        (t("The picture pushed along the first of them, more and more to both sides of the middle"), pixels(x)),
        (t("What is drawn from their codes"), pixels(drawn)),
    ]
    widgets.strip([widgets.row(words, each) for words, each in rows], key="directions")


def _code(model: Autoencoder, data: str, t: Translator) -> None:
    found, explained, by_pca = _statistics(model, data)
    with st.container(horizontal=True):
        share, linear = t("{share} %", share=t.number(100 * explained, 1)), t("PCA: {share} %", share=t.number(100 * by_pca, 1))
        meaning = t("Share of what differs between test pictures that is there again after the code; below it PCA's, with as many numbers.")
        _card(t("Variance explained"), share, linear, meaning)
        meaning = t("As many independent values of equal spread would fill as much room: the participation ratio of the covariance.")
        _card(t("Effective dimension"), t.number(found.dimension, 1), t("of {size}", size=model.config.code), meaning)
        meaning = t("Between two code values, without its sign: 0 if no two go together, 1 if one can be told from another.")
        _card(t("Strongest correlation"), t.number(found.correlation, 2), None, meaning)
    low, high = (t.figure(round(each, 2) + 0.0, 3) for each in (found.lowest, found.highest))
    words = t(
        "Spread (standard deviation) of each code value over test pictures, largest first. A value with hardly any tells no pictures apart. "
        "All values are between {low} and {high}.",
        low=low,
        high=high,
    )
    spread = found.spread.sort(descending=True).values.numpy()
    st.vega_lite_chart(*figures.bars(spread, t("code value"), t("spread"), t), key="spread", alt=words)
    st.caption(words)


def _card(label: str, value: str, below: str | None, meaning: str) -> None:
    st.metric(label, value, below, delta_color="off", delta_arrow="off", border=True, height=130, width="content", help=meaning)


PANELS: dict[str, tuple[str, Panel]] = {
    "atoms": (marked("What each unit draws"), _atoms),
    "directions": (marked("What the code feels: its Jacobian"), _directions),
    "code": (marked("What the code looks like"), _code),
}


@lru_cache(maxsize=16)
def _codes(model: Autoencoder, data: str) -> Tensor:
    return inspect.encode(model, cache.data(data).test[:LOOKED_AT])


@lru_cache(maxsize=16)
def _atoms_of(model: Autoencoder, data: str) -> inspect.Atoms:
    return inspect.atoms(model, _codes(model, data), ATOMS)


@lru_cache(maxsize=16)
def _sensitivity(model: Autoencoder, data: str) -> inspect.Sensitivity:
    return inspect.sensitivity(model, cache.data(data).test[:PICTURES].float() / 255, DIRECTIONS)


@lru_cache(maxsize=16)
@torch.no_grad()
def _pushed(model: Autoencoder, data: str) -> tuple[Tensor, Tensor]:
    """The first test picture pushed along its first direction, and what the model makes of each."""
    picture, direction = cache.data(data).test[0].float() / 255, _sensitivity(model, data).directions[0]
    reach = REACH * picture.norm().item()
    x = (picture + torch.linspace(-reach, reach, DIRECTIONS + 1)[:, None, None, None] * direction).clamp(0, 1)
    return x, model(x)


@lru_cache(maxsize=16)
@torch.no_grad()
def _statistics(model: Autoencoder, data: str) -> tuple[inspect.Statistics, float, float]:
    """Statistics of the codes, and the variance that the model and PCA explain."""
    codes, test = _codes(model, data), cache.data(data).test[:LOOKED_AT]
    x = test.float() / 255
    output = torch.cat([model(part) for part in x.split(500)])
    return (
        inspect.statistics(codes),
        inspect.explained_variance(output, x),
        inspect.explained_variance(cache.pca(data, codes.shape[1]).reconstruct(x), x),
    )
