"""Who reads and writes on the page Text: the models of a language that come with the lab, or what this session has taught."""

import re
from dataclasses import dataclass, field
from functools import lru_cache

import streamlit as st

from aecore.data.text import CORPORA, corpora, load_text
from aecore.denoise.weights import Card
from aecore.knobs import Choice, Knob
from aecore.text import weights
from aecore.text.tokens import JOINER, Tokens
from aecore.text.uses import Taught
from pages.ui import forms, state
from pages.ui.i18n import Translator, marked, plain

LABEL, HELP = marked("Sentences"), marked("Those that the models learnt from, drawn from a grammar written for this lab.")
MOST_LETTERS = 300
"""Of a sentence that a visitor writes."""
TOKENS = Tokens()
BLIND = "gray"
SPACE = re.compile(r"\s")
UNSEEN = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
MINE = "mine"


@dataclass(frozen=True)
class Reader:
    """Who reads and writes: ``whole`` brings ``sentences`` back, which it has not learnt from, of ``language`` ("" for one's own text).

    What the session has taught has a ``card``.
    """

    name: str
    whole: Taught
    sentences: tuple[str, ...]
    language: str
    card: Card | None = field(default=None, compare=False)

    @property
    def words(self) -> Taught:
        """Whose words and ways between codes are shown: of the lab's the variational one, for its words of a kind lie nearer together."""
        return self.whole if self.name == MINE else shipped(self.name, "-variational")

    def lab(self, t: Translator) -> str:
        """The built-in corpus for what needs one."""
        return next(each.name for each in corpora(self.language or t.language))


def of_the_lab(reader: Reader, t: Translator) -> str:
    """The built-in corpus for a part that needs one, which is said where the visitor has another."""
    if reader.name == MINE:
        st.caption(t("This part needs other models than the one that you taught; here are those of the lab."))
    return reader.lab(t)


def corpus(t: Translator) -> str:
    """Draw the choice of the language's sentences, at first those of the page's language; gives the corpus's name."""
    usual = next(each.name for each in corpora(t.language))
    state.open_follower("corpus", t.language)
    knob = Knob("corpus", usual, Choice(tuple(CORPORA)), LABEL, HELP)
    values = forms.knobs([knob], t, {name: t(each.title) for name, each in CORPORA.items()})
    state.put_in_link(values, {knob.name: usual})
    return values[knob.name]


def reader(t: Translator) -> Reader:
    """Draw who reads, and give it."""
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    mine = state.taught()
    with right:
        own = isinstance(mine, Reader) and st.toggle(t("Use what I taught"), key="text-mine")
    with left:
        if isinstance(mine, Reader) and own:
            st.caption(t("Your model reads and writes here. The sentences to try are some that it has not learnt from."))
            return mine
        name = corpus(t)
    return Reader(name, shipped(name, ""), load_text(name).held, CORPORA[name].language)


@lru_cache(maxsize=16)
def _load(name: str) -> tuple[Taught, Card]:
    return weights.load(name)


def packed(corpus: str, kind: str) -> tuple[Taught, Card]:
    """What has learnt a built-in corpus, and its card; ``kind`` is "", "-variational", "-bag" or "-mend"."""
    return _load(f"text-{corpus.removeprefix('everyday-')}{kind}")


def shipped(corpus: str, kind: str) -> Taught:
    """The same without the card."""
    return packed(corpus, kind)[0]


def warm_up() -> None:
    """Write the built-in sentences and load who reads them, so that the first visitor need not wait for it."""
    for name in CORPORA:
        load_text(name)
        for kind in ("", "-variational"):
            shipped(name, kind)


def sentence(name: str, label: str, samples: tuple[str, ...], first: int, t: Translator) -> str:
    """Draw a sentence to be edited, at first sample ``first``, and a way to another one; what is in the link comes before."""
    usual, key = samples[first % len(samples)], state.knob_key(name)
    state.open_follower(name, usual)
    state.open_words(name, usual, MOST_LETTERS)
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    words = left.text_input(label, key=key, max_chars=MOST_LETTERS, persist_state="session").strip()
    right.button(
        t("Another sentence"), key=f"another-{name}", icon=":material/shuffle:", width="stretch", on_click=_another, args=(name, samples)
    )
    state.put_in_link({name: words}, {name: usual})
    return words


def _another(name: str, samples: tuple[str, ...]) -> None:
    """The next sample after the one drawn last."""
    noted = f"sample-{name}"
    st.session_state[noted] = st.session_state.get(noted, 7) + 1
    st.session_state[state.knob_key(name)] = samples[st.session_state[noted] % len(samples)]


def shown(token: str) -> str:
    """A token fit to be read, as Markdown: spaces that it carries and characters that are not seen, or turn others around, have a sign each."""
    return plain(UNSEEN.sub(lambda found: f"U+{ord(found[0]):04X}", SPACE.sub("␣", token.removeprefix(JOINER))))


def badge(word: str, colour: str = BLIND) -> str:
    """A word in a frame, as Markdown."""
    return f":{colour}-badge[{shown(word)}]"


def became(given: str, now: str, colour: str) -> str:
    """A word that became another one, or was lost, or came from nowhere (""), as Markdown in a frame."""
    before = f"~~{shown(given)}~~" if given else "\\+"
    return f":{colour}-badge[{' → '.join([before, shown(now)]) if given and now else f'{before} {shown(now)}'.strip()}]"
