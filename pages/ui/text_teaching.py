"""A recurrent autoencoder that learns sentences in an errand, and what is seen of it meanwhile."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from threading import Event

import pyarrow as pa
import streamlit as st

from aecore.data.text import Corpus
from aecore.jobs.errands import Cancelled, Report
from aecore.text import live
from aecore.text.live import Glimpse
from aecore.text.measures import padded
from aecore.text.training import subject
from aecore.text.uses import Taught
from aecore.text.variants import Variational, divergence
from pages.ui import mending, text_charts
from pages.ui.i18n import Translator
from pages.ui.writing import compared

MEASURED = 200  # sentences


@dataclass(frozen=True)
class Course:
    """What is taught: a variant with ``knobs``, sentences to learn from and others, how long at most; ``watched`` are words looked at.

    Once ``enough`` is set, it ends and keeps what was learnt.
    """

    variant: str
    knobs: Mapping[str, object]
    train: tuple[str, ...]
    held: tuple[str, ...]
    seconds: float
    watched: tuple[str, ...] = ()
    enough: Event = field(default_factory=Event, compare=False)


@dataclass(frozen=True)
class Look:
    """A run as it stands: its ``last`` glimpse, the losses so far, and the glimpses at which sentences held out were looked at."""

    last: Glimpse
    losses: tuple[tuple[float, float], ...]
    looks: tuple[Glimpse, ...]


@dataclass(frozen=True)
class Begun:
    """A course that this session began, of a ``kind`` and with a ``name`` of its own, and the ``corpus`` that it is of."""

    kind: str
    name: str
    course: Course
    corpus: Corpus

    def wish(self, words: str, live: mending.Show) -> mending.Wish:
        """What a tab asks for."""
        return mending.Wish(self.kind, self.name, partial(teach, self.course), words, live, enough=self.course.enough)


def teach(course: Course, report: Report, stopped: Callable[[], bool]) -> Look:
    """Learn, telling each glimpse, before the first of them the share of the sentences read; raises Cancelled once nobody wants it any more."""

    def progress(done: float) -> None:
        if stopped() or course.enough.is_set():
            raise Cancelled
        report(0.0, done)

    losses: tuple[tuple[float, float], ...] = ()
    looks: tuple[Glimpse, ...] = ()
    progress(0.0)
    taught = subject(course.variant, dict(course.knobs), course.train, course.held, progress=progress)
    for last in live.learn(taught, course.held, course.seconds, course.watched, enough=course.enough.is_set):
        if stopped():
            raise Cancelled
        losses = (*losses, (float(last.step), last.terms["reconstruction"]))
        if last.words is not None and (not looks or last.samples is not looks[-1].samples):
            looks = (*looks, last)
        look = Look(last, losses, looks)
        report(last.share, look)
        if last.result is not None:
            return look
    raise Cancelled


@lru_cache(maxsize=8)
def meter(taught: Taught, sentences: tuple[str, ...]) -> tuple[float, int, int]:
    """The collapse meter on sentences held out: KL in nats per sentence, active values, values."""
    model = taught.model
    assert isinstance(model, Variational)
    return *divergence(model, padded(taught.rows(sentences[:MEASURED]))), model.plan.code


def begin(kind: str, course: Course, corpus: Corpus) -> None:
    """Begin a course anew, unless the very same is under way already."""
    now = begun(kind)
    if not (now and now.course == course and mending.under_way(kind)):
        st.session_state[f"{kind}-begun"] = Begun(kind, secrets.token_hex(4), course, corpus)


def begun(kind: str) -> Begun | None:
    """The course of a kind that this session began last, or None."""
    return st.session_state.get(f"{kind}-begun")


def watched(seen: Look | float, t: Translator) -> None:
    """A run while it lasts; at first it only reads."""
    if isinstance(seen, Look):
        show(seen, t)
    else:
        st.caption(t("Reading the sentences: {share} %", share=t.number(100 * seen)))


def ended(look: Look, course: Course, t: Translator) -> None:
    """What is said of a run that had fewer steps than planned."""
    steps = int(str(course.knobs["steps"]))
    if look.last.step < steps:
        words = t(
            "It ended after {done} of {steps} steps. All figures are of what it had learnt by then, and that is what is kept.",
            done=t.number(look.last.step),
            steps=t.number(steps),
        )
        st.caption(words)


def show(look: Look, t: Translator) -> None:
    """The run so far: loss, accuracy, samples, words that find their neighbours."""
    left, right = st.columns(2)
    loss = look.losses[-1][1]
    with left:
        st.caption(t("Loss on the sentences learnt from, in nats per word"))
        alt = t("Loss over steps: {loss} now.", loss=t.figure(loss))
        st.vega_lite_chart(*text_charts.curves({t("loss"): look.losses}, t("step"), t("loss"), t), key="teach-loss", alt=alt)
    with right:
        st.caption(t("Words that come back, of sentences held out"))
        if look.looks:
            _accuracy(look, t)
        else:
            st.caption(t("The first look at sentences held out comes after a few seconds."))
    last = look.last
    st.caption(
        t(
            "Step {step}; {speed} words learnt from in a second.",
            step=t.number(last.step),
            speed=t.number(last.per_second),
        )
    )
    if look.looks:
        samples(last, t)
    if last.neighbours:
        found = {word: ", ".join(near) for word, near in last.neighbours.items()}
        st.table(pa.table({t("Word"): list(found), t("Its nearest words now"): list(found.values())}), border="horizontal")


def _accuracy(look: Look, t: Translator) -> None:
    lines = {
        t("told the word before"): [(float(each.step), each.forced) for each in look.looks if each.forced is not None],
        t("running free"): [(float(each.step), each.words) for each in look.looks if each.words is not None],
    }
    forced, free = (points[-1][1] if points else 0.0 for points in lines.values())
    alt = t(
        "Token accuracy: {forced} % with teacher forcing, {free} % running free.",
        forced=t.number(100 * forced, 1),
        free=t.number(100 * free, 1),
    )
    st.vega_lite_chart(*text_charts.curves(lines, t("step"), t("words that come back"), t, share=True), key="teach-words", alt=alt)
    st.caption(alt + " " + t("Punctuation marks do not count, nor words that are not in the vocabulary."))


def samples(last: Glimpse, t: Translator) -> None:
    """Sentences held out, and what became of them; what differs is marked."""
    for given, back in last.samples:
        st.markdown(t("In: {words}", words=compared(given, given)) + "  \n" + t("Out: {words}", words=compared(given, back)))
