"""Sentences to learn from: what a corpus is, how it is parted, and those that come with the lab."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

from aecore.data import grammar
from aecore.refusal import Refused

VALID_SHARE = HELD_SHARE = 0.05
SEED = 1


@dataclass(frozen=True)
class Corpus:
    """Sentences, each once: ``train`` to learn from, ``valid`` to watch the learning, ``held`` to be looked at once, at the end.

    Two sentences that differ only in capitals, spaces or punctuation are always in the same part. ``language`` is "en",
    "pt_BR" or "" where nobody said.
    """

    name: str
    language: str
    train: tuple[str, ...]
    valid: tuple[str, ...]
    held: tuple[str, ...]
    licence: str
    source: str

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of them."""
        return self.train + self.valid + self.held


@dataclass(frozen=True)
class BuiltIn:
    """What is known about a corpus that comes with the lab before it is made or read by ``sentences``."""

    name: str
    title: str
    about: str
    language: str
    licence: str
    source: str
    sentences: Callable[[], Sequence[str]]


CORPORA: dict[str, BuiltIn] = {}


def corpora(language: str | None = None) -> tuple[BuiltIn, ...]:
    """The built-in corpora, of one ``language`` ("en", "pt_BR") or all; nothing is loaded."""
    return tuple(each for each in CORPORA.values() if language in (None, each.language))


@cache
def load_text(name: str) -> Corpus:
    """A built-in corpus by name, made in well under a second and kept; raises ``Refused`` for an unknown name."""
    if name not in CORPORA:
        raise Refused("There is no text named {name}. Choose one of: {choices}.", name=name[:60], choices=", ".join(CORPORA))
    it = CORPORA[name]
    return parted(it.sentences(), name, it.language, it.licence, it.source)


def parted(sentences: Sequence[str], name: str, language: str = "", licence: str = "", source: str = "", seed: int = SEED) -> Corpus:
    """A corpus of ``sentences``, repeated ones left out; ``VALID_SHARE`` and ``HELD_SHARE`` of it, drawn by ``seed``, are kept aside.

    Each part has at least one sentence if there are three that differ in their words.
    """
    alike: dict[str, list[str]] = {}
    for sentence in dict.fromkeys(sentences):
        alike.setdefault(" ".join(re.findall(r"\w+", sentence.casefold())) or sentence, []).append(sentence)
    keys = list(alike)
    random.Random(seed).shuffle(keys)
    held = max(1, round(HELD_SHARE * len(keys)))
    valid = held + max(1, round(VALID_SHARE * len(keys)))
    cuts = keys[valid:], keys[held:valid], keys[:held]
    train, watched, kept = (tuple(each for key in cut for each in alike[key]) for cut in cuts)
    return Corpus(name, language, train, watched, kept, licence, source)


def _everyday(language: str, title: str, about: str) -> BuiltIn:
    return BuiltIn(
        name=f"everyday-{language[:2]}",
        title=title,
        about=about,
        language=language,
        licence="CC0 1.0",
        source="Written for Autoencoder Lab: a grammar draws the sentences",
        sentences=partial(grammar.sentences, language),
    )


for each in (
    _everyday(
        "pt_BR",
        "Everyday sentences in Portuguese",
        "Short sentences of everyday life in Portuguese, drawn from a grammar written for this lab.",
    ),
    _everyday(
        "en", "Everyday sentences in English", "Short sentences of everyday life in English, drawn from a grammar written for this lab."
    ),
):
    CORPORA[each.name] = each
