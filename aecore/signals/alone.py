"""Noise out of a signal by learning from that signal alone: nothing else is needed, no clean signal and no other."""

import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from aecore.denoise.tiles import spans
from aecore.signals.network import STEP, SignalDenoiser

GAP = 4
"""Every so many-th sample is hidden at once."""
SHORT = 1 << 14
"""Signals of fewer samples, all channels together, get the smaller network: a large one would learn their noise by heart."""
BATCH, LENGTH = 8, 2048
RATE = 3e-3
MEMORY = 0.98  # of the running mean of the weights, which is what is used
JUDGES = 0.1  # the share of the samples that are never learnt from, so that they tell when learning turns to memorising
JUDGED = 1 << 16  # samples of each channel looked at, at most, to judge
PATIENCE = 250  # steps without a better judgement, after which it ends
OWN_SEED = 7_919  # added to a seed, lest the samples that judge be drawn by the very numbers that made the noise
STEPS, SECONDS = 1500, 45.0
LEARNING = 0.9  # the share of a run that is learning; the rest is mending the whole signal
STEPS_BETWEEN_JUDGEMENTS = 25
SECONDS_BETWEEN_GLIMPSES = 0.3
SHOWN = 1 << 14  # samples of the stretch that is shown, at most
PIECE, OVERLAP = 1 << 17, 1 << 14


@dataclass(frozen=True)
class Glimpse:
    """A run as it stands: ``share`` of it is done; ``loss`` is the mean squared error of hidden samples, by the signal's variance.

    The loss is of samples never learnt from, and cannot fall below the noise's own variance.
    ``output`` ``(C, M)`` is what the best weights so far make of the samples ``stretch``; None while
    the whole is mended. The last glimpse alone has ``result`` ``(C, N)``, the whole signal mended by the weights with the least loss.
    """

    step: int
    share: float
    loss: float
    stretch: slice
    output: Tensor | None = None
    result: Tensor | None = None


def learn(values: Tensor, seed: int = 0, steps: int = STEPS, seconds: float = SECONDS) -> Iterator[Glimpse]:
    """Teach a small autoencoder to guess hidden samples of ``values`` ``(C, N)`` from their neighbours; a few glimpses a second.

    Noise that is new in each sample cannot be guessed, so what is guessed is the signal. It ends after ``steps``, or so
    that all is done in about ``seconds``, or once it only memorises; to stop earlier, stop asking. Without the clock's
    limit the same seed gives the same numbers.
    Sources: Batson and Royer (2019), https://arxiv.org/abs/1901.11365; Krull, Buchholz and Jug (2019), https://arxiv.org/abs/1811.10980.
    """
    began = time.monotonic()
    shown_at = ahead = share = 0.0
    length = values.shape[1]
    lone = _Lone(values, seed)
    middle = max(0, (length - SHOWN) // 2)
    stretch = slice(middle, min(middle + SHOWN, length))
    while share < 1 and lone.steps - lone.best_step < PATIENCE:
        lone.step()
        share = max(lone.steps / steps, (time.monotonic() - began + ahead) / seconds)
        if lone.steps % STEPS_BETWEEN_JUDGEMENTS == 0 or share >= 1:
            judged_at = time.monotonic()
            loss = lone.judge()
            ahead = (time.monotonic() - judged_at) * length / min(length, JUDGED)  # what the whole signal will take
            if time.monotonic() - shown_at > SECONDS_BETWEEN_GLIMPSES:
                yield Glimpse(lone.steps, LEARNING * min(share, 1), loss, stretch, lone.mended(stretch))
                shown_at = time.monotonic()
    result = torch.zeros_like(values)
    pieces = spans(length, PIECE, OVERLAP, STEP)
    for done, (span, weight) in enumerate(pieces, 1):
        result[:, span] += lone.mended(span) * weight
        if done < len(pieces):
            yield Glimpse(lone.steps, LEARNING + (1 - LEARNING) * done / len(pieces), lone.best_loss, stretch)
    yield Glimpse(lone.steps, 1.0, lone.best_loss, stretch, result[:, stretch], result)


class Short(nn.Module):
    """The smaller autoencoder: into eight channels and back, each output sample from 31 around it. No bias."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Conv1d(1, 8, 15, padding=7, bias=False)
        self.code = nn.Conv1d(8, 8, 9, padding=4, bias=False)
        self.decoder = nn.Conv1d(8, 1, 9, padding=4, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Noisy signals ``(B, 1, N)`` to clean ones."""
        return x - self.decoder(functional.relu(self.code(functional.relu(self.encoder(x)))))

    def initialise(self, rng: torch.Generator) -> None:
        """Draw all weights from ``rng``; the decoder begins small, so that the network begins as a copy."""
        for layer in (self.encoder, self.code, self.decoder):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=rng)
        self.decoder.weight.data.mul_(0.1)


class _Lone:
    """The signal at a mean of 0 and a spread of 1 in each channel, and the autoencoder that learns from it."""

    def __init__(self, values: Tensor, seed: int) -> None:
        self.rng = torch.Generator().manual_seed(seed + OWN_SEED)
        self.dtype = values.dtype
        level = values.double()
        self.level, self.spread = level.mean(1, keepdim=True), level.std(1, correction=0, keepdim=True)
        self.signal = ((level - self.level) / self.spread.clamp_min(1e-12)).float()
        self.judges = torch.rand(self.signal.shape, generator=self.rng) < JUDGES
        self.model = Short() if values.numel() < SHORT else SignalDenoiser((32, 48, 64), (1, 1, 2))
        self.model.initialise(self.rng)
        self.mean, self.best = deepcopy(self.model), deepcopy(self.model)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=RATE, fused=True)
        self.steps, self.best_step, self.best_loss = 0, 0, float("inf")

    def step(self) -> None:
        """Learn from a batch of pieces, in each of which every fourth sample is hidden."""
        channels, length = self.signal.shape
        size = min(LENGTH, length)
        targets, hidden, judges = [], [], []
        for _ in range(BATCH):
            channel, start, phase = (int(torch.randint(most, (), generator=self.rng)) for most in (channels, length - size + 1, GAP))
            targets.append(self.signal[channel, start : start + size])
            judges.append(self.judges[channel, start : start + size])
            hidden.append(_hidden(size, phase))
        target, mask = torch.stack(targets)[:, None], torch.stack(hidden)[:, None]
        learnt = mask & ~torch.stack(judges)[:, None]
        loss = ((self.model(_covered(target, mask)) - target).square() * learnt).sum() / learnt.sum().clamp_min(1)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 0.5)
        self.optimiser.step()
        with torch.no_grad():
            for mean, value in zip(self.mean.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(value, 1 - min(MEMORY, (self.steps + 1) / (self.steps + 10)))
        self.steps += 1

    def judge(self) -> float:
        """The loss on samples never learnt from; the weights are kept if it has never been less."""
        part = slice(0, JUDGED)
        error = (self._guessed(self.mean, part) - self.signal[:, part]).square()
        judges = self.judges[:, part]
        loss = float((error * judges).sum() / judges.sum().clamp_min(1))
        if loss < self.best_loss:
            self.best_step, self.best_loss = self.steps, loss
            self.best.load_state_dict(self.mean.state_dict())
        return loss

    def mended(self, part: slice) -> Tensor:
        """The samples ``part`` as the best weights guess them, each without having seen it, in the signal's own unit."""
        return (self._guessed(self.best, part).double() * self.spread + self.level).to(self.dtype)

    @torch.no_grad()
    def _guessed(self, model: nn.Module, part: slice) -> Tensor:
        signal = self.signal[:, None, part]
        guess = torch.zeros_like(signal)
        for phase in range(GAP):
            hidden = _hidden(signal.shape[2], phase)
            guess += model(_covered(signal, hidden)) * hidden
        return guess[:, 0]


def _hidden(length: int, phase: int) -> Tensor:
    """Which samples ``(length,)`` are hidden: every fourth, from ``phase`` on."""
    return torch.arange(length) % GAP == phase


def _covered(signals: Tensor, hidden: Tensor) -> Tensor:
    """Signals ``(B, 1, N)`` with the mean of the two neighbours in place of each hidden sample."""
    if signals.shape[2] < 2:
        return torch.where(hidden, 0, signals)
    around = torch.cat([signals[..., 1:2], signals, signals[..., -2:-1]], 2)
    return torch.where(hidden, (around[..., :-2] + around[..., 2:]) / 2, signals)
