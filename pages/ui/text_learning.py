"""Teach a recurrent autoencoder sentences while looking on: built-in ones, or a visitor's own text."""

from dataclasses import replace
from functools import partial

import streamlit as st

from aecore.data.text import CORPORA, Corpus, load_text
from aecore.data.text import corpora as built_in
from aecore.knobs import Choice, Knob, Range
from aecore.text.tokens import Tokens
from aecore.text.variants import SEQUENCES, Variational
from pages.ui import forms, mending, state, text_home, text_own, text_teaching
from pages.ui.i18n import Translator, marked
from pages.ui.text_choice import MINE, Reader
from pages.ui.text_teaching import Begun, Course, Look

TEACH, OWN, PREFIX = "text-teach", "own", "teach_"
SECONDS = 120.0
LEARNING = marked("Learning: {share} %")
WATCHED = {"everyday-pt": ("segunda-feira", "dois", "gato", "mãe", "azul"), "everyday-en": ("Monday", "two", "cat", "mother", "blue")}
VARIANTS_ = tuple(name for name, each in SEQUENCES.items() if each.reads == "words")
STEPS = Range(1, 6_000, log=True)
USUAL: dict[str, dict[str, int | float]] = {
    "recurrent": {"steps": 1500, "mixed": 0.15},
    "recurrent-denoising": {"steps": 1500},
    "recurrent-variational": {"steps": 1500, "beta": 0.08, "word_dropout": 0.3, "warm_up": 800},
    "bag-of-words": {"steps": 1500},
}
"""What differs from a variant's own settings, so that a minute or two suffice."""
WORDS = {"lstm": "LSTM", "gru": "GRU"}
VARIANT = Knob(
    "teach_variant", "recurrent", Choice(VARIANTS_), marked("Autoencoder"), marked("What the code is made of, and what it has to do.")
)
MOST_HELD = 800  # sentences
LONGEST = 20  # letters of a word that is watched


def draw(t: Translator) -> None:
    """What the panel holds."""
    st.markdown(
        t(
            "A minute or two of learning, here and now, from nothing: the loss falls, words come back, and words "
            "of a kind find each other. "
            "Guess first: which will the model get right sooner, the grammar or the names?"
        )
    )
    left, right = st.columns(2, gap="large")
    with left:
        corpus = _corpus(t)
    with right:
        variant, knobs = _knobs(t)
    if corpus is not None:
        asked = corpus, variant, knobs
        st.button(t("Teach it"), key="teach-begin", type="primary", icon=":material/play_arrow:", on_click=_begin, args=asked)
    if begun := text_teaching.begun(TEACH):
        mending.watch(begun.wish(LEARNING, text_teaching.watched), partial(_taught, begun), t)


def _begin(corpus: Corpus, variant: str, knobs: dict[str, object]) -> None:
    watched = WATCHED.get(corpus.name) or _frequent(corpus)
    text_teaching.begin(TEACH, Course(variant, knobs, corpus.train, corpus.valid, SECONDS, watched), corpus)


def _frequent(corpus: Corpus) -> tuple[str, ...]:
    """A few words to watch in an unknown text: long ones that are frequent."""
    counts: dict[str, int] = {}
    for sentence in corpus.train[:5_000]:
        for word in Tokens().split(sentence):
            if word.isalpha() and 4 < len(word) <= LONGEST:
                counts[word] = counts.get(word, 0) + 1
    return tuple(sorted(counts, key=lambda each: (-counts[each], each))[:5])


def _knobs(t: Translator) -> tuple[str, dict[str, object]]:
    """Draw variant and knobs; gives both."""
    titles = {name: t(SEQUENCES[name].title) for name in VARIANTS_}
    variant = forms.knobs([VARIANT], t, titles)[VARIANT.name]
    st.caption(t(SEQUENCES[variant].about))
    own = [_usual(variant, each) for each in SEQUENCES[variant].model.Plan.knobs()]
    for each in own:
        state.open_follower(each.name, variant)
    with st.popover(t("Settings"), icon=":material/tune:", width="content"):
        values = forms.knobs(own, t, WORDS)
    state.put_in_link(values | {VARIANT.name: variant}, {each.name: each.default for each in (*own, VARIANT)})
    return variant, {name.removeprefix(PREFIX): value for name, value in values.items()}


def _usual(variant: str, knob: Knob) -> Knob:
    """A knob as it is on this page: a name of its own, and a default that a minute or two are enough for."""
    limits = STEPS if knob.name == "steps" else knob.limits
    return replace(knob, name=f"{PREFIX}{knob.name}", default=USUAL[variant].get(knob.name, knob.default), limits=limits)


def _corpus(t: Translator) -> Corpus | None:
    """Draw what to learn from; gives it once it is there."""
    usual = next(each.name for each in built_in(t.language))
    state.open_follower("teach_corpus", t.language)
    knob = Knob(
        "teach_corpus", usual, Choice((*CORPORA, OWN)), marked("Learn from"), marked("Sentences of the lab, or a text of your own.")
    )
    titles = {name: t(each.title) for name, each in CORPORA.items()} | {OWN: t("My own text")}
    name = forms.knobs([knob], t, titles)[knob.name]
    state.put_in_link({knob.name: name}, {knob.name: usual})
    if name != OWN:
        return load_text(name)
    own = text_own.ask(t)
    return own.corpus if own else None


def _taught(begun: Begun, look: Look, t: Translator) -> None:
    """What was learnt, and a way to use it."""
    text_teaching.show(look, t)
    text_teaching.ended(look, begun.course, t)
    found, corpus = look.last.result, begun.corpus
    if found is None:
        return
    card = text_home.card_of(found, look.last, corpus)
    reader = Reader(MINE, found, corpus.held[:MOST_HELD], corpus.language, card)
    if isinstance(found.model, Variational):
        kl, active, size = text_teaching.meter(found, corpus.held)
        st.caption(
            t("Collapse meter: {kl} nats per sentence, {active} of {size} values active.", kl=t.figure(kl, 3), active=active, size=size)
        )
    if st.button(
        t("Use what I taught, above"), key="teach-use", icon=":material/arrow_upward:", on_click=state.keep_taught, args=(reader,)
    ):
        st.rerun()
    st.markdown("#### " + t("Take it home"))
    text_home.offer(found, card, corpus.held[0], corpus.language, "teach", t)
