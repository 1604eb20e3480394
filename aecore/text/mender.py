"""Mends damaged words: each is read by its letters and beside its neighbours, through a code of its own."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from aecore.knobs import knob
from aecore.text import network
from aecore.text.network import Cells, encoder, run
from aecore.text.tokens import Tokens

LETTERS = 16
"""Of a word that are read; a longer word is read by its beginning."""
GROUPS = 8192
"""Numbers that groups of letters are known by; two groups may share one."""
PRIMES = (1, 31, 1009, 65_599)
EDGE = 1  # stands before the first letter and after the last
LOST = 2  # stands in the place of a word of which no letter is left


@dataclass(frozen=True)
class MenderPlan(Cells):
    """The knobs of a mender."""

    both_ways: bool = knob(True, label="Bidirectional encoder", help="Half of the encoder's units read from the end to the beginning.")
    code: int = knob(96, 2, 1024, log=True, label="Code size", help="How many numbers stand for each word in its place.")
    embedding: int = knob(96, 2, 512, log=True, label="Embedding size", help="How many numbers stand for a group of letters.")
    noise: float = knob(0.1, 0.0, 0.5, label="Letter noise", help="Share of the letters that are lost, swapped, doubled or replaced.")


class Mender(nn.Module):
    """Damaged letters go in, whole words come out: a code for each word, made of its letters and of the words around it.

    A sentence is ``(B, T, LETTERS)`` code points, 0 where no letter is. A word is the sum of its letters, pairs (neighbours, and with one letter left out)
    and triples, each hashed to a number, so that most of them survive a slip. A recurrent network reads these sums in both directions.
    Sources: Bojanowski et al. (2017), https://arxiv.org/abs/1607.04606 (hashed groups of letters); Sakaguchi et al. (2017),
    https://arxiv.org/abs/1608.02214 (mending words by a recurrent network).
    """

    Plan: ClassVar[type[MenderPlan]] = MenderPlan

    def __init__(self, words: int, plan: MenderPlan) -> None:
        super().__init__()
        self.plan = plan
        self.groups = nn.EmbeddingBag(GROUPS, plan.embedding, mode="sum", padding_idx=0)
        self.word = nn.Linear(plan.embedding, plan.embedding)
        self.encoder, read = encoder(plan, plan.embedding)
        self.code = nn.Linear(read + plan.embedding, plan.code)
        self.output = nn.Linear(plan.code, words)

    def encode(self, letters: Tensor) -> Tensor:
        """Sentences ``(B, T, LETTERS)`` to a code for each word ``(B, T, n)``."""
        count, length, _ = letters.shape
        bags = groups(letters.flatten(0, 1))
        words = self.word(self.groups(bags).relu()).relu().view(count, length, -1)
        around, _ = run(self.encoder, words, (letters[..., 0] != 0).sum(1))
        return self.code(torch.cat((around, words), 2))

    def forward(self, letters: Tensor) -> Tensor:
        """Sentences ``(B, T, LETTERS)`` to logits ``(B, T, words)``."""
        return self.output(self.encode(letters).relu())

    def loss(self, given: Tensor, target: Tensor, rng: torch.Generator, step: int) -> dict[str, Tensor]:
        """Cross-entropy of each whole word in nats; ``target`` ``(B, T)`` is 0 where no word is."""
        there = target != 0
        return {"reconstruction": functional.cross_entropy(self.output(self.encode(given)[there].relu()).float(), target[there])}

    def initialise(self, rng: torch.Generator) -> None:
        """Draw all weights from ``rng``."""
        network.initialise(self, rng)


def pieces(tokens: Tokens, sentence: str) -> list[str]:
    """The words of a damaged sentence; an empty one where two spaces tell of a word lost altogether."""
    found: list[str] = []
    for token in tokens.split(sentence):
        bare = token.lstrip()
        found += [bare] if bare == token else ["", bare] if bare else []
    return found


def spelt(words: list[list[str]]) -> Tensor:
    """Sentences as words to code points ``(B, T, LETTERS)``, filled up with 0."""
    longest = max(len(each) for each in words)
    rows = [[_row(word) for word in sentence] + [[0] * LETTERS] * (longest - len(sentence)) for sentence in words]
    return torch.tensor(rows, dtype=torch.int64)


def _row(word: str) -> list[int]:
    points = [ord(letter) for letter in word[:LETTERS]] or [LOST]
    return points + [0] * (LETTERS - len(points))


def groups(letters: Tensor) -> Tensor:
    """Words ``(N, LETTERS)`` to the numbers of their groups of letters ``(N, G)``, 0 where none is."""
    length = (letters != 0).sum(1, keepdim=True)
    edged = functional.pad(letters, (1, 1)).scatter(1, length + 1, EDGE)
    edged[:, 0] = EDGE
    found = []
    for kind, shifts in enumerate(((0,), (0, 1), (0, 2), (0, 1, 2))):
        width = edged.shape[1] - shifts[-1]
        parts = [edged[:, shift : shift + width] for shift in shifts]
        number = sum((part * prime for part, prime in zip(parts, PRIMES, strict=False)), torch.zeros((), dtype=torch.int64))
        mixed = (number * 2_654_435_761 + kind * 97_531).remainder(2**31) // 64 % (GROUPS - 1) + 1
        found.append(torch.where(parts[-1] != 0, mixed, 0))
    return torch.cat(found, 1)
