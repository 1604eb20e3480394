"""Teach a recurrent autoencoder sentences while looking on: built-in ones, or a visitor's own text."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from aecore.data.text import CORPORA, Corpus, load_text
from aecore.data.text import corpora as built_in
from aecore.jobs.errands import Report
from aecore.knobs import Choice, Knob, Range
from aecore.refusal import Refused
from aecore.text import corpora
from aecore.text.corpora import OwnText, read_text
from aecore.text.tokens import Tokens
from aecore.text.variants import SEQUENCES, Variational
from pages.ui import forms, mending, state, text_teaching
from pages.ui.i18n import Translator, marked
from pages.ui.text_choice import MINE, Reader
from pages.ui.text_teaching import Course, Look

OWN, PREFIX = "own", "teach_"
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
MOST_PASTED = 200_000
MOST_HELD = 800  # sentences


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
    if corpus is None:
        return
    asked = f"{corpus.name}-{hash(corpus.sentences)}-{variant}-{sorted(knobs.items())}"
    st.button(t("Teach it"), key="teach-begin", type="primary", icon=":material/play_arrow:", on_click=_want, args=(asked,))
    if st.session_state.get("teach-wanted") == asked:
        watched = WATCHED.get(corpus.name) or _frequent(corpus)
        course = Course(variant, knobs, corpus.train, corpus.valid, SECONDS, watched)
        wish = mending.Wish("text-teach", asked, partial(_work, course), LEARNING, text_teaching.show)
        mending.watch(wish, partial(_taught, corpus), t)


def _want(asked: str) -> None:
    st.session_state["teach-wanted"] = asked


def _work(course: Course, report: Report, stopped: Callable[[], bool]) -> Look:
    return text_teaching.teach(course, report, stopped)


def _frequent(corpus: Corpus) -> tuple[str, ...]:
    """A few words to watch in an unknown text: long ones that are frequent."""
    counts: dict[str, int] = {}
    for sentence in corpus.train[:5_000]:
        for word in Tokens().split(sentence):
            if word.isalpha() and len(word) > 4:
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
    own = _own(t)
    return own.corpus if own else None


def _own(t: Translator) -> OwnText | None:
    """Ask for a text, pasted or as a file; gives what was read, or says why not."""
    st.caption(
        t(
            "At least {least} different sentences, at most {most} MB and {sentences} sentences; longer sentences "
            "than {length} characters are cut. "
            "Capitals, accents and punctuation stay as they are. The text stays in the memory of this server "
            "while this tab is open, and is never written.",
            least=corpora.MIN_SENTENCES,
            most=corpora.MAX_BYTES >> 20,
            sentences=t.number(corpora.MAX_SENTENCES),
            length=corpora.MAX_LENGTH,
        )
    )
    pasted = st.text_area(t("Paste a text"), key="teach-pasted", max_chars=MOST_PASTED, height=120)
    file = st.file_uploader(t("Or a file: plain text"), max_upload_size=corpora.MAX_BYTES >> 20, key="teach-file")
    if not file and not pasted.strip():
        st.info(t("Paste a text or choose a file."))
        return None
    noted = file.file_id if file else str(hash(pasted))
    if st.session_state.get("teach-read", ("", None))[0] != noted:
        data, name = (file.getvalue(), file.name) if file else (pasted.encode(errors="replace"), t("Your text"))
        try:
            found: OwnText | Refused = read_text(name, data)
        except Refused as refused:
            found = refused
        st.session_state["teach-read"] = (noted, found)
    found = st.session_state["teach-read"][1]
    if isinstance(found, Refused):
        st.error(t.refusal(found), icon=":material/error:")
        return None
    st.success(
        t(
            "{count} sentences, read as {encoding}. Left out: {repeated} repeated, {more} too many; {cut} were cut.",
            count=t.number(len(found.corpus.sentences)),
            encoding=found.encoding,
            repeated=t.number(found.repeated),
            more=t.number(found.left_out),
            cut=t.number(found.cut),
        )
    )
    return found


def _taught(corpus: Corpus, look: Look, t: Translator) -> None:
    """What was learnt, and a way to use it."""
    text_teaching.show(look, t)
    found = look.last.result
    if found is None:
        return
    reader = Reader(MINE, found, corpus.held[:MOST_HELD], corpus.language)
    if isinstance(found.model, Variational):
        kl, active, size = text_teaching.meter(found, corpus.held)
        st.caption(
            t("Collapse meter: {kl} nats per sentence, {active} of {size} values active.", kl=t.figure(kl, 3), active=active, size=size)
        )
    if st.button(
        t("Use what I taught, above"), key="teach-use", icon=":material/arrow_upward:", on_click=state.keep_taught, args=(reader,)
    ):
        st.rerun()
