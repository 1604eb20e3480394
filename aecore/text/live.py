"""A recurrent autoencoder that learns while somebody watches: its losses, what it says of sentences held out, words that find their neighbours."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from aecore.text import embeddings
from aecore.text.measures import padded, recall, worded
from aecore.text.network import Recurrent
from aecore.text.training import Lessons, Letters, Sentences
from aecore.text.uses import Taught, mend, reconstruct
from aecore.text.variants import Variational, divergence

SECONDS_BETWEEN_GLIMPSES = 0.5
SECONDS_BETWEEN_LOOKS = 4.0
"""At what has been learnt."""
LOOKED_AT = 200  # sentences held out
NEAR = 4  # neighbours of each word


@dataclass(frozen=True)
class Glimpse:
    """A run as it stands after ``step`` steps: ``share`` of it is done.

    ``terms`` of the last step, by name, in nats per word; ``per_second``: words learnt from. The rest is of the last look at sentences held out,
    and empty before the first: shares of ``words`` and ``sentences`` that come back running free, of words where the truth is told (``forced``), a few
    ``samples`` (the sentence, what became of it), the ``neighbours`` of the words that are watched; ``divergence`` and ``active`` are the collapse meter of a
    variational one. The last glimpse alone has ``result``.
    """

    step: int
    share: float
    seconds: float
    terms: dict[str, float]
    per_second: float
    words: float | None = None
    sentences: float | None = None
    forced: float | None = None
    samples: tuple[tuple[str, str], ...] = ()
    neighbours: dict[str, tuple[str, ...]] | None = None
    divergence: float | None = None
    active: int | None = None
    result: Taught | None = None


def learn(
    subject: Sentences | Letters,
    held: Sequence[str],
    seconds: float = 60.0,
    watched: Sequence[str] = (),
    show: int = 3,
    enough: Callable[[], bool] | None = None,
) -> Iterator[Glimpse]:
    """Teach, for at most about ``seconds`` of learning; two glimpses a second, a look at the sentences ``held`` every few seconds and at the end.

    Once ``enough`` says so, the present step is the last, and what was learnt is looked at and kept as at any end; to drop it, stop asking.
    Without the clock's limit the same seed gives the same numbers.
    """
    lessons = Lessons(subject)  # type: ignore[arg-type]
    looked = glimpsed = time.monotonic()
    last = Glimpse(0, 0.0, 0.0, {}, 0.0)
    for step in lessons.steps():
        done = lessons.progress
        now = time.monotonic()
        ended = step == subject.plan.steps or done.seconds > seconds or (enough is not None and enough())
        share = max(step / subject.plan.steps, min(1.0, done.seconds / seconds))
        if ended or now - glimpsed > SECONDS_BETWEEN_GLIMPSES:
            last = replace(
                last, step=step, share=share, seconds=done.seconds, terms=lessons.terms, per_second=lessons.tokens / max(done.seconds, 1e-9)
            )
            if ended or now - looked > SECONDS_BETWEEN_LOOKS:
                taught = Taught(subject.variant, lessons.learnt(), subject.vocabulary)
                last = _look(last, taught, subject, held, watched, show)
                looked = time.monotonic()
            yield replace(last, result=taught) if ended else last
            glimpsed = time.monotonic()
        if ended:
            return


def _look(last: Glimpse, taught: Taught, subject: Sentences | Letters, held: Sequence[str], watched: Sequence[str], show: int) -> Glimpse:
    """The glimpse with what the network now makes of sentences held out."""
    if not isinstance(subject, Sentences) or not isinstance(taught.model, Recurrent):
        damaged = list(held[:show])
        return replace(last, samples=tuple(zip(damaged, [each.sentence for each in mend(taught, damaged)], strict=True)))
    rows, counted = subject.held[:LOOKED_AT], worded(subject.vocabulary)
    free, forced = recall(taught.model, rows, counted).total, recall(taught.model, rows, counted, forced=True).total
    known = embeddings.vectors(taught)
    near = {word: tuple(each for each, _ in embeddings.neighbours(known, word, NEAR)) for word in watched if word.lower() in known.words}
    meter = divergence(taught.model, padded(rows)) if isinstance(taught.model, Variational) else (None, None)
    return replace(
        last,
        words=free.words,
        sentences=free.exact,
        forced=forced.words,
        samples=tuple(zip(held[:show], reconstruct(taught, held[:show]), strict=True)),
        neighbours=near,
        divergence=meter[0],
        active=meter[1],
    )
