"""Words as points: neighbours, analogies, and a map of words of a kind."""

from collections.abc import Callable
from functools import lru_cache, partial

import streamlit as st

from aecore.jobs.errands import Cancelled, Report
from aecore.knobs import Choice, Knob, Range
from aecore.latent import Map, Projection, project
from aecore.refusal import Refused
from aecore.text import embeddings, pairs
from aecore.text.embeddings import Words
from aecore.text.uses import Taught
from pages.ui import forms, mending, state, text_charts, text_map, widgets
from pages.ui.i18n import Translator, marked
from pages.ui.text_choice import Reader

KINDS = {
    "weekdays": marked("weekdays"),
    "months": marked("months"),
    "seasons": marked("seasons"),
    "numbers": marked("numbers"),
    "family": marked("family"),
    "colours": marked("colours"),
    "animals": marked("animals"),
    "food": marked("food"),
    "drinks": marked("drinks"),
    "clothes": marked("clothes"),
    "rooms": marked("rooms"),
    "professions": marked("professions"),
    "feelings": marked("feelings"),
    "character": marked("character"),
    "countries": marked("countries"),
    "cities": marked("cities"),
    "languages": marked("languages"),
    "furniture": marked("furniture"),
    "vehicles": marked("vehicles"),
    "instruments": marked("instruments"),
    "lessons": marked("school subjects"),
    "games": marked("games"),
    "reading": marked("things to read"),
    "names": marked("names"),
    "body": marked("parts of the body"),
}
AT_FIRST = ("weekdays", "months", "numbers", "colours")
METHOD = Knob("words_map", "pca", Choice(("pca", "t-sne", "umap")), marked("Map"), marked("How many numbers become two or three."))
DIMS = Knob("words_dims", 2, Range(2, 3), marked("Dimensions"), marked("Of the map: a plane, or a space that can be turned."))
WORDS = {"pca": "PCA", "t-sne": "t-SNE", "umap": "UMAP"}
DRAWING = marked("Drawing the map: {share} %")
LEAST = 5
MOST = 100  # words of a visitor's own text on the map


@lru_cache(maxsize=8)
def known(taught: Taught) -> Words:
    """The words that a network knows, kept."""
    return embeddings.vectors(taught)


@lru_cache(maxsize=8)
def examples(taught: Taught, language: str) -> tuple[pairs.Analogy, ...]:
    """Analogies to try, one of each respect before the second of any."""
    if not language:
        return ()
    found = pairs.analogies(language, taught.vocabulary.ids, taught.vocabulary.tokens)
    by = {each.respect: [one for one in found if one.respect == each.respect] for each in found}
    return tuple(each[place] for place in range(0, 30, 5) for each in by.values() if place < len(each))


@lru_cache(maxsize=8)
def together(taught: Taught, language: str) -> float:
    """The chance that two words of a kind are nearer than two drawn at random."""
    return embeddings.auc(known(taught), pairs.word_pairs(language, taught.vocabulary.ids, taught.vocabulary.tokens))


def draw(reader: Reader, t: Translator) -> None:
    """What the panel holds."""
    words = known(reader.words)
    st.markdown(
        t(
            "Nobody told the model what a word means: each began as a row of random numbers, its **embedding**. "
            "Words that stand in the same places had to do the same work, and so their rows became alike."
        )
    )
    if len(words.words) < LEAST:
        st.info(t("The text has too few words of a kind to judge what was learnt of them. Choose a longer text."))
        return
    left, right = st.columns(2, gap="large")
    with left:
        chosen = _neighbours(reader, words, t)
    with right:
        _analogy(reader, words, t)
    _map(reader, words, chosen, t)
    _score(reader, t)


def _neighbours(reader: Reader, words: Words, t: Translator) -> str:
    st.markdown("#### " + t("Neighbours"))
    options = sorted(words.words)
    usual = next((each for each in ("march", "março") if each in words.words), words.words[0])
    word = st.selectbox(t("Word"), options, options.index(usual), key=f"word-{reader.name}")
    near = embeddings.neighbours(words, word)
    listed = ", ".join(each for each, _ in near)
    alt = t("The words nearest to {word}: {words}.", word=word, words=listed)
    st.vega_lite_chart(*text_charts.levels(near, t("cosine: 1 is the same direction"), t, 1.12), key="words-near", alt=alt)
    return word


def _analogy(reader: Reader, words: Words, t: Translator) -> None:
    st.markdown("#### " + t("Analogies"))
    options, tried = sorted(words.words), examples(reader.words, reader.language)
    keys = [f"analogy-{letter}-{reader.name}" for letter in "abc"]
    first = [tried[0].first, tried[0].second, tried[0].third] if tried else list(words.words[:3])
    for key, word in zip(keys, first, strict=False):
        if st.session_state.get(key) not in options:
            st.session_state[key] = word if word in options else options[0]
    labels = t("This word"), t("is to this one"), t("as this one to")
    a, b, c = (column.selectbox(label, options, key=key) for column, label, key in zip(st.columns(3), labels, keys, strict=True))
    if tried:
        st.button(t("Another example"), key="analogy-another", icon=":material/shuffle:", on_click=_another, args=(keys, tried))
    found = embeddings.analogy(words, a, b, c)
    alt = t("{a} is to {b} as {c} to: {words}.", a=a, b=b, c=c, words=", ".join(each for each, _ in found))
    st.vega_lite_chart(*text_charts.levels(found, t("cosine: 1 is the same direction"), t, 1.12), key="words-analogy", alt=alt)
    right = next((each.fourth for each in tried if (each.first, each.second, each.third) == (a, b, c)), None)
    if right:
        st.caption(
            t(
                "Expected: {word}. Often the place is right and the word is not: the embedding knows the kind better than the relation.",
                word=right,
            )
        )


def _another(keys: list[str], tried: tuple[pairs.Analogy, ...]) -> None:
    place = st.session_state.get("analogy-place", 0) + 1
    st.session_state["analogy-place"] = place
    one = tried[place % len(tried)]
    for key, word in zip(keys, (one.first, one.second, one.third), strict=True):
        st.session_state[key] = word


def _map(reader: Reader, words: Words, chosen: str, t: Translator) -> None:
    st.markdown("#### " + t("Map of words"))
    kinds = _kinds(reader, words, t)
    values = forms.knobs([METHOD, DIMS], t, WORDS)
    state.put_in_link(values, {each.name: each.default for each in (METHOD, DIMS)})
    names = list(dict.fromkeys(word for members in kinds.values() for word in members))
    if len(names) < LEAST:
        st.info(t("Choose more kinds of words for a map."))
        return
    groups = [next(kind for kind, members in kinds.items() if word in members) for word in names]
    spread = max(2, min(10, (len(names) - 2) // 3))
    projection = Projection(method=values["words_map"], dims=values["words_dims"], perplexity=float(spread), neighbours=spread)
    table = words.vectors[[words.place(each) for each in names]]
    show = partial(_drawn, names=names, groups=groups, chosen=chosen)
    if projection.method == "pca":
        try:
            show(project(table, projection), t)
        except Refused as refused:
            st.error(t.refusal(refused))
        return

    def work(report: Report, stopped: Callable[[], bool]) -> Map:
        def progress(done: float) -> None:
            if stopped():
                raise Cancelled
            report(done)

        return project(table, projection, progress)

    asked = f"{reader.name}-{hash(reader.words)}-{projection}-{hash(tuple(names))}"
    mending.watch(mending.Wish("words-map", asked, work, DRAWING), show, t)


def _kinds(reader: Reader, words: Words, t: Translator) -> dict[str, list[str]]:
    """The words to draw, by what they are called together."""
    if not reader.language:
        return {t("most frequent words"): list(words.words[:MOST])}
    every = pairs.kinds(reader.language)
    chosen = st.multiselect(
        t("Kinds of words"), [each for each in KINDS if each in every], AT_FIRST, format_func=lambda each: t(KINDS[each]), key="words-kinds"
    )
    known_ = set(words.words)
    return {t(KINDS[each]): [word.lower() for word in every[each] if word.lower() in known_] for each in chosen}


def _drawn(found: Map, t: Translator, names: list[str], groups: list[str], chosen: str) -> None:
    alt = t("Map of {count} words; those of a kind have one colour and one symbol.", count=len(names))
    dims = found.projection.dims
    widgets.words(text_map.data(found.points.numpy(), names, groups, chosen, alt), f"words-map-{dims}")
    st.caption(t("A word without a name had no room for it: point at it, tap it, or go from word to word with the arrow keys."))
    if dims == 3:
        st.caption(t("Drag to turn it."))


def _score(reader: Reader, t: Translator) -> None:
    """How well words of a kind have met, in one figure."""
    if reader.language:
        st.caption(
            t(
                "Two words of a kind are nearer than two words drawn at random in {share} % of the cases (AUC); 50 % would be guessing.",
                share=t.number(100 * together(reader.words, reader.language), 1),
            )
        )
