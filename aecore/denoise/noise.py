"""Noise as photographs have it: for training, where kind and strength differ from picture to picture, and to try the denoiser with."""

import io
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor

STRONGEST = 75 / 255
GAUSSIAN_SHARE = 0.75
GREY_SHARE = 0.1
SAVED_SHARE = 0.15


def damage(clean: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pictures ``(B, 3, H, W)`` in [0, 1] to (noisy, clean), each picture with noise of its own kind; some become grey first.

    Three in four get normal noise of a standard deviation up to 75 grey levels, one value for all channels or one noise for
    each, weak noise more often than strong; the others get what a sensor, an old scan or a small file gives: Poisson, speckle,
    salt and pepper, JPEG. One in seven of all is then saved as JPEG of quality 90 to 50, as cameras do; the others are not cut to [0, 1].
    """
    clean = clean.clone()
    noisy = torch.empty_like(clean)
    for place, picture in enumerate(clean):
        kind, strength, grey = torch.rand(3, generator=rng).tolist()
        strength **= 1.5
        if grey < GREY_SHARE:
            picture.copy_(picture.mean(0, keepdim=True).expand_as(picture))
        if kind < GAUSSIAN_SHARE:
            noisy[place] = gaussian(picture[:1] if grey < GREY_SHARE else picture, strength, rng)
        else:
            others = (poisson, speckle, salt_and_pepper, jpeg, jpeg)
            noisy[place] = others[int((kind - GAUSSIAN_SHARE) / (1 - GAUSSIAN_SHARE) * len(others))](picture, strength, rng)
        if float(torch.rand((), generator=rng)) < SAVED_SHARE:
            noisy[place] = jpeg(noisy[place], float(torch.rand((), generator=rng)) / 2, rng)
    return noisy, clean


def gaussian(picture: Tensor, strength: float, rng: torch.Generator) -> Tensor:
    """Normal noise: at full strength of a standard deviation of 75 grey levels."""
    return picture + strength * STRONGEST * torch.randn(picture.shape, generator=rng)


def poisson(picture: Tensor, strength: float, rng: torch.Generator) -> Tensor:
    """Photons counted: at full strength 10 for white, at none 1,000."""
    photons = 10 ** (3 - 2 * strength)
    return torch.poisson(picture * photons, generator=rng) / photons


def speckle(picture: Tensor, strength: float, rng: torch.Generator) -> Tensor:
    """Noise that grows with brightness: at full strength 0.4 of it."""
    return picture * (1 + 0.4 * strength * torch.randn(picture.shape, generator=rng))


def salt_and_pepper(picture: Tensor, strength: float, rng: torch.Generator) -> Tensor:
    """Single pixels turned black or white: at full strength three in ten."""
    draw = torch.rand(picture.shape[1:], generator=rng)
    share = 0.3 * strength
    return torch.where(draw < share / 2, 0.0, torch.where(draw < share, 1.0, picture))


def jpeg(picture: Tensor, strength: float, rng: torch.Generator) -> Tensor:
    """Through a JPEG file of quality 90 down to 10."""
    levels = picture.mul(255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "JPEG", quality=round(90 - 80 * strength))
    with Image.open(file) as again:
        return torch.from_numpy(np.array(again)).permute(2, 0, 1).float() / 255


KINDS: dict[str, Callable[[Tensor, float, torch.Generator], Tensor]] = {
    "gaussian": gaussian,
    "poisson": poisson,
    "speckle": speckle,
    "salt-and-pepper": salt_and_pepper,
    "jpeg": jpeg,
}
"""Of one picture ``(C, H, W)`` in [0, 1] at a strength from 0 to 1; C is 3, or 1 for all but JPEG."""
