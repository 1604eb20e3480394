"""Who reads and writes on the page Text: the models of a language that come with the lab, or what this session has taught."""

from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from aecore.data.text import CORPORA, corpora, load_text
from aecore.knobs import Choice, Knob
from aecore.text import weights
from aecore.text.tokens import Tokens
from aecore.text.uses import Taught
from pages.ui import forms, state
from pages.ui.i18n import Translator, marked, plain

LABEL, HELP = marked("Sentences"), marked("Those that the models learnt from, drawn from a grammar written for this lab.")
MOST_LETTERS = 300
"""Of a sentence that a visitor writes."""
TOKENS = Tokens()
BLIND = "gray"


MINE = "mine"


@dataclass(frozen=True)
class Reader:
    """Who reads and writes: ``whole`` brings ``sentences`` back, which it has not learnt from, of ``language`` ("" for one's own text)."""

    name: str
    whole: Taught
    sentences: tuple[str, ...]
    language: str

    @property
    def words(self) -> Taught:
        """Whose words and ways between codes are shown: of the lab's the variational one, for its words of a kind lie nearer together."""
        return self.whole if self.name == MINE else shipped(self.name, "-variational")

    def lab(self, t: Translator) -> str:
        """The built-in corpus for what needs one."""
        return next(each.name for each in corpora(self.language or t.language))


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
    with left:
        name = corpus(t)
    mine = state.taught()
    with right:
        if isinstance(mine, Reader) and st.toggle(t("Use what I taught"), key="text-mine"):
            return mine
    return Reader(name, shipped(name, ""), load_text(name).held, CORPORA[name].language)


@lru_cache(maxsize=16)
def _load(name: str) -> Taught:
    return weights.load(name)[0]


def shipped(corpus: str, kind: str) -> Taught:
    """What has learnt a built-in corpus; ``kind`` is "", "-variational", "-bag" or "-mend"."""
    return _load(f"text-{corpus.removeprefix('everyday-')}{kind}")


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


def badge(words: str, colour: str = BLIND) -> str:
    """Words in a frame, as Markdown."""
    return f":{colour}-badge[{plain(words)}]"


def became(given: str, now: str, colour: str) -> str:
    """A word that became another one, or was lost, or came from nowhere (""), as Markdown in a frame."""
    parts = [f"~~{plain(given)}~~"] if given else ["\\+"]
    return f":{colour}-badge[{' → '.join([*parts, plain(now)]) if given and now else ' '.join([*parts, plain(now)]).strip()}]"
