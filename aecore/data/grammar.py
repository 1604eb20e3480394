"""Everyday sentences drawn from a grammar: frames with slots, words of a kind that fill them, and a language's agreement.

``files/text-LANGUAGE.toml`` holds the words and frames. A frame such as ``{who} {eat>who} {food.a} [{when}|]`` has slots
``{kind.form}``, slots ``{kind>other}`` for verbs and adjectives that agree with another slot, and ``[one|other]`` choices.
Kinds named in one row of a table are drawn together: the baker with the bakery.
"""

import random
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from aecore.data import grammar_en, grammar_pt
from aecore.data.inflection import Agreement, Noun

FILES = Path(__file__).parent / "files"
LANGUAGES: dict[str, ModuleType] = {"en": grammar_en, "pt_BR": grammar_pt}
COUNT = 16_000
SEED = 1
LONGEST = 12
"""Words of a sentence."""
PATIENCE = 12
"""Sentences in a row that a frame may repeat before it rests."""


@dataclass(frozen=True)
class Slot:
    """A place in a frame: a kind of word or a word itself, the form it takes, the slot it agrees with."""

    kind: str
    form: str
    master: str


@dataclass(frozen=True)
class Choice:
    """Ways to go on, each a list of parts."""

    ways: tuple[tuple[Any, ...], ...]


class Grammar:
    """The words of a language by kind, and its frames by tense."""

    def __init__(self, language: str) -> None:
        self.rules = LANGUAGES[language]
        pages = tomllib.loads((FILES / f"text-{language[:2]}.toml").read_text(encoding="utf-8"))
        self.words: dict[str, tuple[Any, ...]] = {}
        self.verbs: set[str] = {verb for entries in pages["verb"].values() for verb in entries.split(", ")}
        self.table: dict[str, str] = {}
        for sort in ("noun", "verb", "adjective", "word"):
            for kind, entries in pages[sort].items():
                self.words[kind] = tuple(_entry(sort, each) for each in entries.split(", "))
        for header, rows in pages["table"].items():
            columns = list(zip(*(row.split(" | ") for row in rows), strict=True))
            for title, column in zip(header.split(), columns, strict=True):
                sort, kind = title.split(":")
                self.words[kind] = tuple(_entry(sort, each) for each in column)
                self.table[kind] = header
                self.verbs |= set(column) if sort == "verb" else set()
        self.mix = {kind: tuple(ways.split()) for kind, ways in pages["mix"].items()}
        self.frames = [(tense, _parts(frame)) for tenses, frames in pages["frame"].items() for tense in tenses.split() for frame in frames]
        self.alike: dict[str, str] = pages["alike"]
        self.analogies: dict[str, str] = pages["analogy"]

    def draw(self, count: int, seed: int) -> list[str]:
        """Up to ``count`` different sentences, about as many of each frame and tense, in random order."""
        writer = Writer(self, random.Random(seed))
        found: dict[str, None] = {}
        awake = [(tense, parts, [PATIENCE]) for tense, parts in self.frames]
        while awake and len(found) < count:
            for tense, parts, patience in awake:
                sentence = writer.sentence(parts, tense)
                new = sentence not in found and sentence.count(" ") < LONGEST
                patience[0] = PATIENCE if new else patience[0] - 1
                if new:
                    found[sentence] = None
            awake = [each for each in awake if each[2][0]]
        every = list(found)[:count]
        writer.rng.shuffle(every)
        return every


class Writer:
    """Writes one sentence after the other; words of a kind come up about equally often."""

    def __init__(self, grammar: Grammar, rng: random.Random) -> None:
        self.grammar = grammar
        self.rng = rng
        self.decks: dict[str, list[int]] = {}

    def sentence(self, parts: tuple[Any, ...], tense: str) -> str:
        """A frame with its slots filled."""
        flat = self._chosen(parts)
        rows: dict[str, int] = {}
        bound: dict[str, tuple[str, Agreement]] = {}
        for part in flat:
            if isinstance(part, Slot) and not part.master:
                bound[part.kind] = self._filled(part, tense, rows)
        written: list[str] = []
        for part in flat:
            if isinstance(part, str):
                written.append(part)
            elif part.master:
                written.append(self._agreeing(part, tense, bound[part.master][1], rows))
            else:
                written.append(bound[part.kind][0])
        text = re.sub(r" ([.,?!])", r"\1", " ".join(filter(None, written)))
        return text[0].upper() + text[1:]

    def _chosen(self, parts: tuple[Any, ...]) -> list[Any]:
        flat: list[Any] = []
        for part in parts:
            flat += self._chosen(self.rng.choice(part.ways)) if isinstance(part, Choice) else [part]
        return flat

    def _filled(self, slot: Slot, tense: str, rows: dict[str, int]) -> tuple[str, Agreement]:
        kind, form = slot.kind, slot.form
        if kind in self.grammar.mix:
            kind, _, form = self.rng.choice(self.grammar.mix[kind]).partition(".")
        word = self._word(f"{kind}-{tense}" if f"{kind}-{tense}" in self.grammar.words else kind.rstrip("2"), rows, kind.endswith("2"))
        if isinstance(word, Noun):
            text, plural = self.grammar.rules.phrase(word, form)
            return text, Agreement(word.person, plural, word.gender or self.rng.choice("mf"))
        return (self.grammar.rules.verb(word, form, Agreement()) if form else word.removeprefix("=")), Agreement()

    def _agreeing(self, slot: Slot, tense: str, agreement: Agreement, rows: dict[str, int]) -> str:
        kind = slot.kind.rstrip("2")
        word = self._word(kind, rows, slot.kind != kind) if kind in self.grammar.words else kind
        if word.startswith("="):
            return self.grammar.rules.adjective(word[1:], agreement)
        return self.grammar.rules.verb(word, slot.form or tense, agreement)

    def _word(self, kind: str, rows: dict[str, int], second: bool = False) -> Any:
        entries = self.grammar.words[kind]
        table = self.grammar.table.get(kind, kind)
        place = table + "2" * second
        if place not in rows:
            deck = self.decks.setdefault(table, [])
            if not deck or deck[-1] == rows.get(table):  # two of a kind differ
                deck[:] = [each for each in range(len(entries)) if each != rows.get(table)]
                self.rng.shuffle(deck)
            rows[place] = deck.pop()
        return entries[rows[place]]


@cache
def grammar(language: str) -> Grammar:
    """The grammar of "en" or "pt_BR", read once."""
    return Grammar(language)


def sentences(language: str, count: int = COUNT, seed: int = SEED) -> list[str]:
    """Up to ``count`` different sentences in "en" or "pt_BR"; the same ``seed`` gives the same ones."""
    return grammar(language).draw(count, seed)


def _entry(sort: str, text: str) -> Any:
    """A noun from ``singular[/plural] [marks]``; an adjective marked by "=", so that it is not taken for a verb; other words as they are."""
    if sort == "adjective":
        return "=" + text
    if sort != "noun":
        return text
    bare, _, marks = text.partition(" ")
    single, _, plural = bare.partition("/")
    return Noun(
        text=single,
        plural=plural,
        gender=next((each for each in "mf" if each in marks), ""),
        person=next((int(each) for each in "12" if each in marks), 3),
        mass="~" in marks,
        many="+" in marks,
        proper="*" in marks,
    )


def _parts(frame: str) -> tuple[Any, ...]:
    """Texts, slots and choices of a frame."""
    parts: list[Any] = []
    for choice, slot, text in re.findall(r"\[([^\]]*)\]|\{([^}]*)\}|([^\[\]{}]+)", frame):
        if slot:
            head, _, master = slot.partition(">")
            kind, _, form = head.partition(".")
            parts.append(Slot(kind, form, master))
        elif text.strip():
            parts.append(text.strip())
        elif not text:
            parts.append(Choice(tuple(_parts(way) for way in choice.split("|"))))
    return tuple(parts)
