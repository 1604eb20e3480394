"""Take it home: a model of sentences with its vocabulary and a script that runs it, and its words for the Embedding Projector."""

import random
from collections.abc import Callable
from functools import partial

import streamlit as st

from aecore.data.text import CORPORA, Corpus, load_text
from aecore.denoise.weights import Card, card_for
from aecore.refusal import Refused
from aecore.takehome import sentences
from aecore.text import embeddings, pairs
from aecore.text.damage import DAMAGES
from aecore.text.live import Glimpse
from aecore.text.mender import Mender
from aecore.text.uses import Taught
from pages.ui import state, text_choice
from pages.ui.i18n import Translator, marked
from pages.ui.text_choice import MINE, Reader

NAME = "my-sentences"
KINDS = {
    "": marked("Recurrent"),
    "-variational": marked("Recurrent, variational"),
    "-bag": marked("Bag of words"),
    "-mend": marked("Denoising, letters"),
}
NO_KIND = "-"
SAMPLE = """from pathlib import Path

from aecore.text import uses, weights

model, variant, vocabulary, card = weights.restore(Path("{name}.safetensors"))
taught = uses.Taught(variant, model, vocabulary)
print(uses.{use}(taught, [{sentence!r}]))
"""
DAMAGE, SEED = 0.2, 1
FILE, REFUSED, BROUGHT = "home-file", "home-refused", "home-brought"
MOST_MEGABYTES = 100


def card_of(taught: Taught, last: Glimpse, corpus: Corpus) -> Card:
    """The card of a model that has just been taught; the figures are of its last look at sentences held out."""
    figures = {"words": last.words, "sentences": last.sentences, "words_forced": last.forced, "divergence": last.divergence}
    return card_for(
        taught.model,
        NAME,
        data=CORPORA[corpus.name].about if corpus.language else "Own text",
        licence=corpus.licence or "Not stated",
        source=corpus.source or "Own text",
        plan=taught.recurrent.plan,
        steps=last.step,
        seconds=last.seconds,
        metrics={"held out": {name: value for name, value in figures.items() if value is not None}},
    )


def draw(reader: Reader, t: Translator) -> None:
    """What the panel holds: the model in use, or a choice of those that come with the lab."""
    taught, card = reader.whole, reader.card
    if card is None:
        titles = {kind: t(title) for kind, title in KINDS.items()}
        kind = st.segmented_control(
            t("Autoencoder"), list(KINDS), default="", required=True, format_func=titles.__getitem__, key="home-kind"
        )
        taught, card = text_choice.packed(reader.name, kind)
    offer(taught, card, reader.sentences[0], reader.language, "home", t)
    st.markdown("#### " + t("Bring one back"))
    words = t("A model that was taught here and taken home, as the same ZIP")
    st.file_uploader(words, "zip", key=FILE, max_upload_size=MOST_MEGABYTES, on_change=_bring, args=(reader.lab(t),))
    if st.session_state.pop(BROUGHT, False):
        st.rerun()  # the whole page uses it
    if refused := st.session_state.get(REFUSED):
        st.error(t.refusal(refused), icon=":material/error:")


def _bring(corpus: str) -> None:
    """Use the model in the file from now on; its sentences to try are those that it learnt among, or else the lab's."""
    st.session_state[REFUSED] = None
    if file := st.session_state[FILE]:
        try:
            taught, card = sentences.unbundle(file.name, file.getvalue())
        except Refused as refused:
            st.session_state[REFUSED] = refused
            return
        known = next((each for each in CORPORA.values() if each.about == card.data), None)
        held = load_text(known.name if known else corpus).held
        st.session_state[BROUGHT] = True
        state.keep_taught(Reader(MINE, taught, held, known.language if known else "", card))


def offer(taught: Taught, card: Card, sentence: str, language: str, key: str, t: Translator) -> None:
    """Downloads of a model, each made when it is asked for; ``key`` tells the place on the page."""
    mends = isinstance(taught.model, Mender)
    if mends:
        sentence = DAMAGES["mixed-letters"](sentence, DAMAGE, random.Random(SEED))
    st.markdown(
        t(
            "The model is a pair of files: numbers (safetensors) and a card (JSON) that says what they are and holds the {count} words of its "
            "vocabulary. The script beside them needs only torch and safetensors: it reads a sentence and writes what the model makes of it.",
            count=t.number(len(taught.vocabulary.words)),
        )
    )
    with st.container(horizontal=True):
        _button(t("Model, card and script (ZIP)"), partial(sentences.bundle, taught, card, sentence), f"{card.name}.zip", key)
        if not mends:
            _button(t("Words for the Embedding Projector (ZIP)"), partial(points, taught, language), f"{card.name}-words.zip", key)
    if not mends:
        st.caption(
            t(
                "The words are vectors.tsv and metadata.tsv: load them at [projector.tensorflow.org](https://projector.tensorflow.org), "
                "which draws a point for each."
            )
        )
    st.caption(t("With the lab's package, the pair of files is a few lines away:"))
    st.code(SAMPLE.format(name=card.name, sentence=sentence, use="mend" if mends else "reconstruct"), "python")


def _button(label: str, make: Callable[[], bytes], name: str, key: str) -> None:
    """No rerun, which would take the other file away for a moment."""
    kind = "application/octet-stream"
    st.download_button(label, make, name, kind, icon=":material/download:", on_click="ignore", key=f"{key}-{name}")


def points(taught: Taught, language: str) -> bytes:
    """The words with their vectors, and what kind they are of where that is known."""
    known = embeddings.vectors(taught)
    kinds = {word.lower(): kind for kind, words in pairs.kinds(language).items() for word in words} if language else {}
    return sentences.projector(known, [kinds.get(word, NO_KIND) for word in known.words] if kinds else ())
