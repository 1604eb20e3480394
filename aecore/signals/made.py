"""Signals made by rule, so that anybody can make them again: series to learn from, and tones beside recorded sounds."""

import math

import torch
from torch import Tensor


def series(length: int, rng: torch.Generator) -> Tensor:
    """A series ``(length,)`` as instruments give them, of mean 0 and variance 1: one to three of beats, waves, walks, steps and bumps, added."""
    total = torch.zeros(length)
    for _ in range(int(torch.randint(1, 4, (), generator=rng))):
        part = PARTS[int(torch.multinomial(SHARES, 1, generator=rng))](length, rng)
        total += _level(part) * 10 ** (_between(-1, 0, rng))
    return _level(total)


def tone(length: int, rng: torch.Generator) -> Tensor:
    """A row of notes ``(length,)`` as strings, pipes and voices make them: overtones that die away or swell, some sliding or trembling; variance 1."""
    total = torch.zeros(length)
    for _ in range(int(torch.randint(1, 6, (), generator=rng))):
        start = int(torch.randint(length, (), generator=rng)) if torch.rand((), generator=rng) < 0.7 else 0
        total[start:] += _note(length - start, rng) * 10 ** _between(-1, 0, rng)
    return _level(total)


def _note(length: int, rng: torch.Generator) -> Tensor:
    time = torch.arange(length, dtype=torch.float64)
    frequency = 10 ** _between(-3, -1, rng)  # of the lowest overtone, in turns per sample
    tremble = _between(0, 0.01, rng) * torch.sin(2 * math.pi * 10 ** _between(-4, -3, rng) * time)
    turns = torch.cumsum(frequency * (1 + tremble + _between(-0.1, 0.1, rng) * time / 20_000), 0)
    orders = torch.arange(1, 1 + min(24, int(0.45 / frequency)))
    colour = _between(0.5, 2, rng)  # how fast overtones weaken
    amplitudes = torch.rand(len(orders), generator=rng) / orders**colour
    phases = torch.rand(len(orders), 1, generator=rng)
    waves = torch.sin(2 * math.pi * (orders[:, None] * turns + phases)).float()
    decay = 10 ** _between(-4.5, -2.7, rng) * (1 + _between(0, 0.3, rng) * orders[:, None])
    envelope = torch.exp(-decay * time) * (1 - torch.exp(-time * 10 ** _between(-3, -1, rng)))
    return (amplitudes[:, None] * waves * envelope).sum(0).float()


def _beats(length: int, rng: torch.Generator) -> Tensor:
    """The same few bumps again and again, at nearly equal distances, as a heart's currents are."""
    period = 10 ** _between(1.5, 2.7, rng)
    bumps = int(torch.randint(1, 7, (), generator=rng))
    places, widths = torch.rand(bumps, generator=rng), 10 ** (-2.2 + 1.4 * torch.rand(bumps, generator=rng))
    heights = torch.randn(bumps, generator=rng) * (0.02 / widths).sqrt().clamp(0.2, 3)
    lengths = period * (1 + _between(0, 0.1, rng) * torch.randn(int(length / period) + 3, generator=rng)).clamp(0.5, 1.5)
    starts = torch.cumsum(lengths, 0) - period * (1 + _between(0, 1, rng))
    phase = torch.arange(length)
    beat = (torch.bucketize(phase, starts) - 1).clamp_min(0)
    phase = ((phase - starts[beat]) / period)[:, None]
    loud = 1 + 0.1 * torch.randn(len(starts), 1, generator=rng)[beat]
    return (loud * heights * torch.exp(-(((phase - places) / widths) ** 2) / 2)).sum(1)


def _waves(length: int, rng: torch.Generator) -> Tensor:
    """Oscillations whose period and height change slowly."""
    total = torch.zeros(length)
    for _ in range(int(torch.randint(1, 4, (), generator=rng))):
        bend = _between(0, 1, rng) * _smooth(length, 10 ** _between(2, 3, rng), rng)
        turns = torch.cumsum(10 ** _between(-3, -0.9, rng) * torch.exp(0.5 * bend), 0)
        total += (1 + 0.8 * _smooth(length, 10 ** _between(1.5, 3, rng), rng)) * torch.sin(2 * math.pi * (turns + _between(0, 1, rng)))
    return total


def _walk(length: int, rng: torch.Generator) -> Tensor:
    """A smooth wandering, and a trend."""
    smooth = _smooth(length, 10 ** _between(0.7, 2.5, rng), rng)
    return smooth + _between(-2, 2, rng) * torch.linspace(-1, 1, length)


def _steps(length: int, rng: torch.Generator) -> Tensor:
    """Levels that last, one following another at once."""
    jumps = torch.rand(length, generator=rng) < 10 ** _between(-3, -1.5, rng)
    jumps[int(torch.randint(1, max(2, length), (), generator=rng)) % length] = True
    jumps[int(torch.randint(1, length, (), generator=rng))] = True
    return torch.cumsum(jumps * torch.randn(length, generator=rng), 0)


def _bumps(length: int, rng: torch.Generator) -> Tensor:
    """Single events, narrow or wide, that begin quickly and fade."""
    strikes = (torch.rand(length, generator=rng) < 10 ** _between(-2.7, -1.7, rng)) * torch.randn(length, generator=rng)
    strikes[int(torch.randint(length, (), generator=rng))] = 1
    time = torch.arange(length)
    fade = torch.exp(-time / 10 ** _between(0.5, 2, rng)) * (1 - torch.exp(-(1 + time) / 10 ** _between(-0.5, 1, rng)))
    return torch.fft.irfft(torch.fft.rfft(strikes, 2 * length) * torch.fft.rfft(fade, 2 * length), 2 * length)[:length]


PARTS = (_beats, _waves, _walk, _steps, _bumps)
SHARES = torch.tensor([0.35, 0.2, 0.2, 0.1, 0.15])


def _smooth(length: int, width: float, rng: torch.Generator) -> Tensor:
    """Random values of mean 0 and variance 1 that change over about ``width`` samples."""
    spectrum = torch.fft.rfft(torch.randn(2 * length, generator=rng))
    frequency = torch.arange(len(spectrum)) / (2 * length)
    smooth = torch.fft.irfft(spectrum * torch.exp(-((frequency * width) ** 2) * 10), 2 * length)
    part = smooth[:length] - smooth[:length].mean()  # a wide curve hardly changes over a short length
    return part / part.std().clamp_min(1e-6)


def _level(values: Tensor) -> Tensor:
    values = values - values.mean()
    return values / values.square().mean().sqrt().clamp_min(1e-6)


def _between(low: float, high: float, rng: torch.Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=rng))
