"""The lecture's own example: digits, noise upon them, and what the shipped denoising autoencoder makes of it."""

from functools import lru_cache

import streamlit as st
import torch
from torch import Tensor

from aecore.corruption import gaussian
from aecore.knobs import Knob, Range
from pages.ui import cache, frame, widgets
from pages.ui.i18n import Translator, marked

MODEL = "digits-denoising"
LEVEL = Knob(
    "digit-noise",
    0.5,
    Range(0.0, 1.0),
    marked("Noise level"),
    marked("The standard deviation of Gaussian noise; 1 is from black to white."),
)
MEASURED = 500  # test pictures
SEED = 0


def show(level: float, t: Translator) -> None:
    """Ten test digits clean, noisy and mended, and the error before and after on many."""
    model, card = cache.model(MODEL)
    clean = _pictures()
    noisy = gaussian(clean, level, torch.Generator().manual_seed(SEED))
    with torch.no_grad():
        mended = model(noisy)
    rows = ((t("Without noise"), clean), (t("Noisy: what the autoencoder sees"), noisy), (t("Mended"), mended))
    widgets.strip([widgets.row(words, _bytes(each[:10])) for words, each in rows], key="lecture-digits")
    before, after = ((each - clean).square().mean().item() for each in (noisy, mended))
    size = int(card.knobs["code"])
    with st.container(horizontal=True):
        measured = t("On {count} digits that it has never seen.", count=len(clean))
        st.metric(t("Error before (MSE)"), t.figure(before, 3), border=True, width="content", help=measured)
        st.metric(t("Error after (MSE)"), t.figure(after, 3), border=True, width="content", help=measured)
        st.metric(t("Numbers in the code"), t.number(size), border=True, width="content")
    st.markdown(
        t(
            "The code has {code} numbers for {pixels} pixels. A digit fits into them, because its pixels hang together; "
            "noise does not, because each of its pixels is drawn by itself. It learnt at a level of {level}.",
            code=size,
            pixels=clean[0].numel(),
            level=t.figure(float(card.knobs["level"])),
        )
    )
    query = {"data": card.data, "variant": card.variant} | {name: str(value) for name, value in card.knobs.items()}
    st.page_link(frame.page("train", t), label=t("Train this one yourself"), icon=":material/play_arrow:", query_params=query)


@lru_cache(maxsize=1)
def _pictures() -> Tensor:
    """Test digits ``(N, 1, 28, 28)`` in [0, 1]; the first ten are one of each class."""
    data = cache.data("digits")
    firsts = [int((data.test_labels == label).nonzero()[0]) for label in range(10)]
    others = [place for place in range(len(data.test)) if place not in firsts]
    return data.test[[*firsts, *others][:MEASURED]].float() / 255


def _bytes(pictures: Tensor):
    return pictures.mul(255).round().byte().numpy()
