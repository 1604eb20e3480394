"""Codes that are clouds: the way between two sentences, new sentences, and the meter that tells whether the code is used at all."""

from functools import partial

import pyarrow as pa
import streamlit as st

from aecore.data.text import corpora, load_text
from aecore.text import uses
from aecore.text.variants import Variational, VariationalPlan
from pages.ui import mending, text_charts, text_choice, text_teaching
from pages.ui.i18n import Translator, marked
from pages.ui.text_choice import Reader
from pages.ui.text_teaching import Course, Look

STEPS = 7
DRAWN = 6
COLLAPSE = {"beta": 1.0, "word_dropout": 0.0, "warm_up": 0, "free": 0.0, "steps": 600, "width": 128, "embedding": 64}
COLLAPSING = marked("Learning, with nothing against collapse: {share} %")
SECONDS = 45.0


def draw(reader: Reader, t: Translator) -> None:
    """What the panel holds."""
    variational = isinstance(reader.words.model, Variational)
    st.markdown(
        t(
            "Here each code is a cloud instead of a point (a *variational* autoencoder), so that the room between sentences is filled too: "
            "the way from one sentence to another passes through others, not all of them well formed, and a code "
            "drawn at random is a sentence too."
        )
        if variational
        else t("From the code of one sentence straight to that of another: what does the decoder say of the numbers in between?")
    )
    first = text_choice.sentence("from", t("From"), reader.sentences, 1, t)
    last = text_choice.sentence("to", t("To"), reader.sentences, 2, t)
    if first and last:
        rows = uses.interpolate(reader.words, first, last, STEPS)
        st.table(pa.table({t("Step"): [str(each) for each in range(STEPS)], t("Sentence of the code"): rows}), border="horizontal")
        if [rows[0], rows[-1]] != [first, last]:
            st.caption(
                t(
                    "Steps 0 and {last} are what comes back of your two sentences: a word that the code does not keep comes back as another.",
                    last=STEPS - 1,
                )
            )
    if variational:
        _new(reader, t)
        _meter(reader, t)
    else:
        st.info(t("This model is not variational: only such a one can draw new sentences. Teach one below, or use the ones of the lab."))


def _new(reader: Reader, t: Translator) -> None:
    st.markdown("#### " + t("Sentences out of nothing"))
    seed = st.session_state.setdefault("text-draw", 0)
    st.table(pa.table({t("Drawn at random, seed {seed}", seed=seed): uses.draw(reader.words, DRAWN, seed)}), border="horizontal")
    st.button(t("Draw others"), key="text-draw-again", icon=":material/casino:", on_click=_again)


def _again() -> None:
    st.session_state["text-draw"] += 1


def _meter(reader: Reader, t: Translator) -> None:
    st.markdown("#### " + t("Is the code used at all?"))
    kl, active, size = text_teaching.meter(reader.words, reader.sentences)
    show_meter(kl, active, size, t)
    st.markdown(
        t(
            "A decoder that speaks well by itself may stop listening to the code: then every sentence gets the "
            "same cloud, both figures fall to 0, "
            "and the loss looks fine all the same. That is *posterior collapse*."
        )
    )
    name = reader.lab(t)
    corpus = load_text(name)
    course = Course("recurrent-variational", COLLAPSE, corpus.train, corpus.valid, SECONDS)
    asked = "text-collapse", course, corpus
    st.button(t("Make it collapse"), key="text-collapse", icon=":material/trending_down:", on_click=text_teaching.begin, args=asked)
    begun = text_teaching.begun("text-collapse")
    if begun and begun.course == course:
        mending.watch(begun.wish(COLLAPSING, _collapsed), partial(_ended, course), t)


def _ended(course: Course, look: Look, t: Translator) -> None:
    _collapsed(look, t)
    text_teaching.ended(look, course, t)


def _collapsed(look: Look | float, t: Translator) -> None:
    last, plan = look.last if isinstance(look, Look) else None, _plan(t)
    if not isinstance(look, Look) or last is None or last.divergence is None or last.active is None:
        st.caption(t("The first look at sentences held out comes after a few seconds."))
        return
    show_meter(last.divergence, last.active, 32, t)
    steps = [(float(each.step), each.divergence) for each in look.looks if each.divergence is not None]
    alt = t("KL divergence over steps: {value} nats now.", value=t.figure(last.divergence, 3))
    chart = text_charts.curves({"KL": steps}, t("step"), t("KL, in nats per sentence"), t, zero=True)
    st.vega_lite_chart(*chart, key="collapse-curve", alt=alt)
    text_teaching.samples(last, t)
    st.caption(
        t(
            "Beta 1 from the first step, no word dropout, no free bits: whatever goes in, much the same sentence comes out. "
            "The lab's own learnt with beta {beta} after {steps} steps of warm-up, {dropout} % word dropout and "
            "{free} free nats for each value.",
            beta=plan.beta,
            steps=t.number(plan.warm_up),
            dropout=t.number(100 * plan.word_dropout),
            free=plan.free,
        )
    )


def _plan(t: Translator) -> VariationalPlan:
    """With what the lab's own model has learnt."""
    model = text_choice.shipped(next(each.name for each in corpora(t.language)), "-variational").model
    assert isinstance(model, Variational)
    return model.plan


def show_meter(kl: float, active: int, size: int, t: Translator) -> None:
    """The collapse meter: KL in nats per sentence, and how many of ``size`` values tell one sentence from another."""
    left, right = st.columns(2)
    left.metric(t("KL divergence, in nats per sentence"), t.number(kl, 1))
    right.metric(t("Active values of the code"), t("{active} of {size}", active=active, size=size))
