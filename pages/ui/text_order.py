"""Does the order of the words count? A recurrent encoder and a bag of words read sentences straight and shuffled."""

from functools import partial

import streamlit as st

from aecore.data.registry import Progress
from aecore.data.text import load_text
from aecore.text import uses
from pages.ui import measuring, text_charts, text_choice
from pages.ui.i18n import Translator
from pages.ui.measuring import Question
from pages.ui.text_choice import Reader

COUNT, SEED = 200, 0
Shares = dict[str, tuple[float, float]]
"""Of each model: words that came back of sentences read straight, and of those read shuffled."""


def draw(reader: Reader, t: Translator) -> None:
    """What the panel holds."""
    st.markdown(
        t(
            "Two encoders read the same sentences: once as they are, once with the words in a random order. "
            "Each decoder is asked for the sentence as it was. A recurrent encoder reads word after word; a bag "
            "of words only adds up which words there are. "
            "Which of the two will suffer?"
        )
    )
    name = text_choice.of_the_lab(reader, t)
    measuring.ask(Question("text-order", name, partial(_answer, name), _show), t)


def _answer(corpus: str, progress: Progress) -> Shares:
    found = {}
    sentences = load_text(corpus).held[:COUNT]
    for place, kind in enumerate(("", "-bag")):
        progress(place / 2)
        straight, shuffled = uses.order(text_choice.shipped(corpus, kind), sentences, SEED)
        found[kind] = straight.total.words, shuffled.total.words
    return found


def _show(found: Shares, t: Translator) -> None:
    models = {"": t("recurrent"), "-bag": t("bag of words")}
    ways = t("in order"), t("shuffled")
    rows = [(models[kind], way, share) for kind, shares in found.items() for way, share in zip(ways, shares, strict=True)]
    alt = ", ".join(f"{model}, {way}: {t.number(100 * share)} %" for model, way, share in rows)
    st.vega_lite_chart(*text_charts.grouped(rows, t("words in their places"), t), key="order-bars", alt=alt)
    st.markdown(
        t(
            "The recurrent one fell from {straight} % to {shuffled} %: its code holds the order, so a wrong order comes out wrong. "
            "The bag of words stays at {bag} %, whatever the order: it cannot tell, and its decoder guesses the likely one.",
            straight=t.number(100 * found[""][0], 1),
            shuffled=t.number(100 * found[""][1], 1),
            bag=t.number(100 * found["-bag"][1], 1),
        )
    )
    st.caption(
        t("{count} sentences that neither has learnt from, shuffled with seed {seed}; the decoder runs free.", count=COUNT, seed=SEED)
    )
