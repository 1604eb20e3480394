"""A denoising autoencoder for photographs: an encoder down to an eighth of the sides, a decoder back up, and ways across."""

import torch
from torch import Tensor, nn
from torch.nn import functional

FOLD = 8  # the network's own steps: pictures are padded to multiples of it


class Residual(nn.Module):
    """Two 3x3 convolutions whose result is added to what went in; shape kept."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to the same."""
        return x + self.second(functional.relu(self.first(x)))


class PhotoDenoiser(nn.Module):
    """Says what is noise in a picture and takes it away, without being told how much there is.

    Space is folded into channels first, so that all work happens at half the sides or less: about 130,000 multiplications a
    pixel. Without a skip connection the details would have to pass through the narrow middle; with them the middle only
    tells what is noise and what is not. No layer has a bias: a picture twice as bright is mended in the same way, which
    is what makes a network good at noise levels that it has seldom met.
    Sources: Zhang, Zuo and Zhang (2018), https://arxiv.org/abs/1710.04026 (the folding); Zhang et al. (2022),
    https://arxiv.org/abs/2008.13751 (U-Net of residual blocks); Mohan et al. (2020), https://arxiv.org/abs/1906.05478 (no bias).
    """

    def __init__(self, widths: tuple[int, int, int] = (48, 96, 160), blocks: tuple[int, int, int] = (2, 3, 3)) -> None:
        super().__init__()
        top, middle, bottom = widths
        self.fold = nn.PixelUnshuffle(2)
        self.first = nn.Conv2d(12, top, 3, padding=1, bias=False)
        self.encoder = nn.ModuleList([_blocks(top, blocks[0]), _blocks(middle, blocks[1])])
        self.down = nn.ModuleList([nn.Conv2d(top, middle, 2, stride=2, bias=False), nn.Conv2d(middle, bottom, 2, stride=2, bias=False)])
        self.code = _blocks(bottom, blocks[2])
        self.up = nn.ModuleList([_enlarge(bottom, middle), _enlarge(middle, top)])
        self.decoder = nn.ModuleList([_blocks(middle, blocks[1]), _blocks(top, blocks[0])])
        self.last = nn.Conv2d(top, 12, 3, padding=1, bias=False)
        self.unfold = nn.PixelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        """Noisy pictures ``(B, 3, H, W)``, any size, about [0, 1], to clean ones; not cut to [0, 1]."""
        height, width = x.shape[2:]
        padded = functional.pad(x, (0, -width % FOLD, 0, -height % FOLD), mode="replicate")
        level = self.first(self.fold(padded))
        across: list[Tensor] = []
        for blocks, down in zip(self.encoder, self.down, strict=True):
            level = blocks(level)
            across.append(level)
            level = down(level)
        level = self.code(level)
        for up, blocks in zip(self.up, self.decoder, strict=True):
            level = blocks(up(level) + across.pop())
        with torch.autocast(x.device.type, enabled=False):  # the sum that is seen: in bfloat16 it would be off by a grey level
            noise = self.last(level.float())
        return (padded - self.unfold(noise))[:, :, :height, :width]

    def initialise(self, rng: torch.Generator) -> None:
        """Draw all weights from ``rng``; the second convolution of each block and the last begin small, so that the network begins as a copy."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=rng)
                if name.endswith(("second", "last")):
                    module.weight.data.mul_(0.1)


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Residual(channels) for _ in range(count)))


def _enlarge(inputs: int, outputs: int) -> nn.Sequential:
    """Twice the sides, by convolving to four times the channels and unfolding them."""
    return nn.Sequential(nn.Conv2d(inputs, 4 * outputs, 1, bias=False), nn.PixelShuffle(2))
