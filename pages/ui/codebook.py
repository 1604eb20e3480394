"""The panel of a vector-quantised model: how busy its codebook is, how a picture is written down, what an entry draws."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from aecore.models.vector_quantised import VectorQuantised
from pages.ui import cache, figures, widgets
from pages.ui.i18n import Translator

LOOKED_AT = 2_000  # pictures
AT_ONCE = 250
SHOWN = 8  # pictures in a row
PLACES = 4  # of a picture's symbols, each with a row of its own
WRITTEN = 16  # symbols of a picture that are written out


def show(model: VectorQuantised, data: str, t: Translator) -> None:
    """How the symbols of ``model`` are used on test pictures of the set named ``data``, and what changing one does."""
    x = cache.data(data).test[:LOOKED_AT]
    found = _looked(model, data)
    title = t(
        "The codebook: {used} of {entries} entries in use, perplexity {perplexity}; a picture in {size}",
        used=int((found.shares > 0).sum()),
        entries=len(found.shares),
        perplexity=t.number(_perplexity(found.shares)),
        size=t.size(math.ceil(model.bits() / 8)),
    )
    with st.expander(title, expanded=True):
        words = t("Share of each codebook entry in the symbols of {count} test pictures, largest first.", count=t.number(len(x)))
        st.vega_lite_chart(*figures.bars(found.shares.numpy(), t("codebook entry"), t("share of symbols"), t), key="entries", alt=words)
        st.caption(words + " " + t("The perplexity is how many entries, all used equally often, would be just as varied."))
        count = len(found.symbols)
        written = " · ".join(str(each) for each in found.symbols.tolist()[:WRITTEN]) + (" · …" if count > WRITTEN else "")
        rows = [
            widgets.row(t("Test pictures"), x[:SHOWN].numpy()),
            widgets.row(
                t("Drawn from {count} symbols each; those of the first: {symbols}", count=count, symbols=written), _bytes(found.drawn)
            ),
        ]
        for place, pictures in enumerate(found.exchanged, start=1):
            words = t("The first, its symbol {place} exchanged for each of the {count} most used there", place=place, count=len(pictures))
            rows.append(widgets.row(words, _bytes(pictures)))
        widgets.strip(rows, key="spelling")


@dataclass(frozen=True)
class _Looked:
    """``shares`` ``(K,)`` of the entries, largest first; the first picture's ``symbols``; drawings; those of the first with a symbol exchanged."""

    shares: Tensor
    symbols: Tensor
    drawn: Tensor
    exchanged: tuple[Tensor, ...]


@lru_cache(maxsize=16)
@torch.no_grad()
def _looked(model: VectorQuantised, data: str) -> _Looked:
    symbols = torch.cat([model.symbols(part.float() / 255) for part in cache.data(data).test[:LOOKED_AT].split(AT_ONCE)])
    uses = symbols.flatten().bincount(minlength=model.config.entries).sort(descending=True).values
    exchanged = []
    for place in range(min(PLACES, symbols.shape[1])):
        used, counts = symbols[:, place].unique(return_counts=True)
        often = used[counts.argsort(descending=True)[:SHOWN]]
        others = symbols[:1].repeat(len(often), 1)
        others[:, place] = often
        exchanged.append(model.decode(model.read(others)))
    return _Looked(uses / uses.sum(), symbols[0], model.decode(model.read(symbols[:SHOWN])), tuple(exchanged))


def _perplexity(shares: Tensor) -> float:
    return float(torch.special.entr(shares).sum().exp())


def _bytes(pictures: Tensor) -> np.ndarray:
    return (pictures.numpy() * 255).round().astype(np.uint8)
