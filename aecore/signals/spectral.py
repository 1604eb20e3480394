"""A denoising autoencoder for sound that works on spectra: for each short stretch and each frequency it says how much to let through."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

LONG, SHORT = 2048, 512
"""Samples of the two windows: the long one tells tones apart, the short one moments."""
HOP = LONG // 4  # samples from one column of the grid to the next
ROWS = 128  # of the grid, from 0 Hz to half the sampling rate
BINS, SHORT_BINS, SHORT_FRAMES = LONG // 2 // ROWS, SHORT // 2 // ROWS, LONG // SHORT  # in each place of the grid
VALUES = BINS + SHORT_BINS * SHORT_FRAMES  # powers in each place of the grid
STRIDE = 2  # between one level and the next, in both directions
STEP = HOP * STRIDE**2
"""Where pieces of a sound begin at multiples of so many samples, the network sees the same grid as in the whole."""
QUIET = 0.25
"""So large a share of all powers is taken to be noise alone."""
STEEP, EXCESS = 3.0, 6.0  # of the gain before anything is learnt: half at six times the noise's power
RANGE = (1e-3, 1e9)  # of a power relative to the noise
TINY = 1e-20


class Residual(nn.Module):
    """Two 3 x 3 convolutions whose result is added to what went in; shape kept."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to the same."""
        return x + self.second(functional.relu(self.first(x)))


class SpectralDenoiser(nn.Module):
    """Takes noise out of a sound without being told how much there is, by weakening what is noise in its spectrograms.

    Most sounds are sparse there: few places are strong, while noise is everywhere. The sound goes through two short-time
    Fourier transforms, with a long and a short window. A grid of 128 frequencies by one column every 512 samples holds in
    each place the eight powers of either transform that lie there, as logarithms relative to the noise, whose power is read
    off the quietest quarter of all; beside them stands the mean of each row. An autoencoder over this grid, with ways
    across, gives each power a gain from 0 to 1, and each place a share: how far to trust the long window there, and how far
    the short one. Both transforms are then undone and added. Before anything is learnt, this is about spectral subtraction.
    A sound twice as loud is mended in the same way. Apart from the noise's power and the rows' means, an output sample
    depends on at most 16,384 samples on either side.
    Sources: Boll (1979), https://doi.org/10.1109/TASSP.1979.1163209 (spectral subtraction); Martin (2001),
    https://doi.org/10.1109/89.928915 (the quietest places tell the noise); Wang, Narayanan and Wang (2014),
    https://doi.org/10.1109/TASLP.2014.2352935 (learning the gains); Ronneberger, Fischer and Brox (2015),
    https://arxiv.org/abs/1505.04597 (a U-Net, for pictures).
    """

    def __init__(self, widths: tuple[int, int, int] = (32, 64, 96)) -> None:
        super().__init__()
        top, middle, bottom = widths
        self.first = nn.Conv2d(2 * VALUES, top, 3, padding=1)
        self.encoder = nn.ModuleList([Residual(top), Residual(middle)])
        self.down = nn.ModuleList([nn.Conv2d(top, middle, STRIDE, STRIDE), nn.Conv2d(middle, bottom, STRIDE, STRIDE)])
        self.code = Residual(bottom)
        self.up = nn.ModuleList([nn.ConvTranspose2d(bottom, middle, STRIDE, STRIDE), nn.ConvTranspose2d(middle, top, STRIDE, STRIDE)])
        self.decoder = nn.ModuleList([Residual(middle), Residual(top)])
        self.last = nn.Conv2d(top, VALUES + 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Noisy sounds ``(B, 1, N)``, any length, to clean ones."""
        with torch.autocast(x.device.type, enabled=False):  # what is heard is never rounded
            sound = x[:, 0].float()
            long, short = _spectrum(sound, LONG), _spectrum(sound, SHORT)
            powers = _grid(long.abs().square(), short.abs().square())
            powers = (powers / _noise(powers)).clamp(*RANGE).log()
            usual = powers.mean(3, keepdim=True).expand_as(powers)
        answer = self.answer(torch.cat([powers, usual], 1) / 4).float()  # logarithms are about -2 to 5 then
        with torch.autocast(x.device.type, enabled=False):
            gains = torch.sigmoid(answer[:, :-1] + STEEP * (powers - math.log(EXCESS)))
            share = torch.sigmoid(answer[:, -1:])
            clean = _sound(long, _long_gains(gains[:, :BINS] * share), LONG, x.shape[2])
            clean = clean + _sound(short, _short_gains(gains[:, BINS:] * (1 - share)), SHORT, x.shape[2])
        return clean[:, None]

    def answer(self, grid: Tensor) -> Tensor:
        """The autoencoder: logarithms ``(B, 2 VALUES, ROWS, columns)`` to what is added to the gains' logits, and the share's logit.

        That is ``(B, VALUES + 1, ROWS, columns)``. The first half of what goes in is each place's own, the second its row's mean.
        """
        grid = grid.contiguous(memory_format=torch.channels_last)
        width = grid.shape[3]
        level = self.first(functional.pad(grid, (0, -width % STRIDE**2)))
        across: list[Tensor] = []
        for block, down in zip(self.encoder, self.down, strict=True):
            level = block(level)
            across.append(level)
            level = functional.relu(down(level))
        level = self.code(level)
        for up, block in zip(self.up, self.decoder, strict=True):
            level = block(functional.relu(up(level)) + across.pop())
        return self.last(level)[:, :, :, :width]

    def initialise(self, rng: torch.Generator) -> None:
        """Draw all weights from ``rng``; the second convolution of each block and the last begin small, all biases at 0."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                mode = "fan_out" if isinstance(module, nn.ConvTranspose2d) else "fan_in"
                nn.init.kaiming_normal_(module.weight, mode=mode, nonlinearity="relu", generator=rng)
                nn.init.zeros_(module.bias)  # pyright: ignore[reportArgumentType]
                if name.endswith(("second", "last")):
                    module.weight.data.mul_(0.1)


def _window(size: int, device: torch.device) -> Tensor:
    """Hann's; the power of white noise in each place of a spectrum is then that of a sample."""
    window = torch.hann_window(size, device=device)
    return window / window.square().sum().sqrt()


def _spectrum(sound: Tensor, size: int) -> Tensor:
    """``(B, N)`` to ``(B, size / 2 + 1, frames)``: the first frame of either window has its middle at sample 0, the last fills a column."""
    columns = -(-sound.shape[1] // HOP)
    whole = functional.pad(sound, (0, columns * HOP + (SHORT_FRAMES - 1) * SHORT // 4 - sound.shape[1]))
    hop = size // 4
    return torch.stft(whole, size, hop, window=_window(size, sound.device), return_complex=True, pad_mode="constant")


def _sound(spectrum: Tensor, gains: Tensor, size: int, length: int) -> Tensor:
    """The sound ``(B, length)`` of a spectrum with gains ``(B, size / 2, frames)``."""
    gains = torch.cat([gains, gains[:, -1:]], 1)  # the highest frequency of all goes with its neighbour
    return torch.istft(spectrum * gains, size, size // 4, window=_window(size, gains.device), length=length)


def _grid(long: Tensor, short: Tensor) -> Tensor:
    """Powers ``(B, bins + 1, frames)`` of both windows to ``(B, VALUES, ROWS, columns)``."""
    batch, _, columns = long.shape
    long = long[:, :-1].view(batch, ROWS, BINS, columns).transpose(1, 2)
    short = short[:, :-1].reshape(batch, ROWS, SHORT_BINS, columns, SHORT_FRAMES)
    return torch.cat([long, short.permute(0, 2, 4, 1, 3).flatten(1, 2)], 1)


def _long_gains(gains: Tensor) -> Tensor:
    """``(B, BINS, ROWS, columns)`` to ``(B, bins, frames)``."""
    return gains.transpose(1, 2).flatten(1, 2)


def _short_gains(gains: Tensor) -> Tensor:
    """``(B, SHORT_BINS * SHORT_FRAMES, ROWS, columns)`` to ``(B, bins, frames)``."""
    split = gains.unflatten(1, (SHORT_BINS, SHORT_FRAMES))
    return split.permute(0, 3, 1, 4, 2).flatten(1, 2).flatten(2)


def _noise(powers: Tensor) -> Tensor:
    """The power of white noise whose quietest quarter this would be ``(B, 1, 1, 1)``."""
    long = powers[:, :BINS].flatten(1)
    quiet = long.kthvalue(max(1, int(QUIET * long.shape[1])), 1).values / -torch.log(torch.tensor(1 - QUIET))
    return torch.maximum(quiet, 1e-6 * long.mean(1)).clamp_min(TINY)[:, None, None, None]
