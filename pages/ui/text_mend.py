"""A damaged sentence mended, on the pages Text and Denoise; how strange a sentence is."""

import random
from functools import lru_cache

import streamlit as st

from aecore.data.text import load_text
from aecore.knobs import Choice, Knob, Range
from aecore.text import uses
from aecore.text.damage import DAMAGES, letter_error_rate
from aecore.text.tokens import CAPITAL
from aecore.text.uses import Strangeness, Taught
from pages.ui import forms, state, text_charts, text_choice
from pages.ui.i18n import Translator, marked
from pages.ui.text_choice import Reader, badge, became

ALREADY = "none-added"
KIND = Knob(
    "letters",
    "mixed-letters",
    Choice((*(each for each in DAMAGES if each.endswith("letters")), ALREADY)),
    marked("Damage"),
    marked("What happens to letters; or nothing, where the sentence is damaged already."),
)
SHARE = Knob("letters_share", 0.2, Range(0.0, 0.5), marked("Share of damaged letters"), marked("How many letters are hit, on average."))
SEED = Knob("letters_seed", 1, Range(0, 2**31 - 1), marked("Seed"), marked("Where all randomness starts. Same seed, same numbers."))
WORDS = {
    "mixed-letters": marked("Mixed"),
    "dropped-letters": marked("Letters lost"),
    "swapped-letters": marked("Letters swapped"),
    "doubled-letters": marked("Letters doubled"),
    "replaced-letters": marked("Letters replaced"),
    ALREADY: marked("None: it is damaged already"),
}
COMPARED = 100  # sentences


def page(t: Translator) -> None:
    """The tab Text of Denoise."""
    st.markdown(
        t("A denoising autoencoder for sentences reads damaged letters, a word and its neighbours at a time, and writes whole words.")
    )
    name = text_choice.corpus(t)
    mend(name, load_text(name).held, t)


def draw(reader: Reader, t: Translator) -> None:
    """The panel of the page Text."""
    st.markdown(
        t("A denoising autoencoder for sentences reads damaged letters, a word and its neighbours at a time, and writes whole words.")
    )
    name = text_choice.of_the_lab(reader, t)
    mend(name, load_text(name).held, t)


def mend(corpus: str, samples: tuple[str, ...], t: Translator) -> None:
    """Settings, the damaged sentence, the mended one."""
    clean = text_choice.sentence("whole", t("Sentence to mend"), samples, 3, t)
    values = forms.knobs([KIND, SHARE], t, {name: t(text) for name, text in WORDS.items()})
    if refused := state.open_knob(SEED):
        st.warning(t("{reason} The link asked for something else; the default is used.", reason=t.refusal(refused)))
    seed = st.session_state[state.knob_key(SEED.name)]
    already = values["letters"] == ALREADY
    if not already:
        st.button(t("Damage it anew"), key="letters-anew", icon=":material/casino:", on_click=_anew)
    state.put_in_link(values | {SEED.name: seed}, {each.name: each.default for each in (KIND, SHARE, SEED)})
    if not clean:
        st.info(t("Write a sentence, or take another one."))
        return
    damaged = clean if already else DAMAGES[values["letters"]](clean, values["letters_share"], random.Random(seed))
    mended = uses.mend(text_choice.shipped(corpus, "-mend"), [damaged])[0]
    st.markdown(t("Damaged: {words}", words=" ".join(badge(each) for each in text_choice.TOKENS.split(damaged))))
    whole = " ".join(badge(now) if given == now else became(given, now, "green") for given, now, _ in mended.words)
    st.markdown(t("Mended: {words}", words=whole))
    if already:
        st.caption(t("Letters struck out are gone; the arrow leads to what the model took for the word."))
    else:
        st.markdown(
            t(
                "Letters that are wrong: **{before} %** before, **{after} %** after mending.",
                before=t.number(100 * letter_error_rate([damaged], [clean]), 1),
                after=t.number(100 * letter_error_rate([mended.sentence], [clean]), 1),
            )
        )
    if mended.words:
        with st.popover(t("How sure it was of each word")):
            rows = [(now or given or "·", sure) for given, now, sure in mended.words]
            alt = t("Probability of each word: {words}.", words=", ".join(f"{name} {t.number(100 * sure)} %" for name, sure in rows))
            st.vega_lite_chart(*text_charts.levels(rows, t("probability"), t, 1.12), key="letters-sure", alt=alt)
    st.caption(
        t(
            "Numbers, names and words that the model has never met stay as they are where it is not sure. "
            "It knows the words of one small corpus: a sentence about something else will be changed into one about that."
        )
    )


def _anew() -> None:
    key = state.knob_key(SEED.name)
    st.session_state[key] = int(st.session_state.get(key, 0)) + 1


def _by_word(found: Strangeness, t: Translator) -> list[tuple[str, float]]:
    """Words as a reader counts them, and their nats; the mark of a capital belongs to the word that it stands before."""
    rows, before = [], 0.0
    for word, nats in found.words:
        if word == CAPITAL:
            before = nats
        else:
            rows.append(((word.capitalize() if before else word) or t("(end)"), before + nats))
            before = 0.0
    return rows


@lru_cache(maxsize=8)
def usual(taught: Taught, sentences: tuple[str, ...]) -> list[float]:
    """How strange sentences held out are, least first."""
    return sorted(mean(each) for each in uses.strangeness(taught, sentences))


def mean(found: Strangeness) -> float:
    """Nats of a word as a reader counts them, on average."""
    nats = [value for _, value in found.words]
    return sum(nats) / sum(word != CAPITAL for word, _ in found.words)


def strange(reader: Reader, t: Translator) -> None:
    """The panel: nats of each word of a sentence, beside those of others."""
    st.markdown(
        t(
            "The decoder reads the sentence's own code and the true words so far, and gives each next word a probability. "
            "Minus its logarithm, in nats, is the surprise: near 0 where the model saw it coming, 5 where it "
            "gave it less than one chance in a hundred."
        )
    )
    sentence = text_choice.sentence("strange", t("A sentence, usual or strange"), (_odd(reader), *reader.sentences), 0, t)
    if not sentence:
        st.info(t("Write a sentence, or take another one."))
        return
    found = uses.strangeness(reader.words, [sentence])[0]
    rows = _by_word(found, t)
    alt = t("Surprise in nats: {words}.", words=", ".join(f"{word} {t.number(nats, 1)}" for word, nats in rows))
    st.vega_lite_chart(*text_charts.levels(rows, t("surprise, in nats"), t), key="strange-words", alt=alt)
    others = usual(reader.words, reader.sentences[:COMPARED])
    surprise = mean(found)
    stranger = sum(each < surprise for each in others) / len(others)
    st.markdown(
        t(
            "On average **{mean}** nats a word: stranger than {share} % of {count} sentences that the model has "
            "not learnt from, whose median is {middle}.",
            mean=t.figure(surprise, 3),
            share=t.number(100 * stranger),
            count=len(others),
            middle=t.figure(others[len(others) // 2], 3),
        )
    )


def _odd(reader: Reader) -> str:
    """The words of a sentence in an order that no grammar has."""
    words = reader.sentences[1 % len(reader.sentences)].rstrip(".!?").split()
    return " ".join(words[::-1]) + "."
