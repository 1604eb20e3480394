"""What the two signal denoisers learn from: recorded sounds from folders, and series made by rule."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import soundfile
import torch
from torch import Tensor

from aecore.denoise.training import Pace
from aecore.knobs import knob
from aecore.metrics import si_sdr
from aecore.signals.made import series, tone
from aecore.signals.network import SignalDenoiser
from aecore.signals.noise import SERIES_SHARES, SOUND_SHARES, damage, white
from aecore.signals.spectral import SpectralDenoiser

SUFFIXES = (".wav", ".flac", ".ogg")
HELD_OUT = 8
LEVELS = (5, 15)  # dB, of the white noise that is measured with
SECONDS = 4  # of a sound held out that are measured
RATES = (8_000, 48_000)
TONES = 64  # made by rule, beside the recorded sounds
TONE_LENGTH = 1 << 17
MARGIN = 64  # samples cut off at both ends of what was brought to another rate
SERIES_HELD_OUT = 64
Network = TypeVar("Network", SignalDenoiser, SpectralDenoiser)


@dataclass(frozen=True)
class Plan(Pace):
    """The knobs of a run on sounds or series."""

    length: int = knob(8192, 256, 65_536, log=True, label="Length", help="Samples of each signal of a batch.")


def read_sounds(folders: Sequence[Path]) -> list[tuple[Tensor, int]]:
    """All sounds below ``folders``, in the order of their names: samples ``(N,)`` of variance 1, channels averaged, and their rate in Hz."""
    paths = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    sounds = []
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        values = torch.from_numpy(samples).mean(1)
        sounds.append(((values - values.mean()) / values.std().clamp_min(1e-6), rate))
    return sounds


class Sounds:
    """Recorded sounds in memory: eight are held out, the others, and tones made by rule, give pieces at rates from 8 to 48 kHz."""

    def __init__(self, sounds: Sequence[tuple[Tensor, int]], plan: Plan) -> None:
        self.plan = plan
        rng = torch.Generator().manual_seed(plan.seed)
        order = torch.randperm(len(sounds), generator=rng).tolist()
        self.held_out = [sounds[place] for place in order[:HELD_OUT]]
        self.sounds = [sounds[place] for place in order[HELD_OUT:]] + [(tone(TONE_LENGTH, rng), RATES[1]) for _ in range(TONES)]
        self.sizes = torch.tensor([len(values) / rate for values, rate in self.sounds]).clamp_max(SECONDS)

    def network(self) -> SpectralDenoiser:
        """An untaught denoiser, its weights drawn from the plan's seed."""
        return _untaught(SpectralDenoiser(), self.plan)

    def batch(self, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Pieces ``(batch, 1, length)``, noisy and clean, the noisy ones of variance about 1. One in four is two pieces at once.

        The strength of the noise goes by the whole sound, so that a pause in it is mostly noise.
        """
        pieces, rates = [], []
        for first, second in torch.multinomial(self.sizes, 2 * self.plan.batch, replacement=True, generator=rng).view(-1, 2).tolist():
            piece, rate = self._piece(first, rng)
            if torch.rand((), generator=rng) < 0.25:
                piece = (piece + 10 ** float(-torch.rand((), generator=rng)) * self._piece(second, rng)[0]) / math.sqrt(2)
            pieces.append(piece)
            rates.append(rate)
        return _pair(torch.stack(pieces)[:, None], SOUND_SHARES, torch.tensor(rates), rng)

    def measure(self, model: SpectralDenoiser) -> dict[str, float]:
        """Mean SI-SDR in dB of the sounds held out, after white noise of two levels; the noise is always the same."""
        return _measured(model, [values[: SECONDS * rate] for values, rate in self.held_out])

    def _piece(self, place: int, rng: torch.Generator) -> tuple[Tensor, float]:
        """A piece of a sound at another rate, and that rate in Hz: its spectrum is cut, and it is played so much faster."""
        values, rate = self.sounds[place]
        length = self.plan.length + 2 * MARGIN
        low, high = RATES[0], min(rate, RATES[1])
        wanted = low * (high / low) ** float(torch.rand((), generator=rng))
        taken = math.ceil(length * rate / wanted / MARGIN) * MARGIN
        start = int(torch.randint(-(taken // 4), max(1, len(values) - 3 * taken // 4), (), generator=rng))
        piece = torch.zeros(taken)
        inside = values[max(0, start) : start + taken]
        piece[max(0, -start) : max(0, -start) + len(inside)] = inside
        spectrum = torch.fft.rfft(piece)[: length // 2 + 1]
        return torch.fft.irfft(spectrum, length)[MARGIN:-MARGIN] * length / taken, rate * length / taken


class Series:
    """Series made by rule; those held out come from other seeds."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.held_out = [series(plan.length, torch.Generator().manual_seed(-1 - place)) for place in range(SERIES_HELD_OUT)]

    def network(self) -> SignalDenoiser:
        """An untaught denoiser, its weights drawn from the plan's seed."""
        return _untaught(SignalDenoiser(), self.plan)

    def batch(self, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Series ``(batch, 1, length)``, noisy and clean, the noisy ones of variance about 1."""
        clean = torch.stack([series(self.plan.length, rng) for _ in range(self.plan.batch)])[:, None]
        return _pair(clean, SERIES_SHARES, torch.full((len(clean),), 1000.0), rng)

    def measure(self, model: SignalDenoiser) -> dict[str, float]:
        """Mean SI-SDR in dB of the series held out, after white noise of two levels; the noise is always the same."""
        return _measured(model, self.held_out)


def _untaught(model: Network, plan: Plan) -> Network:
    model.initialise(torch.Generator().manual_seed(plan.seed))
    return model


def _pair(clean: Tensor, shares: dict[str, float], rates: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Noisy and clean ``(B, 1, N)``, brought together to a level at which the noisy one has variance 1."""
    noisy = damage(clean, shares, rates, rng)
    mean, scale = noisy.mean(2, keepdim=True), noisy.std(2, keepdim=True).clamp_min(1e-3)
    return (noisy - mean) / scale, (clean - mean) / scale


def _measured(model: Network, signals: Sequence[Tensor]) -> dict[str, float]:
    found = {}
    for level in LEVELS:
        figures = []
        for seed, clean in enumerate(signals):
            noisy = white(clean[None], level, torch.Generator().manual_seed(seed), 0)
            figures.append(si_sdr(model(noisy[None])[0], clean[None]))
        found[f"si_sdr_snr_{level}"] = sum(figures) / len(figures)
    return found
