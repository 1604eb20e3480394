"""What recurrent autoencoders learn from: sentences in batches of like length, damaged letters, windows of a series; and the loop."""

import random
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from aecore.data.registry import Progress
from aecore.denoise import training as denoise
from aecore.refusal import Refused
from aecore.text.damage import DAMAGES, letter_error_rate
from aecore.text.measures import padded, recall, worded
from aecore.text.mender import Mender, MenderPlan, pieces, spelt
from aecore.text.network import Recurrent, SentencePlan
from aecore.text.series import SeriesRecurrent
from aecore.text.tokens import END, PAD, UNKNOWN, Tokens, Vocabulary
from aecore.text.uses import Taught, mend
from aecore.text.variants import DenoisingPlan, Variational, divergence, find

MOST_WORDS = 4_000
"""Of a text that get an embedding of their own, unless a vocabulary is given; the rarest are unknown words."""
LEAST = 20
"""Sentences that a run needs."""
LONGEST = 64
"""Words of a sentence that are learnt from, at most."""
MEASURED = 1_000  # sentences held out that figures are of, at most
SENTENCES_BETWEEN_REPORTS = 500
SHORT = 10  # words of a sentence that counts as short
STRANGE = 0.04  # share of the words that a mender meets as letters at random, to learn what to leave alone
WORD_DAMAGES = ("dropped-words", "swapped-words", "doubled-words")
Network = TypeVar("Network", bound=nn.Module)


class Sentences:
    """Sentences to learn from, sorted by their number of words, and those held out."""

    def __init__(
        self,
        variant: str,
        plan: SentencePlan,
        vocabulary: Vocabulary,
        train: Sequence[str],
        held: Sequence[str],
        progress: Progress | None = None,
    ) -> None:
        self.variant, self.plan, self.vocabulary = variant, plan, vocabulary
        self.rows = sorted((self.row(each) for each in told(enough(train), progress)), key=len)
        self.held = [self.row(each) for each in held[:MEASURED]]
        self.lengths = torch.tensor([len(each) for each in self.rows])
        self.counted = worded(vocabulary)
        self.wordy = self.counted.nonzero().flatten() if self.counted.any() else torch.tensor([UNKNOWN])

    def row(self, sentence: str) -> Tensor:
        """A sentence's ids ``(T,)``, END last; one of too many words is cut."""
        return torch.tensor([*self.vocabulary.encode(sentence)[:LONGEST], END])

    def network(self) -> Recurrent:
        """An untaught network, its weights drawn from the plan's seed."""
        model = find(self.variant).model(len(self.vocabulary), self.plan)  # type: ignore[arg-type]
        model.initialise(torch.Generator().manual_seed(self.plan.seed))
        assert isinstance(model, Recurrent)
        return model

    def batch(self, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """What is read and what should come out, ``(batch, T)`` each; the sentences are of one length, or nearly so."""
        places = alike(self.lengths, self.plan.batch, rng)
        target = padded([self.rows[place] for place in places])
        if self.plan.mixed:
            any_word = self.wordy[torch.randint(len(self.wordy), target.shape, generator=rng)]
            target = torch.where(self.counted[target] & (torch.rand(target.shape, generator=rng) < self.plan.mixed), any_word, target)
        if not isinstance(self.plan, DenoisingPlan):
            return target, target
        source = random.Random(int(torch.randint(2**31, (), generator=rng)))
        texts = [self.vocabulary.decode(row) for row in target.tolist()]
        damaged = [DAMAGES[source.choice(WORD_DAMAGES)](each, self.plan.damage, source) for each in texts]
        return padded([self.row(each) for each in damaged]), target

    def measure(self, model: Recurrent) -> dict[str, float]:
        """Shares of the words and sentences held out that come back, running free, of all and of short ones; of words when the truth is told."""
        free = recall(model, self.held, self.counted)
        short = free.up_to(SHORT)
        found = {
            "words": free.total.words,
            "sentences": free.total.exact,
            f"words_to_{SHORT}": short.words,
            f"sentences_to_{SHORT}": short.exact,
            "words_forced": recall(model, self.held, self.counted, forced=True).total.words,
        }
        if isinstance(model, Variational):
            found["divergence"], found["active"] = divergence(model, padded(self.held))
        return found


class Letters:
    """Sentences whose letters are damaged: what is learnt from by a mender."""

    def __init__(self, plan: MenderPlan, vocabulary: Vocabulary, train: Sequence[str], held: Sequence[str]) -> None:
        self.variant, self.plan, self.vocabulary = "mender", plan, vocabulary
        tokens = vocabulary.tokens
        self.texts = sorted(enough(train), key=lambda each: len(tokens.split(each)))
        self.words = [tokens.split(each)[:LONGEST] for each in self.texts]
        self.rows = [torch.tensor(vocabulary.encode(each)[:LONGEST]) for each in self.texts]
        self.lengths = torch.tensor([len(each) for each in self.rows])
        self.held = list(held[:MEASURED])

    def network(self) -> Mender:
        """An untaught network, its weights drawn from the plan's seed."""
        model = Mender(len(self.vocabulary), self.plan)
        model.initialise(torch.Generator().manual_seed(self.plan.seed))
        return model

    def batch(self, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Damaged letters ``(B, T, LETTERS)`` and whole words ``(B, T)``; damage between none and twice the plan's, a few words beyond recognition.

        Sentences in which damage made one word of two, or two of one, are left whole.
        """
        source = random.Random(int(torch.randint(2**31, (), generator=rng)))
        given, target = [], []
        for place in alike(self.lengths, self.plan.batch, rng):
            whole, row = self.words[place], self.rows[place].clone()
            rate = 2 * self.plan.noise * source.random()
            words = pieces(self.vocabulary.tokens, DAMAGES["mixed-letters"](self.texts[place], rate, source))
            words = words[:LONGEST] if len(words) == len(whole) or len(whole) == LONGEST <= len(words) else list(whole)
            for spot, word in enumerate(whole):
                if word.isalpha() and source.random() < STRANGE:
                    words[spot] = "".join(source.choices("aabcdeefghiijlmnooprsttuuvxyz", k=source.randint(2, 10)))
                    row[spot] = UNKNOWN
            given.append(words)
            target.append(row)
        return spelt(given), padded(target)

    def measure(self, model: Mender) -> dict[str, float]:
        """Letter error rates of the sentences held out, damaged at the plan's rate (the damage is always the same): before and after mending."""
        source = random.Random(self.plan.seed)
        damaged = [DAMAGES["mixed-letters"](each, self.plan.noise, source) for each in self.held]
        taught = Taught("mender", model, self.vocabulary)
        whole = [each.sentence for each in mend(taught, self.held)]
        return {
            "damage": letter_error_rate(damaged, self.held),
            "left": letter_error_rate([each.sentence for each in mend(taught, damaged)], self.held),
            "done": letter_error_rate(whole, self.held),
        }


class Subject(denoise.Subject[Network], Protocol[Network]):
    """What is taught, as the loop of the denoisers has it."""


class Lessons(denoise.Lessons[Network], Generic[Network]):
    """One run: the same loop, each network's own terms."""

    def __init__(self, subject: denoise.Subject[Network], checkpoint: bytes = b"", device: str = "cpu") -> None:
        self.tokens = 0
        """Read and written in this part of the run."""
        self.terms: dict[str, float] = {}
        """Of the last step."""
        super().__init__(subject, checkpoint, device)

    def loss(self, rng: torch.Generator) -> Tensor:
        """The sum of the network's terms."""
        given, target = self.subject.batch(rng)
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            terms = self.model.loss(given, target, rng, self.progress.step)  # type: ignore[operator]
        self.terms = {name: value.item() for name, value in terms.items()}
        self.tokens += int((target != PAD).sum())
        return torch.stack(list(terms.values())).sum()


def alike(lengths: Tensor, count: int, rng: torch.Generator) -> list[int]:
    """Places of ``count`` sequences of about the same length, drawn with replacement; ``lengths`` ``(N,)`` are sorted.

    First a sequence is drawn, then others of its length; where these are fewer than ``count``, the nearest count too.
    """
    drawn = int(torch.randint(len(lengths), (), generator=rng))
    low, high = (int(torch.searchsorted(lengths, lengths[drawn], right=right)) for right in (False, True))
    if high - low < count:
        low, high = max(0, drawn - count // 2), min(len(lengths), drawn + count // 2 + 1)
    return torch.randint(low, high, (count,), generator=rng).tolist()


def enough(sentences: Sequence[str]) -> list[str]:
    """Sentences to learn from; ``Refused`` for less than a run needs."""
    found = [each for each in sentences if each.strip()]
    if len(found) < LEAST:
        raise Refused(
            "There are {count} sentences to learn from; at least {least} are needed. Add more text.", count=len(found), least=LEAST
        )
    return found


def told(sentences: Sequence[str], progress: Progress | None, first: float = 0.0, last: float = 1.0) -> Iterator[str]:
    """The sentences, one by one, while ``progress`` goes from ``first`` to ``last``."""
    for place, each in enumerate(sentences):
        if progress and place % SENTENCES_BETWEEN_REPORTS == 0:
            progress(first + (last - first) * place / len(sentences))
        yield each


def subject(
    variant: str,
    knobs: dict[str, object],
    train: Sequence[str],
    held: Sequence[str],
    vocabulary: Vocabulary | None = None,
    progress: Progress | None = None,
) -> Sentences | Letters:
    """What a variant of sentences is taught with; the vocabulary is that of ``train`` unless given. ``Refused`` for knobs that do not fit."""
    model = find(variant).model
    if model is SeriesRecurrent:
        raise Refused("This autoencoder reads numbers, not sentences. Choose another.")
    plan = model.Plan.of(**knobs)
    enough(train)
    capitals = "kept" if isinstance(plan, MenderPlan) else "marked"
    known = vocabulary or Vocabulary.of(told(train, progress, 0.0, 0.5), Tokens("word", capitals), most=MOST_WORDS)
    if isinstance(plan, MenderPlan):
        return Letters(plan, known, train, held)
    assert isinstance(plan, SentencePlan)
    return Sentences(variant, plan, known, train, held, partial(_second_half, progress) if progress else None)


def _second_half(progress: Progress, done: float) -> None:
    progress(0.5 + done / 2)
