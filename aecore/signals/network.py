"""A denoising autoencoder for sounds and series: an encoder down to a 128th of the length, a decoder back up, and ways across."""

import torch
from torch import Tensor, nn
from torch.nn import functional

FOLD = 8  # samples that become channels
STRIDE = 4  # between one level and the next
STEP = FOLD * STRIDE * STRIDE
"""Signals are padded to a multiple of so many samples."""


class Residual(nn.Module):
    """Two convolutions of width 3 whose result is added to what went in, the first with gaps of ``reach``; shape kept."""

    def __init__(self, channels: int, reach: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv1d(channels, channels, 3, padding=reach, dilation=reach, bias=False)
        self.second = nn.Conv1d(channels, channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, N)`` to the same."""
        return x + self.second(functional.relu(self.first(x)))


class SignalDenoiser(nn.Module):
    """Says what is noise in a sound or series and takes it away, without being told how much there is.

    The photo denoiser's plan along one axis: eight samples are folded into channels, two levels of stride 4 lead to the
    middle, where each block looks twice as far as the one before. An output sample depends on about 3,300 samples on either
    side: 0.2 s at 16 kHz. No layer has a bias, so a signal twice as loud is mended in the same way.
    Sources: Stoller, Ewert and Dixon (2018), https://arxiv.org/abs/1806.03185 (U-Net on samples of sound); Yu and Koltun (2016),
    https://arxiv.org/abs/1511.07122 (looking further); Mohan et al. (2020), https://arxiv.org/abs/1906.05478 (no bias).
    """

    def __init__(self, widths: tuple[int, int, int] = (48, 96, 192), blocks: tuple[int, int, int] = (1, 2, 4)) -> None:
        super().__init__()
        top, middle, bottom = widths
        self.first = nn.Conv1d(FOLD, top, 7, padding=3, bias=False)
        self.encoder = nn.ModuleList([_blocks(top, blocks[0]), _blocks(middle, blocks[1])])
        self.down = nn.ModuleList(
            [nn.Conv1d(top, middle, STRIDE, STRIDE, bias=False), nn.Conv1d(middle, bottom, STRIDE, STRIDE, bias=False)]
        )
        self.code = nn.Sequential(*(Residual(bottom, 2**place) for place in range(blocks[2])))
        self.up = nn.ModuleList(
            [nn.ConvTranspose1d(bottom, middle, STRIDE, STRIDE, bias=False), nn.ConvTranspose1d(middle, top, STRIDE, STRIDE, bias=False)]
        )
        self.decoder = nn.ModuleList([_blocks(middle, blocks[1]), _blocks(top, blocks[0])])
        self.last = nn.Conv1d(top, FOLD, 7, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Noisy signals ``(B, 1, N)``, any length, to clean ones."""
        batch, _, length = x.shape
        padded = functional.pad(x, (0, -length % STEP), mode="replicate")
        level = self.first(padded.view(batch, -1, FOLD).transpose(1, 2))
        across: list[Tensor] = []
        for blocks, down in zip(self.encoder, self.down, strict=True):
            level = blocks(level)
            across.append(level)
            level = down(level)
        level = self.code(level)
        for up, blocks in zip(self.up, self.decoder, strict=True):
            level = blocks(up(level) + across.pop())
        with torch.autocast(x.device.type, enabled=False):  # the sum that is heard
            noise = self.last(level.float())
        return (padded - noise.transpose(1, 2).reshape(batch, 1, -1))[:, :, :length]

    def initialise(self, rng: torch.Generator) -> None:
        """Draw all weights from ``rng``; the second convolution of each block and the last begin small, so that the network begins as a copy."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv1d | nn.ConvTranspose1d):
                mode = "fan_out" if isinstance(module, nn.ConvTranspose1d) else "fan_in"
                nn.init.kaiming_normal_(module.weight, mode=mode, nonlinearity="relu", generator=rng)
                if name.endswith(("second", "last")):
                    module.weight.data.mul_(0.1)


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Residual(channels) for _ in range(count)))
