"""The photo codec's networks: a cosine transform of blocks that learns to do better."""

import torch
from torch import Tensor, nn

from aecore.codec.context import GROUPS, Context
from aecore.codec.transform import BLOCK, basis
from aecore.denoise.network import Residual

LEVELS = 6
"""Qualities 0, 20, ..., 100, each with gains of its own; between them the gains are mixed."""
COARSEST, FINEST = 0.001, 0.1
"""What a squared grey level of error weighs against a bit per pixel at quality 0 and at 100."""

LITTLE = 0.05
"""The unit of what networks add to the cosine transform: an optimiser moves all weights by equal steps, which would undo the start at once."""


def weight(quality: Tensor) -> Tensor:
    """The weight of the error at a quality from 0 to 100, even steps being even ratios."""
    return COARSEST * (FINEST / COARSEST) ** (quality / 100)


def mixture(quality: Tensor) -> Tensor:
    """Qualities ``(B,)`` to the shares ``(B, LEVELS)`` of the two levels around each."""
    place = (quality / 100 * (LEVELS - 1)).clamp(0, LEVELS - 1)
    return (1 - (place[:, None] - torch.arange(LEVELS, device=quality.device)).abs()).clamp_min(0)


class Gains(nn.Module):
    """How finely each channel is quantised at each quality: factors before rounding, or after it the way back.

    Source: Cui et al. (2021), https://arxiv.org/abs/2003.02012.
    """

    def __init__(self, channels: int, inverse: bool) -> None:
        super().__init__()
        step = (0.5 * 26 / weight(torch.linspace(0, 100, LEVELS))).sqrt() / 255
        self.logs = nn.Parameter((step.log() if inverse else -step.log())[:, None].repeat(1, channels))

    def forward(self, shares: Tensor) -> Tensor:
        """Shares ``(B, LEVELS)`` to factors ``(B, channels, 1, 1)``, mixed geometrically."""
        return (shares @ self.logs).exp()[:, :, None, None]


class Encoder(nn.Module):
    """Pictures to scaled codes. What it has learnt is added to the coefficients of the blocks' cosine transform."""

    def __init__(self, widths: tuple[int, int, int], blocks: tuple[int, int, int], channels: int = sum(GROUPS)) -> None:
        super().__init__()
        top, middle, bottom = widths
        patterns, variance = basis(channels)
        self.register_buffer("patterns", patterns[:, :, None, None], persistent=False)
        self.register_buffer("sizes", LITTLE * variance.sqrt()[:, None, None], persistent=False)
        self.fold, self.whole = nn.PixelUnshuffle(4), nn.PixelUnshuffle(BLOCK)
        self.first = nn.Conv2d(48, top, 3, padding=1)
        self.fine = _blocks(top, blocks[0])
        self.down = nn.Conv2d(top, middle, 2, stride=2)
        self.level = nn.Linear(LEVELS, middle, bias=False)
        self.medium = _blocks(middle, blocks[1])
        self.down_again = nn.Conv2d(middle, bottom, 2, stride=2)
        self.coarse = _blocks(bottom, blocks[2])
        self.last = nn.Conv2d(bottom, channels, 3, padding=1)
        self.gains = Gains(channels, inverse=False)

    def forward(self, x: Tensor, shares: Tensor) -> Tensor:
        """``(B, 3, H, W)`` in [0, 1], sides multiples of 16, and shares of quality ``(B, LEVELS)``, to codes ``(B, C, H / 16, W / 16)``."""
        x = x - 0.5
        level = self.fine(self.first(self.fold(x)))
        level = self.medium(self.down(level) + self.level(shares)[:, :, None, None])
        level = self.coarse(self.down_again(level))
        with torch.autocast(x.device.type, enabled=False):
            linear = nn.functional.conv2d(self.whole(x), self.patterns)  # type: ignore[arg-type]
            return (linear + self.sizes * self.last(level.float())) * self.gains(shares.float())


class Decoder(nn.Module):
    """Quantised codes back to pictures: the inverse cosine transform, and what was learnt about undoing its faults."""

    sizes: Tensor

    def __init__(self, widths: tuple[int, int, int], blocks: tuple[int, int, int], channels: int = sum(GROUPS)) -> None:
        super().__init__()
        top, middle, bottom = widths
        patterns, variance = basis(channels)
        self.register_buffer("patterns", patterns.T[:, :, None, None].contiguous(), persistent=False)
        self.register_buffer("sizes", variance.sqrt()[:, None, None].clamp_min(0.05), persistent=False)
        self.gains = Gains(channels, inverse=True)
        self.first = nn.Conv2d(channels, bottom, 3, padding=1)
        self.coarse = _blocks(bottom, blocks[2])
        self.up = nn.Sequential(nn.Conv2d(bottom, 4 * middle, 1), nn.PixelShuffle(2))
        self.level = nn.Linear(LEVELS, middle, bias=False)
        self.medium = _blocks(middle, blocks[1])
        self.up_again = nn.Sequential(nn.Conv2d(middle, 4 * top, 1), nn.PixelShuffle(2))
        self.fine = _blocks(top, blocks[0])
        self.last = nn.Conv2d(top, 48, 3, padding=1)
        self.unfold, self.whole = nn.PixelShuffle(4), nn.PixelShuffle(BLOCK)

    def forward(self, code: Tensor, shares: Tensor) -> Tensor:
        """``(B, C, h, w)`` and shares of quality ``(B, LEVELS)`` to pictures ``(B, 3, 16 h, 16 w)``, not cut to [0, 1]."""
        with torch.autocast(code.device.type, enabled=False):
            code = code.float() * self.gains(shares.float())
            linear = self.whole(nn.functional.conv2d(code, self.patterns))  # type: ignore[arg-type]
        level = self.coarse(self.first(code / self.sizes))
        level = self.medium(self.up(level) + self.level(shares)[:, :, None, None])
        level = self.fine(self.up_again(level))
        with torch.autocast(code.device.type, enabled=False):  # the sum that is seen: in bfloat16 it would be off by a grey level
            return linear + LITTLE * self.unfold(self.last(level.float())) + 0.5


class PhotoCodec(nn.Module):
    """Encoder, decoder, and what a code costs. At first all of it is a plain transform codec; learning improves on that.

    Sources: Ballé et al. (2017), https://arxiv.org/abs/1611.01704 (rate and distortion learnt together); Cui et al. (2021),
    https://arxiv.org/abs/2003.02012 (one network for all qualities).
    """

    def __init__(self, widths: tuple[int, int, int] = (64, 128, 192), blocks: tuple[int, int, int] = (2, 2, 1)) -> None:
        super().__init__()
        self.encoder = Encoder(widths, blocks)
        self.decoder = Decoder(widths, blocks)
        self.context = Context(LEVELS)

    def forward(self, x: Tensor, quality: Tensor, rng: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Pictures in [0, 1] and a quality ``(B,)`` each, to pictures and bits ``(B,)``; ``rng`` draws the noise in place of rounding, if given."""
        shares = mixture(quality)
        code = self.encoder(x, shares)
        noise = None if rng is None else (torch.rand(code.shape, generator=rng) - 0.5).to(code.device)
        known, bits = self.context(code, shares, noise)
        return self.decoder(known, shares), bits

    def initialise(self, rng: torch.Generator) -> None:
        """Draw all weights from ``rng``; what is added to the cosine transform begins as nothing."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=rng)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
                if name.endswith(("second", "last", "near", "level")):
                    module.weight.data.mul_(0.1)
                if name in ("encoder.last", "decoder.last"):
                    nn.init.zeros_(module.weight)
        _, variance = basis(sum(GROUPS))
        for guess in self.context.guesses:
            nn.init.kaiming_normal_(guess.second.weight, nonlinearity="relu", generator=rng)  # type: ignore[union-attr]
            half = len(guess.last.bias) // 2  # type: ignore[union-attr, arg-type]
            guess.last.bias.data[half:] = (variance[guess.turn.start : guess.turn.stop].sqrt() * 4).log2().clamp(-3, 5)  # type: ignore[union-attr, index]


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Residual(channels) for _ in range(count)))
