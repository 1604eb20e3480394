"""The live demonstration on Home."""

import math
from functools import lru_cache

import numpy as np
import streamlit as st
import torch

from aecore import VARIANTS, metrics
from pages.ui import cache, frame, widgets
from pages.ui.i18n import Translator

MODEL = "digits-undercomplete"
KEY = "flow"
ACROSS = 3  # variants in a row


@st.fragment
def digit_flow(t: Translator) -> None:
    """Draw or pick a digit, see its code, drag a bar: encoder and decoder answer at once."""
    model, card = cache.model(MODEL)
    samples, limit = _setting()
    size = card.knobs["code"]
    change = widgets.flow_change(KEY, 28, int(size))
    pixels = change.pixels if change else samples[3]
    x = torch.from_numpy(pixels.astype(np.float32) / 255)[None, None]
    with torch.no_grad():
        own = model.encode(x)
        code = own if change is None or change.code is None else torch.from_numpy(change.code)[None]
        output = model.decode(code)
    if code is own:
        score = t("Read back from {count} numbers: {psnr} dB", count=int(size), psnr=t.number(min(metrics.psnr(output, x), 99), 1))
    else:
        score = t("Drawn from the code you dragged: a picture nobody drew")
    widgets.flow(
        KEY,
        pixels=pixels,
        code=code[0].numpy(),
        output=(output[0, 0].numpy() * 255).round().astype(np.uint8),
        samples=samples,
        limit=limit,
        serial=change.serial if change else 0,
        score=score,
        words=_words(t, int(size)),
    )


def what_you_saw(t: Translator) -> None:
    """What the demonstration showed, in figures of this very model."""
    _, card = cache.model(MODEL)
    values = int(card.knobs["code"])
    left, middle, right = st.columns(3)
    left.metric(t("Numbers in a picture"), t.number(math.prod(card.shape)), border=True)
    middle.metric(t("Numbers in its code"), t.number(values), border=True)
    right.metric(t("Error on unseen digits (MSE)"), t.figure(card.metrics["test"]["mse"], 3), border=True)
    st.markdown(t.lesson("home"))


def map_of_variants(t: Translator) -> None:
    """Every variant in a sentence, each a way into Train."""
    st.subheader(t("Train one yourself"))
    variants = list(VARIANTS.values())
    for first in range(0, len(variants), ACROSS):
        for column, variant in zip(st.columns(ACROSS), variants[first : first + ACROSS], strict=False):
            with column.container(border=True, height="stretch"):
                st.markdown(f"**{t(variant.title)}**")
                st.markdown(t(variant.about))
                query = {"variant": variant.name}
                st.page_link(frame.page("train", t), label=t("Train it"), icon=":material/play_arrow:", query_params=query)


@lru_cache(maxsize=1)
def _setting() -> tuple[list[np.ndarray], float]:
    """One test digit of each class, and how far bars reach: nearly all codes of test digits lie within."""
    data = cache.data("digits")
    firsts = [data.test[data.test_labels == label][0, 0].numpy() for label in range(10)]
    model, _ = cache.model(MODEL)
    with torch.no_grad():
        codes = model.encode(data.test[:500].float() / 255)
    return firsts, round(float(codes.abs().quantile(0.995)), 2)


def _words(t: Translator, size: int) -> dict[str, str]:
    return {
        "input": t("Picture: draw, or pick one"),
        "draw": t("Drawing area: draw a digit with the pointer; Delete clears it"),
        "pick": t("Pick digit"),
        "clear": t("Clear"),
        "encoder": t("encoder"),
        "code": t("Code: {count} numbers. Drag them!", count=size),
        "value": t("Code value"),
        "reset": t("Back to the picture's own code"),
        "decoder": t("decoder"),
        "output": t("Drawn from the code"),
    }
