"""What recurrent autoencoders of sentences are worth: words that come back in their places, the truth never told on the way."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from aecore.text.network import Recurrent, before
from aecore.text.tokens import PAD, SPECIALS, Vocabulary

AT_ONCE = 500


@dataclass(frozen=True)
class Share:
    """Of ``count`` sentences: the share of ``words`` that came back in their places, and of sentences that came back ``exact``."""

    words: float
    exact: float
    count: int


@dataclass(frozen=True)
class Recall:
    """What came back of sentences, all together and by their number of words. Punctuation marks are no words, but must be right in an exact sentence."""

    total: Share
    by_length: dict[int, Share]

    def up_to(self, most: int) -> Share:
        """The same of sentences of at most ``most`` words."""
        chosen = {length: each for length, each in self.by_length.items() if length <= most}
        count = sum(each.count for each in chosen.values())
        words = sum(each.words * each.count * length for length, each in chosen.items())
        exact = sum(each.exact * each.count for each in chosen.values())
        return Share(words / max(1, sum(each.count * length for length, each in chosen.items())), exact / max(1, count), count)


def padded(rows: Sequence[Tensor]) -> Tensor:
    """Sentences ``(T,)`` of different lengths as one tensor ``(B, T)``, filled up with PAD."""
    return pad_sequence(list(rows), batch_first=True, padding_value=PAD)


def worded(vocabulary: Vocabulary) -> Tensor:
    """Which ids ``(words,)`` are words, not marks of any kind; where tokens are characters, all of them count."""
    marks = vocabulary.tokens.kind == "word"
    return torch.tensor([False] * SPECIALS + [not marks or any(letter.isalnum() for letter in word) for word in vocabulary.words])


@torch.no_grad()
def recall(model: Recurrent, rows: Sequence[Tensor], worded: Tensor, given: Sequence[Tensor] | None = None, forced: bool = False) -> Recall:
    """How much of the sentences ``rows``, each ending in END, comes back from the codes of ``given``, or of themselves.

    The decoder runs free, or, if ``forced``, is told the true word before each. ``worded`` ``(words,)`` says which ids are words, not marks.
    """
    found: list[tuple[int, int, bool]] = []  # of each sentence: words, words right, all right
    order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
    for start in range(0, len(order), AT_ONCE):
        places = order[start : start + AT_ONCE]
        target = padded([rows[place] for place in places])
        code = model.encode(target if given is None else padded([given[place] for place in places]))
        output = spoken(model, code, target) if forced else model.generate(code, target.shape[1])
        right = functional.pad(output, (0, target.shape[1]))[:, : target.shape[1]] == target
        words = worded[target]
        exact = (right | (target == PAD)).all(1)
        found += zip(words.sum(1).tolist(), (words & right).sum(1).tolist(), exact.tolist(), strict=True)
    every = {length: [each[1:] for each in found if each[0] == length] for length in sorted({each[0] for each in found})}
    by_length = {
        length: Share(sum(hits for hits, _ in each) / max(1, length * len(each)), sum(exact for _, exact in each) / len(each), len(each))
        for length, each in every.items()
    }
    parts = Recall(Share(0, 0, 0), by_length)
    return Recall(parts.up_to(max(by_length, default=0)), by_length)


def spoken(model: Recurrent, code: Tensor, target: Tensor) -> Tensor:
    """The likeliest words ``(B, T)`` where the decoder is told the true word before each of ``target``."""
    output = torch.full_like(target, PAD)
    output[target != PAD] = model.scores(code, target, before(target)).argmax(1)
    return output


@torch.no_grad()
def surprise(model: Recurrent, rows: Sequence[Tensor]) -> list[Tensor]:
    """Of each word of each sentence ``(T,)``, END included: minus the logarithm of its probability, in nats, as the decoder reads it from the
    sentence's own code with the true words before."""
    found = []
    for row in rows:
        scores = model.scores(model.encode(row[None]), row[None], before(row[None]))
        found.append(functional.cross_entropy(scores, row, reduction="none"))
    return found
