"""Sentences to tokens, words or characters, and back to the same sentence, space for space."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

from aecore.knobs import Choice
from aecore.refusal import Refused

KINDS = Choice(("word", "character"))
CAPITALS = Choice(("kept", "marked", "lowered"))
CAPITAL = "↑"
"""The token that says: the next one begins with a capital."""
JOINER = "\u2060"
"""Begins a token whose spacing is not what the rule expects and that has no space before it."""
PAD, UNKNOWN, BEGIN, END = range(4)
SPECIALS = 4
GAP = "\N{REPLACEMENT CHARACTER}"
"""Stands in a sentence for a token that the vocabulary does not know."""
MAX_VOCABULARY = 20_000
MAX_TOKEN = 200
"""Characters of one token in a vocabulary from a stranger."""
CLOSING = frozenset(".,;:!?…)]}%»”’")
OPENING = frozenset("([{«“‘¿¡#$")
FIRST_MARK = "\u0300"
"""No character before it joins another."""
NUMBER = r"\d+(?:[.,:]\d+)+(?!\w)"
PLAIN = re.compile(rf"{NUMBER}|\w+(?:['’-]\w+)*|\S")
"""Tokens of a sentence in which no character joins another."""


@dataclass(frozen=True)
class Tokens:
    """How a sentence is cut into tokens; ``join(split(sentence))`` is the sentence again, unless capitals are lowered.

    ``kind`` "character": one token for each character as a reader counts them, marks and joined emoji included.
    ``kind`` "word": words, with the apostrophes and hyphens inside them ("don't", "segunda-feira"), and numbers ("10:30")
    are tokens; every other character is one of its own. Between tokens one space is expected, but none before ``CLOSING``
    and after ``OPENING`` marks. A token that is spaced otherwise carries its spaces with it, or ``JOINER`` for none.
    ``capitals`` "kept": "The" and "the" are two tokens. "marked": "The" is two, ``CAPITAL`` and "the". "lowered": all letters
    become small ones, and stay so.
    """

    kind: str = "word"
    capitals: str = "kept"

    def __post_init__(self) -> None:
        KINDS.check(self.kind, "kind", str)
        CAPITALS.check(self.capitals, "capitals", str)

    def split(self, sentence: str) -> list[str]:
        """The tokens of ``sentence``."""
        tokens = _spaced(sentence) if self.kind == "word" else graphemes(sentence)
        if self.capitals == "kept":
            return tokens
        if self.capitals == "lowered":
            return [each.lower() for each in tokens]
        return [part for each in tokens for part in ((each,) if each[:1].islower() else _marked(each))]

    def join(self, tokens: Iterable[str]) -> str:
        """The sentence of ``tokens``."""
        if self.capitals == "marked":
            tokens = _unmarked(tokens)
        if self.kind == "word":
            return _joined(tokens)
        return "".join(CAPITAL if each == JOINER + CAPITAL else each for each in tokens)


@dataclass(frozen=True)
class Vocabulary:
    """The tokens that a model knows, most frequent first: ``words[i]`` has the id ``i + SPECIALS``."""

    tokens: Tokens
    words: tuple[str, ...]

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of each word."""
        return {word: place for place, word in enumerate(self.words, SPECIALS)}

    @classmethod
    def of(cls, sentences: Iterable[str], tokens: Tokens, least: int = 1, most: int = MAX_VOCABULARY) -> "Vocabulary":
        """Of all tokens that occur at least ``least`` times, the ``most`` frequent ones; of equal counts, the first in the alphabet."""
        counts = Counter(token for sentence in sentences for token in tokens.split(sentence))
        known = sorted((token for token, count in counts.items() if count >= least), key=lambda token: (-counts[token], token))
        if not known:
            raise Refused("No word occurs {least} times. Lower this limit, or add more text.", least=least)
        return cls(tokens, tuple(known[:most]))

    def __len__(self) -> int:
        """Ids in all, special ones included."""
        return SPECIALS + len(self.words)

    def encode(self, sentence: str) -> list[int]:
        """Ids of the sentence's tokens, ``UNKNOWN`` where a token is not known; without ``BEGIN`` and ``END``."""
        return [self.ids.get(token, UNKNOWN) for token in self.tokens.split(sentence)]

    def decode(self, ids: Iterable[int]) -> str:
        """The sentence up to the first ``END``; ``GAP`` for ``UNKNOWN``, nothing for ``PAD`` and ``BEGIN``."""
        return self.tokens.join(self.spell(ids))

    def spell(self, ids: Iterable[int]) -> list[str]:
        """The tokens up to the first ``END``."""
        spelt: list[str] = []
        for each in ids:
            if each == END:
                break
            if each not in (PAD, BEGIN):
                spelt.append(self.words[each - SPECIALS] if each >= SPECIALS else GAP)
        return spelt

    def card(self) -> dict[str, Any]:
        """What a model's card keeps of it, fit for JSON."""
        return {"kind": self.tokens.kind, "capitals": self.tokens.capitals, "words": list(self.words)}

    @classmethod
    def read(cls, card: Any) -> "Vocabulary":
        """From what ``card`` gave, possibly by way of a stranger; raises ``Refused``."""
        card = card if isinstance(card, dict) else {}
        words = card.get("words")
        words = words if isinstance(words, list) and len(words) <= MAX_VOCABULARY else []
        known = {word for word in words if isinstance(word, str) and 0 < len(word) <= MAX_TOKEN}
        if not words or len(known) < len(words):
            raise Refused("The vocabulary in this card is damaged. Ask for the card again.")
        return cls(Tokens(card.get("kind", ""), card.get("capitals", "")), tuple(words))


def graphemes(text: str) -> list[str]:
    """The characters of a text as a reader counts them: with their combining marks, emoji sequences and flags whole.

    A close rule of Unicode's own, https://unicode.org/reports/tr29/: marks, variation selectors, skin tones and Hangul
    vowels join what is before them, the zero width joiner both sides, regional indicators make pairs.
    """
    return _patterns().character.findall(text) if _joins(text) else list(text)


def _joins(text: str) -> bool:
    """Whether some character of a text joins another."""
    return bool(text) and max(text) >= FIRST_MARK and bool(_patterns().joining.search(text))


def _spaced(sentence: str) -> list[str]:
    """Words and marks; those spaced otherwise than expected carry their spaces or ``JOINER``."""
    pattern = _patterns().token if _joins(sentence) else PLAIN
    usual = pattern.findall(sentence)
    if JOINER not in sentence and CAPITAL not in sentence and _joined(usual) == sentence:
        return usual
    tokens: list[str] = []
    end = 0
    before = ""
    for match in pattern.finditer(sentence):
        token, gap = match[0], sentence[end : match.start()]
        literal = token.startswith((JOINER, CAPITAL))
        tokens.append(token if gap == _expected(before, token) and not literal else (gap or JOINER) + token)
        before, end = token, match.end()
    return [*tokens, sentence[end:]] if end < len(sentence) else tokens


def _joined(tokens: Iterable[str]) -> str:
    """The sentence that ``_spaced`` cut."""
    parts: list[str] = []
    before = ""
    for token in tokens:
        bare = token.lstrip() if token[:1].isspace() else token.removeprefix(JOINER)
        parts.append(token.removeprefix(JOINER) if bare != token else _expected(before, token) + token)
        before = bare
    return "".join(parts)


def _expected(before: str, token: str) -> str:
    """The space that the rule puts between two tokens."""
    return "" if not before or token in CLOSING or before in OPENING else " "


def _marked(token: str) -> list[str]:
    """A token that is a capital and small letters as ``CAPITAL`` and small letters; any other as it is."""
    bare = token.lstrip().removeprefix(JOINER)
    small = bare[:1].lower() + bare[1:]
    if small == bare or small != bare.lower() or small[:1].upper() + small[1:] != bare:
        return [JOINER + token if token == CAPITAL else token]
    return [CAPITAL, token[: len(token) - len(bare)] + small]


def _unmarked(tokens: Iterable[str]) -> Iterable[str]:
    """The tokens that ``_marked`` took."""
    waiting = False
    for token in tokens:
        if token == CAPITAL:
            waiting = True
            continue
        bare = token.lstrip().removeprefix(JOINER)
        yield token[: len(token) - len(bare)] + bare[:1].upper() + bare[1:] if waiting else token
        waiting = False


class Patterns(NamedTuple):
    """A ``character`` as a reader counts them; a ``token``: word, number or single character; what is ``joining`` one with another."""

    character: re.Pattern[str]
    token: re.Pattern[str]
    joining: re.Pattern[str]


@cache
def _patterns() -> Patterns:
    """Made of Unicode's tables, once. Beyond U+FFFF a set is searched one by one, so that of a character below is never asked there."""
    marks = {chr(code) for code in (*range(0x300, 0x20000), *range(0xE0100, 0xE01F0)) if unicodedata.category(chr(code))[0] == "M"}
    marks |= {chr(code) for code in (0x200C, *range(0x1F3FB, 0x1F400), *range(0xE0020, 0xE0080), *range(0x1160, 0x1200))}
    near, far = (re.escape("".join(sorted(each for each in marks if (each > "\uffff") == beyond))) for beyond in (False, True))
    mark = f"[{near}]|(?=[\U00010000-\U0010ffff])[{far}]"
    joined = f"{mark}|\u200d[^\\s\\w]?"
    one = f"(?:[\U0001f1e6-\U0001f1ff]{{2}}|.)(?:{joined})*"
    letters = f"(?:\\w++(?:{joined})*+)++"
    return Patterns(
        re.compile(one, re.DOTALL),
        re.compile(f"{NUMBER}|{letters}(?:['’-]{letters})*|(?!\\s){one}", re.DOTALL),
        re.compile(f"{mark}|[\u200d\U0001f1e6-\U0001f1ff]"),
    )
