"""Ways to damage a sentence, and how much of the damage is left."""

import random
from collections.abc import Callable, Sequence

from aecore.text.tokens import graphemes

Damage = Callable[[str, float, random.Random], str]
ALPHABET = "abcdefghijklmnopqrstuvwxyz"
"""What replaced letters become."""


def dropped_letters(sentence: str, rate: float, rng: random.Random) -> str:
    """Each letter is missing with probability ``rate``."""
    return _letters(sentence, rate, rng, ("drop",))


def swapped_letters(sentence: str, rate: float, rng: random.Random) -> str:
    """Each letter changes places with the next letter of its word with probability ``rate``."""
    return _letters(sentence, rate, rng, ("swap",))


def doubled_letters(sentence: str, rate: float, rng: random.Random) -> str:
    """Each letter stands twice with probability ``rate``."""
    return _letters(sentence, rate, rng, ("double",))


def replaced_letters(sentence: str, rate: float, rng: random.Random) -> str:
    """Each letter is another one of ``ALPHABET`` with probability ``rate``."""
    return _letters(sentence, rate, rng, ("replace",))


def mixed_letters(sentence: str, rate: float, rng: random.Random) -> str:
    """Each letter is dropped, swapped, doubled or replaced with probability ``rate``, all four as likely."""
    return _letters(sentence, rate, rng, ("drop", "swap", "double", "replace"))


def dropped_words(sentence: str, rate: float, rng: random.Random) -> str:
    """Each word is missing with probability ``rate``; at least one word stays. Words here are what spaces part."""
    words = sentence.split(" ")
    return " ".join([word for word in words if rng.random() >= rate] or [rng.choice(words)])


def swapped_words(sentence: str, rate: float, rng: random.Random) -> str:
    """Each word changes places with the next with probability ``rate``."""
    words = sentence.split(" ")
    place = 0
    while place + 1 < len(words):
        if rng.random() < rate:
            words[place : place + 2] = words[place + 1], words[place]
            place += 1
        place += 1
    return " ".join(words)


def doubled_words(sentence: str, rate: float, rng: random.Random) -> str:
    """Each word stands twice with probability ``rate``."""
    return " ".join(f"{word} {word}" if word and rng.random() < rate else word for word in sentence.split(" "))


def shuffled_words(sentence: str, rate: float, rng: random.Random) -> str:
    """A share ``rate`` of the words, drawn at random, change places among themselves: 1 shuffles all."""
    words = sentence.split(" ")
    places = rng.sample(range(len(words)), round(rate * len(words)))
    moved = dict(zip(sorted(places), [words[place] for place in places], strict=True))
    return " ".join(moved.get(place, word) for place, word in enumerate(words))


DAMAGES: dict[str, Damage] = {
    "mixed-letters": mixed_letters,
    "dropped-letters": dropped_letters,
    "swapped-letters": swapped_letters,
    "doubled-letters": doubled_letters,
    "replaced-letters": replaced_letters,
    "dropped-words": dropped_words,
    "swapped-words": swapped_words,
    "doubled-words": doubled_words,
    "shuffled-words": shuffled_words,
}


def distance(output: Sequence[str], target: Sequence[str]) -> int:
    """Levenshtein distance: the least number of items to insert, leave out or replace so that one becomes the other.

    One column of the table is two whole numbers, a bit for each item. Source: Hyyrö (2003), after Myers (1999),
    https://doi.org/10.1145/316542.316550.
    """
    if not output:
        return len(target)
    places: dict[str, int] = {}
    for place, item in enumerate(output):
        places[item] = places.get(item, 0) | 1 << place
    full, last = (1 << len(output)) - 1, 1 << len(output) - 1
    up, down, score = full, 0, len(output)
    for item in target:
        here = places.get(item, 0)
        diagonal = (((here & up) + up) ^ up) | here | down
        rising, falling = down | ~(diagonal | up) & full, up & diagonal
        score += bool(rising & last) - bool(falling & last)
        rising = rising << 1 | 1
        up, down = (falling << 1 | ~(diagonal | rising)) & full, rising & diagonal & full
    return score


def letter_error_rate(outputs: Sequence[str], targets: Sequence[str]) -> float:
    """Letters to mend in ``outputs``, over the letters in ``targets``: 0 for perfect copies, above 1 where much is too much."""
    pairs = [(graphemes(output), graphemes(target)) for output, target in zip(outputs, targets, strict=True)]
    return sum(distance(*pair) for pair in pairs) / max(1, sum(len(target) for _, target in pairs))


def _letters(sentence: str, rate: float, rng: random.Random, kinds: Sequence[str]) -> str:
    letters = graphemes(sentence)
    damaged: list[str] = []
    place = 0
    while place < len(letters):
        letter = letters[place]
        place += 1
        if not letter[0].isalpha() or rng.random() >= rate:
            damaged.append(letter)
            continue
        kind = rng.choice(kinds)
        if kind == "replace":
            other = rng.choice([each for each in ALPHABET if each != letter.lower()])
            damaged.append(other.upper() if letter.isupper() else other)
        elif kind == "double":
            damaged += letter, letter
        elif kind == "swap" and place < len(letters) and letters[place][0].isalpha():
            damaged += letters[place], letter
            place += 1
        elif kind == "swap":
            damaged.append(letter)
    return "".join(damaged)
