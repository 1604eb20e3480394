"""Words that should lie near one another, and analogies, from the grammars' lists: nothing here has seen a model."""

import random
from collections.abc import Container
from dataclasses import dataclass
from itertools import combinations, permutations

from aecore.data.grammar import Grammar, grammar
from aecore.data.inflection import Agreement, Noun
from aecore.text.tokens import Tokens

MOST = 60
"""Pairs of one kind at most, so that large kinds do not outvote small ones."""
VERBS = "verbs"
PERSONS = (Agreement(), Agreement(plural=True), Agreement(person=1))


@dataclass(frozen=True)
class Pair:
    """Two words that are of the same ``kind``, or ("" for the kind) that no kind has in common."""

    first: str
    second: str
    kind: str

    @property
    def alike(self) -> bool:
        """Whether a kind has them in common."""
        return bool(self.kind)


@dataclass(frozen=True)
class Analogy:
    """``first`` is to ``second`` as ``third`` is to ``fourth``, in one respect: gender, number, past, person, capital."""

    first: str
    second: str
    third: str
    fourth: str
    respect: str


def kinds(language: str) -> dict[str, tuple[str, ...]]:
    """The single words of each kind of ``language``, as they stand in its sentences: weekdays, colours, ...; "verbs NAME" are one verb's forms."""
    rules = grammar(language)
    found = {kind: _words(rules, names.split()) for kind, names in rules.alike.items()}
    verbs = sorted({word.split()[0] for word in rules.verbs})
    return found | {f"{VERBS} {verb}": _forms(rules, verb) for verb in verbs}


def word_pairs(language: str, known: Container[str], tokens: Tokens | None = None, seed: int = 0) -> list[Pair]:
    """Pairs of one kind, at most ``MOST`` of each, and as many drawn by ``seed`` that no kind has in common.

    Only words ``known`` to the model, as ``tokens`` writes them, take part. Each pair comes once.
    """
    rng = random.Random(seed)
    groups = {kind: [word for word in _written(words, tokens) if word in known] for kind, words in kinds(language).items()}
    together = {frozenset(pair) for words in groups.values() for pair in combinations(words, 2)}
    pairs: dict[frozenset[str], Pair] = {}
    for kind, words in groups.items():
        every = list(combinations(words, 2))
        for first, second in rng.sample(every, min(MOST, len(every))):
            pairs.setdefault(frozenset((first, second)), Pair(first, second, kind))
    words = sorted({word for group in groups.values() for word in group})
    apart = [pair for pair in combinations(words, 2) if frozenset(pair) not in together]
    return [*pairs.values(), *(Pair(*pair, "") for pair in rng.sample(apart, min(len(pairs), len(apart))))]


def analogies(language: str, known: Container[str], tokens: Tokens | None = None) -> list[Analogy]:
    """All analogies that the lists of ``language`` support with words ``known`` to the model, as ``tokens`` writes them."""
    found: list[Analogy] = []
    for respect, text in grammar(language).analogies.items():
        pairs = [_written(pair.split(), tokens) for pair in text.split(", ")]
        both = [(one, other) for one, other in pairs if one in known and other in known]
        found += [Analogy(*one, *other, respect) for one, other in permutations(both, 2)]
    return found


def _words(rules: Grammar, names: list[str]) -> tuple[str, ...]:
    entries = [entry for name in names for entry in rules.words[name]]
    texts = [entry.text if isinstance(entry, Noun) else entry.removeprefix("=") for entry in entries]
    return tuple(dict.fromkeys(text for text in texts if " " not in text))


def _forms(rules: Grammar, verb: str) -> tuple[str, ...]:
    forms = [rules.rules.verb(verb, tense, person) for tense in ("present", "past", "inf") for person in PERSONS]
    return tuple(dict.fromkeys(form for form in forms if " " not in form))


def _written(words: tuple[str, ...] | list[str], tokens: Tokens | None) -> list[str]:
    """Words as the tokeniser writes them, without the mark of a capital."""
    return [tokens.split(word)[-1] for word in words] if tokens else list(words)
