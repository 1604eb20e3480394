"""What the grammars know of a noun, and what verbs and adjectives agree with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Noun:
    """A noun or pronoun; ``plural`` is empty where the rule makes it, ``gender`` "m", "f" or "" for either."""

    text: str
    plural: str
    gender: str
    person: int
    mass: bool
    """Not counted, as bread."""
    many: bool
    """Plural only, as scissors."""
    proper: bool
    """Takes no article, as Maria."""


@dataclass(frozen=True)
class Agreement:
    """Person, number and gender."""

    person: int = 3
    plural: bool = False
    gender: str = "m"
