"""The recurrent autoencoder: it reads a sentence word by word into one code, and writes the sentence from the code alone."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from aecore.denoise.training import Pace
from aecore.knobs import knob
from aecore.text.tokens import BEGIN, END, PAD, UNKNOWN

CELLS: dict[str, type[nn.LSTM] | type[nn.GRU]] = {"lstm": nn.LSTM, "gru": nn.GRU}
SMALL = 0.1  # spread of the first embeddings
State = Tensor | tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Cells(Pace):
    """The knobs of a run, and of every recurrent network."""

    steps: int = knob(6_000, 1, 1_000_000, log=True, label="Steps", help="How many batches are learnt from.")
    batch: int = knob(64, 1, 512, log=True, label="Batch size", help="Sequences per step.")
    rate: float = knob(2e-3, 1e-6, 1e-1, log=True, label="Learning rate", help="The largest step size of the optimiser.")
    cell: str = knob("lstm", options=tuple(CELLS), label="Cell", help="LSTM: three gates and a memory. GRU: two gates and no memory apart.")
    layers: int = knob(1, 1, 2, label="Recurrent layers", help="Cells on top of one another, on each side.")
    both_ways: bool = knob(True, label="Bidirectional encoder", help="Half of the encoder's units read from the end to the beginning.")
    backwards: bool = knob(
        False, label="Reversed input", help="The encoder reads the sequence from its end, so that it meets the beginning last."
    )
    width: int = knob(256, 8, 1024, log=True, label="Width", help="Units in each recurrent layer.")
    code: int = knob(192, 2, 1024, log=True, label="Code size", help="How many numbers stand for a whole sequence.")


@dataclass(frozen=True)
class SentencePlan(Cells):
    """The knobs of a recurrent autoencoder of sentences."""

    embedding: int = knob(128, 2, 512, log=True, label="Embedding size", help="How many numbers stand for a word.")
    forcing: float = knob(
        1.0,
        0.0,
        1.0,
        label="Teacher forcing",
        help="Share of the words before the next one that the decoder is told as they should be; the others are its own guesses.",
    )
    word_dropout: float = knob(
        0.0, 0.0, 1.0, label="Word dropout", help="Share of the words before the next one that are kept from the decoder."
    )
    mixed: float = knob(
        0.0,
        0.0,
        1.0,
        label="Exchanged words",
        help="Share of the words that are exchanged for any others, so that the code must carry each word and not only likely sentences.",
    )


class Recurrent(nn.Module):
    """One code for a whole sentence: a recurrent encoder writes it, a recurrent decoder reads it and says word after word.

    Sentences ``(B, T)`` are numbers of words, each ending in END and filled up with PAD; codes are ``(B, n)``. The decoder begins in a state made of the
    code, and at each step hears the word before and, added to it, what the code says. Words go in and out by the same embedding.
    Sources: Sutskever, Vinyals and Le (2014), https://arxiv.org/abs/1409.3215; Dai and Le (2015), https://arxiv.org/abs/1511.01432
    (autoencoder); Press and Wolf (2017), https://arxiv.org/abs/1608.05859 (one embedding).
    """

    Plan: ClassVar[type[SentencePlan]] = SentencePlan

    def __init__(self, words: int, plan: SentencePlan) -> None:
        super().__init__()
        self.plan = plan
        self.embedding = nn.Embedding(words, plan.embedding)
        self.encoder, read = encoder(plan, plan.embedding)
        self.code = nn.Linear(read, self.written())
        self.start = nn.Linear(plan.code, plan.layers * plan.width * (2 if plan.cell == "lstm" else 1))
        self.always = nn.Linear(plan.code, plan.embedding)
        self.decoder = CELLS[plan.cell](plan.embedding, plan.width, plan.layers, batch_first=True)
        self.output = nn.Linear(plan.width, plan.embedding)
        self.usual = nn.Parameter(torch.zeros(words))

    def written(self) -> int:
        """How many values the encoder writes."""
        return self.plan.code

    def encode(self, sentences: Tensor) -> Tensor:
        """Sentences ``(B, T)`` to plain codes ``(B, n)``."""
        return self.code(self.read(sentences))

    def read(self, sentences: Tensor) -> Tensor:
        """Sentences to the encoder's last state ``(B, width)``."""
        lengths = (sentences != PAD).sum(1)
        if self.plan.backwards:
            sentences = backwards(sentences, lengths)
        return last(run(self.encoder, self.embedding(sentences), lengths)[1], self.plan.both_ways)

    def scores(self, code: Tensor, sentences: Tensor, heard: Tensor) -> Tensor:
        """Logits ``(N, words)`` of each word of ``sentences``, sentence by sentence without their fillings; ``heard`` as from :func:`before`."""
        outputs, _ = run(self.decoder, self.embedding(heard) + self.always(code)[:, None], (sentences != PAD).sum(1), self.first(code))
        return self.logits(unfilled(outputs, sentences))

    def logits(self, outputs: Tensor) -> Tensor:
        """The decoder's outputs ``(N, width)`` to logits ``(N, words)``."""
        return functional.linear(self.output(outputs), self.embedding.weight, self.usual)

    def first(self, code: Tensor) -> State:
        """The state in which the decoder begins."""
        states = self.start(code).tanh().view(len(code), -1, self.plan.layers, self.plan.width).permute(1, 2, 0, 3).contiguous()
        return (states[0], states[1]) if self.plan.cell == "lstm" else states[0]

    def loss(self, given: Tensor, target: Tensor, rng: torch.Generator, step: int) -> dict[str, Tensor]:
        """Named terms whose sum is minimised: what ``given`` is read, ``target`` should come out. ``step`` of the run is for those that change."""
        return {"reconstruction": self.distance(self.encode(given), target, rng)}

    def distance(self, code: Tensor, target: Tensor, rng: torch.Generator) -> Tensor:
        """Cross-entropy in nats per word, the END counted."""
        return functional.cross_entropy(self.scores(code, target, self.heard(code, target, rng)).float(), unfilled(target, target))

    def heard(self, code: Tensor, target: Tensor, rng: torch.Generator) -> Tensor:
        """What the decoder hears while it learns: the words before, some of them its own guesses or nothing.

        The guesses come from one pass over the true words, without slopes, so that the cells still run as one.
        Sources: Bengio et al. (2015), https://arxiv.org/abs/1506.03099; Duckworth et al. (2019), https://arxiv.org/abs/1906.04331 (one pass);
        Bowman et al. (2016), https://arxiv.org/abs/1511.06349 (word dropout).
        """
        heard = before(target)
        if self.plan.forcing < 1:
            with torch.no_grad():
                guess = torch.full_like(target, PAD)
                guess[target != PAD] = self.scores(code, target, heard).argmax(1)
            own = torch.rand(target.shape, generator=rng) >= self.plan.forcing
            heard = torch.where(own, before(guess), heard)
        if self.plan.word_dropout:
            kept = torch.rand(target.shape, generator=rng) >= self.plan.word_dropout
            heard = torch.where(kept | (heard == BEGIN), heard, UNKNOWN)
        return heard

    @torch.no_grad()
    def generate(self, code: Tensor, longest: int) -> Tensor:
        """Codes ``(B, n)`` to sentences ``(B, T)`` of at most ``longest`` words, the likeliest word each time; END and PAD as everywhere."""
        state, always = self.first(code), self.always(code)
        word = torch.full((len(code),), BEGIN)
        ended = torch.zeros(len(code), dtype=torch.bool)
        words: list[Tensor] = []
        while len(words) <= longest and not bool(ended.all()):
            output, state = self.decoder((self.embedding(word) + always)[:, None], state)
            word = self.logits(output[:, 0])[:, END:].argmax(1) + END if len(words) < longest else torch.full_like(word, END)
            words.append(word.masked_fill(ended, PAD))
            ended |= word == END
        return torch.stack(words, 1)

    def initialise(self, rng: torch.Generator) -> None:
        """Draw all weights from ``rng``."""
        initialise(self, rng)


def unfilled(values: Tensor, sentences: Tensor) -> Tensor:
    """What there is for each word, ``(B, T, ...)`` to ``(N, ...)``, sentence by sentence without their fillings."""
    words = sentences != PAD
    return values.flatten(0, 1) if bool(words.all()) else values[words]


def encoder(plan: Cells, inputs: int) -> tuple[nn.LSTM | nn.GRU, int]:
    """The cells that read, and how many values their last state has."""
    ways = 2 if plan.both_ways else 1
    cells = CELLS[plan.cell](inputs, plan.width // ways, plan.layers, batch_first=True, bidirectional=plan.both_ways)
    return cells, plan.width // ways * ways


def run(cells: nn.LSTM | nn.GRU, x: Tensor, lengths: Tensor, state: State | None = None) -> tuple[Tensor, State]:
    """Outputs ``(B, T, n)`` and the last state of each sequence; where lengths differ they are packed, so that fillings cost nothing."""
    if bool((lengths == x.shape[1]).all()):
        return cells(x, state)  # type: ignore[arg-type]
    outputs, final = cells(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False), state)  # type: ignore[arg-type]
    return pad_packed_sequence(outputs, batch_first=True, total_length=x.shape[1])[0], final


def last(state: State, both_ways: bool) -> Tensor:
    """The top layer's last output ``(B, width)``, of both directions beside each other."""
    outputs = state[0] if isinstance(state, tuple) else state
    return torch.cat((outputs[-2], outputs[-1]), 1) if both_ways else outputs[-1]


def before(sentences: Tensor) -> Tensor:
    """The word before each one: BEGIN, then all but the last."""
    return functional.pad(sentences, (1, -1), value=BEGIN)


def backwards(sequences: Tensor, lengths: Tensor) -> Tensor:
    """Each of the sequences ``(B, T)`` from its end, its filling still behind."""
    places = torch.arange(sequences.shape[1])
    return sequences.gather(1, torch.where(places < lengths[:, None], lengths[:, None] - 1 - places, places))


def initialise(network: nn.Module, rng: torch.Generator) -> None:
    """Draw all weights from ``rng``: embeddings small and normal, the rest uniform by their inputs; forget gates begin open."""
    for module in network.modules():
        if isinstance(module, nn.Embedding | nn.EmbeddingBag):
            nn.init.normal_(module.weight, std=SMALL, generator=rng)
        elif isinstance(module, nn.Linear):
            bound = module.in_features**-0.5
            nn.init.uniform_(module.weight, -bound, bound, generator=rng)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LSTM | nn.GRU):
            for name, weight in module.named_parameters():
                bound = module.hidden_size**-0.5
                nn.init.uniform_(weight, -bound, bound, generator=rng)
                if isinstance(module, nn.LSTM) and name.startswith("bias_ih"):
                    weight.data[module.hidden_size : 2 * module.hidden_size] = 1.0
    for name, parameter in network.named_parameters():
        if name == "usual":
            nn.init.zeros_(parameter)
