"""What the core says when it cannot go on: one sentence, with what to do next."""

from functools import partial
from typing import Any


class Refused(ValueError):
    """A clear refusal: a sentence with named gaps, so that an interface can say it in another language.

    ``sentence`` is an English template such as ``"{name} has {count} pictures."``; ``details`` fills its gaps.
    ``str(error)`` is the finished English sentence.
    """

    def __init__(self, sentence: str, **details: object) -> None:
        super().__init__(sentence, details)
        self.sentence = sentence
        self.details = details

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), self.sentence, **self.details), ()  # an exception's own way would lose the gaps' names

    def __str__(self) -> str:
        return self.sentence.format(**self.details)
