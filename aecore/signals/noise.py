"""Noise as sounds and series have it: for training, where kind and strength differ from signal to signal, and to try the denoiser with."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

SNR = (-5.0, 30.0)
"""In training: the power of the signal over that of the noise, in dB, any value between as likely."""
CLICKS = 20  # a second
CLICK_SECONDS = 0.0005  # in which a click dies away to a third
HARMONICS = 8


def white(values: Tensor, snr_db: float, rng: torch.Generator, rate: int) -> Tensor:
    """Normal noise, equally strong at all frequencies."""
    return _added(values, torch.randn(values.shape, generator=rng), snr_db)


def pink(values: Tensor, snr_db: float, rng: torch.Generator, rate: int) -> Tensor:
    """Hiss as tapes and amplifiers have it: its power falls as 1 / frequency."""
    spectrum = torch.fft.rfft(torch.randn(values.shape, generator=rng))
    spectrum /= torch.arange(spectrum.shape[1]).clamp_min(1).sqrt()
    return _added(values, torch.fft.irfft(spectrum, values.shape[1]), snr_db)


def hum(values: Tensor, snr_db: float, rng: torch.Generator, rate: int) -> Tensor:
    """The mains: 50 or 60 Hz and their multiples, each weaker than the one before; the same in all channels."""
    mains = 50 + 10 * int(torch.randint(2, (), generator=rng))
    orders = torch.arange(1, HARMONICS + 1)
    phases, shares = torch.rand(2, HARMONICS, 1, generator=rng)
    shares = torch.where(orders[:, None] * mains < rate / 2, shares / orders[:, None], 0)
    turns = torch.arange(values.shape[1], dtype=torch.float64) * mains / rate
    waves = torch.sin(2 * math.pi * (orders[:, None] * turns + phases)).float()
    return _added(values, (shares * waves).sum(0).expand_as(values), snr_db)


def crackle(values: Tensor, snr_db: float, rng: torch.Generator, rate: int) -> Tensor:
    """Clicks as a scratched record has them, some twenty a second and at least one, each soon over."""
    length = values.shape[1]
    clicks = torch.rand(length, generator=rng) < CLICKS / rate
    clicks[int(torch.randint(length, (), generator=rng))] = True
    strikes = clicks * torch.randn(values.shape, generator=rng)
    tail = torch.exp(-torch.arange(max(1, int(4 * CLICK_SECONDS * rate)), dtype=torch.float32) / (CLICK_SECONDS * rate))
    size = length + len(tail) - 1
    struck = torch.fft.irfft(torch.fft.rfft(strikes, size) * torch.fft.rfft(tail, size), size)[:, :length]
    return _added(values, struck, snr_db)


KINDS: dict[str, Callable[[Tensor, float, torch.Generator, int], Tensor]] = {
    "white": white,
    "pink": pink,
    "hum": hum,
    "crackle": crackle,
}
"""Of a signal ``(C, N)`` at ``rate`` Hz: the same with noise, not cut, whose power is ``snr_db`` below the signal's own."""
SOUND_SHARES = {"white": 0.7, "pink": 0.15, "hum": 0.05, "crackle": 0.1}
SERIES_SHARES = {"white": 0.85, "pink": 0.05, "crackle": 0.1}
"""How often each kind is met in training."""


def damage(clean: Tensor, shares: dict[str, float], rates: Tensor, rng: torch.Generator) -> Tensor:
    """Signals ``(B, 1, N)`` at ``rates`` ``(B,)`` Hz with noise, each of its own kind and strength.

    They are pieces of signals of variance 1: a piece quieter than its whole gets as much noise as a louder one.
    """
    names = list(shares)
    kinds = torch.multinomial(torch.tensor(list(shares.values())), len(clean), replacement=True, generator=rng).tolist()
    low, high = SNR
    levels = low + (high - low) * torch.rand(len(clean), generator=rng)
    levels += 10 * clean.var((1, 2), correction=0).clamp_min(1e-9).log10()
    rows = zip(clean, kinds, levels.tolist(), rates.tolist(), strict=True)
    return torch.stack([KINDS[names[kind]](each, level, rng, int(rate)) for each, kind, level, rate in rows])


def _added(values: Tensor, noise: Tensor, snr_db: float) -> Tensor:
    """``values`` and ``noise`` at the ratio of their powers; a constant level of ``values`` is no power."""
    power = (values - values.mean(1, keepdim=True)).square().mean()
    scale = (power / noise.square().mean().clamp_min(1e-30) / 10 ** (snr_db / 10)).sqrt()
    return values + scale * noise
