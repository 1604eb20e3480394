"""Convolutional stacks: small filters slide over the picture, and each level halves its sides."""

import math
from itertools import pairwise

from torch import Tensor, nn

Shape = tuple[int, int, int]


def encoder(shape: Shape, code: int, channels: int, depth: int) -> nn.Sequential:
    """``(B, C, H, W)`` to ``(B, code)``: ``depth`` strided 3x3 convolutions, channels doubling, then a linear layer."""
    sizes = _sizes(shape, channels, depth)
    layers: list[nn.Module] = []
    for (inputs, *_), (outputs, *_) in pairwise(sizes):
        layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(math.prod(sizes[-1]), code))


def decoder(shape: Shape, code: int, channels: int, depth: int) -> nn.Sequential:
    """``(B, code)`` to outputs ``(B, C, H, W)``, not yet in [0, 1]: the mirror image of :func:`encoder`, doubling by pixel shuffle."""
    sizes = _sizes(shape, channels, depth)[::-1]
    layers: list[nn.Module] = [nn.Linear(code, math.prod(sizes[0])), nn.Unflatten(1, sizes[0])]
    for (inputs, *_), (outputs, height, width) in pairwise(sizes):
        layers += [nn.ReLU(), Enlarge(inputs, outputs, height, width)]
    return nn.Sequential(*layers)


class Enlarge(nn.Module):
    """A 3x3 convolution whose channels fold out into twice the height and width, cut to ``height`` x ``width``.

    Convolving before enlarging costs a quarter of convolving after, and leaves no checkerboard of overlapping strides.
    Source: Shi et al. (2016), https://arxiv.org/abs/1609.05158
    """

    def __init__(self, inputs: int, outputs: int, height: int, width: int) -> None:
        super().__init__()
        self.height, self.width = height, width
        self.convolution = nn.Conv2d(inputs, 4 * outputs, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, inputs, h, w)`` to ``(B, outputs, height, width)`` where height is 2h or 2h - 1, width alike."""
        return self.shuffle(self.convolution(x))[:, :, : self.height, : self.width]


def _sizes(shape: Shape, channels: int, depth: int) -> list[Shape]:
    """Channels, height and width at each level, from the picture inwards."""
    sizes = [shape]
    for level in range(depth):
        _, height, width = sizes[-1]
        sizes.append((channels << level, (height + 1) // 2, (width + 1) // 2))
    return sizes
