"""A sentence on its way through the code: words in, a row of numbers, words out; and the sentences whose codes are nearest."""

from difflib import SequenceMatcher
from functools import lru_cache

import pyarrow as pa
import streamlit as st
import torch
from torch import Tensor

from aecore.text import uses
from aecore.text.uses import Taught
from pages.ui import figures, text_choice
from pages.ui.i18n import Translator
from pages.ui.text_choice import BLIND, Reader, badge, became

NEAREST = 5
MORE = 12  # words beyond those of the sentence given
THIN = 2  # pixels of a bar, so that hundreds fit on a phone
UNLIKE, STRANGE = "red", "orange"


@lru_cache(maxsize=8)
def codes(taught: Taught, sentences: tuple[str, ...]) -> Tensor:
    """Codes ``(N, n)`` of many sentences, kept."""
    return uses.encode(taught, sentences)


def section(reader: Reader, t: Translator) -> None:
    """The first sight of the page."""
    words = text_choice.sentence("sentence", t("Your sentence"), reader.sentences, 0, t)
    if not words:
        st.info(t("Write a sentence, or take another one."))
        return
    code = uses.encode(reader.whole, [words])
    back = uses.decode(reader.whole, code)[0]
    unknown = set(reader.whole.unknown(words))
    given = " ".join(badge(each, STRANGE if _stranger(each, unknown) else BLIND) for each in _split(words))
    st.markdown(t("Words in: {words}", words=given))
    alt = t("The code as {count} bars, one for each number.", count=code.shape[1])
    table, spec = figures.bars(code[0].numpy(), t("number of the code"), t("value"), t)
    thin = {"mark": {**spec["mark"], "size": THIN}, "height": 160}
    st.vega_lite_chart(table, {**spec, **thin}, key="text-code", alt=alt)
    st.markdown(t("Words out: {words}", words=compared(words, back)))
    _verdict(words, back, code.shape[1], unknown, t)
    if len(reader.whole.vocabulary.encode(words)) > uses.LONGEST:
        st.caption(t("This sentence is long: only its first {most} words and marks are read.", most=uses.LONGEST))
    _nearest(reader, words, code[0], t)


def _split(sentence: str) -> list[str]:
    return text_choice.TOKENS.split(sentence)


def _stranger(word: str, unknown: set[str]) -> bool:
    return word in unknown or word.lower() in unknown


def compared(given: str, back: str) -> str:
    """The words of ``back`` as Markdown; what differs from ``given`` shows both. A decoder that finds no end is cut short."""
    before, after = _split(given), _split(back)
    shown, cut = [], len(after) > len(before) + MORE
    after = after[: len(before) + MORE]
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            shown += [badge(each) for each in after[c:d]]
        else:
            pairs = zip(before[a:b] + [""] * max(0, d - c - b + a), after[c:d] + [""] * max(0, b - a - d + c), strict=True)
            shown += [became(one, other, UNLIKE) for one, other in pairs]
    return " ".join([*shown, "…"] if cut else shown)


def _verdict(given: str, back: str, size: int, unknown: set[str], t: Translator) -> None:
    words = _split(given)
    if given == back:
        st.success(t("Every word came back, out of {size} numbers.", size=size), icon=":material/check:")
    elif all(_stranger(each, unknown) for each in words if any(letter.isalnum() for letter in each)):
        st.warning(
            t("The model knows no word of this sentence, so the code says next to nothing of it, and the words out are made up."),
            icon=":material/question_mark:",
        )
    else:
        st.warning(t("Not the same sentence: where a word differs, the one that was given is struck out."), icon=":material/difference:")
    if unknown:
        strange = ", ".join(badge(each, STRANGE) for each in dict.fromkeys(words) if _stranger(each, unknown))
        st.caption(t("Never met while learning, so all of them are the same unknown word to the model: {words}", words=strange))


def _nearest(reader: Reader, sentence: str, code: Tensor, t: Translator) -> None:
    """Other sentences, nearest first."""
    others = reader.sentences
    far = torch.cdist(code[None], codes(reader.whole, others))[0]
    order = [place for place in far.argsort().tolist() if others[place] != sentence][:NEAREST]
    columns = {
        t("Sentences whose codes are nearest"): [others[place] for place in order],
        t("Distance"): [t.number(float(far[place]), 2) for place in order],
    }
    st.table(pa.table(columns), border="horizontal")
    st.caption(
        t(
            "Out of {count} sentences that the model has not learnt from. The distance is Euclidean, between codes of {size} numbers.",
            count=len(others),
            size=len(code),
        )
    )
