"""Kinds of noise: pure functions of pictures, a level in [0, 1] and a generator; level 0 changes nothing."""

from collections.abc import Callable

import torch
from torch import Tensor

Corruption = Callable[[Tensor, float, torch.Generator], Tensor]


def gaussian(x: Tensor, level: float, rng: torch.Generator) -> Tensor:
    """Add normal noise of standard deviation ``level``, then cut to [0, 1]. Shape ``(B, C, H, W)`` kept."""
    return (x + level * _normal(x, rng)).clamp_(0, 1)


def masking(x: Tensor, level: float, rng: torch.Generator) -> Tensor:
    """Blacken a share ``level`` of the pixels, all channels of a pixel together. Source: Vincent et al. (2008), https://doi.org/10.1145/1390156.1390294"""
    return x * (_uniform(x, rng) >= level)


def salt_and_pepper(x: Tensor, level: float, rng: torch.Generator) -> Tensor:
    """Set a share ``level`` of the pixels to black or white, half and half."""
    draw = _uniform(x, rng)
    return torch.where(draw < level / 2, 0.0, torch.where(draw < level, 1.0, x))


def speckle(x: Tensor, level: float, rng: torch.Generator) -> Tensor:
    """Multiply each value by one plus normal noise of standard deviation ``level``: bright places suffer, black ones do not."""
    return (x * (1 + level * _normal(x, rng))).clamp_(0, 1)


def occlusion(x: Tensor, level: float, rng: torch.Generator) -> Tensor:
    """Blacken one upright rectangle of a share ``level`` of the picture, at a random place in each."""
    batch, _, height, width = x.shape
    side = level**0.5
    top, left = (torch.rand(batch, 1, 1, 1, generator=rng, device=x.device) * (1 - side) for _ in range(2))
    rows = torch.arange(height, device=x.device).view(1, 1, -1, 1) / height
    columns = torch.arange(width, device=x.device).view(1, 1, 1, -1) / width
    hidden = (rows >= top) & (rows < top + side) & (columns >= left) & (columns < left + side)
    return x * ~hidden


CORRUPTIONS: dict[str, Corruption] = {
    "gaussian": gaussian,
    "masking": masking,
    "salt-and-pepper": salt_and_pepper,
    "speckle": speckle,
    "occlusion": occlusion,
}


def _normal(x: Tensor, rng: torch.Generator) -> Tensor:
    return torch.randn(x.shape, generator=rng, device=x.device)


def _uniform(x: Tensor, rng: torch.Generator) -> Tensor:
    """One draw for each pixel, shared by its channels: ``(B, 1, H, W)``."""
    batch, _, height, width = x.shape
    return torch.rand(batch, 1, height, width, generator=rng, device=x.device)
