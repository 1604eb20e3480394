"""Fully connected stacks: every pixel is wired to every unit."""

import math
from itertools import pairwise

from torch import nn

Shape = tuple[int, int, int]


def encoder(shape: Shape, code: int, width: int, depth: int) -> nn.Sequential:
    """``(B, C, H, W)`` to ``(B, code)``: ``depth`` hidden layers of ``width`` units with ReLU, then a linear layer."""
    return nn.Sequential(nn.Flatten(), *_stack([math.prod(shape), *[width] * depth, code]))


def decoder(shape: Shape, code: int, width: int, depth: int) -> nn.Sequential:
    """``(B, code)`` to outputs ``(B, C, H, W)``, not yet in [0, 1]: the mirror image of :func:`encoder`."""
    return nn.Sequential(*_stack([code, *[width] * depth, math.prod(shape)]), nn.Unflatten(1, shape))


def _stack(sizes: list[int]) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Linear(sizes[0], sizes[1])]
    for inputs, outputs in pairwise(sizes[1:]):
        layers += [nn.ReLU(), nn.Linear(inputs, outputs)]
    return layers
