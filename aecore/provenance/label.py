"""The visible mark: a small plate in the lower left corner that says what the picture is, whatever its size.

White on a plate that lets a fifth of the picture through: even over pure white the contrast is above 12 to 1.
Reading it back tries the same plate at all sizes that it may have come to, in that corner: whoever cuts the corner off is rid of it.
"""

import math
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

WORDS = ("Synthetic", "Autoencoder Lab")
SMALLEST = 9.0
"""Pixels; the letters' size below which one line becomes two."""
SHARE = 1 / 28
"""Of the shorter side, that the letters' size is if nothing forbids it."""
OPACITY = 0.8
SEEN = 0.5
"""The correlation from which on the plate counts as found; 1,000 pictures without it stay below (``benchmarks/provenance.py``)."""
DRAWN, COMPARED = 60.0, 10.0
"""Pixels; the letters' size in which a plate is drawn before it is made smaller, and that in which it is compared."""
WIDEST = 512
"""Pixels; pictures are made no wider than that before they are searched."""
NARROWEST = 32
"""Pixels; the width of the smallest plate that is looked for."""
STEP = 1.01
"""From one width that is looked for to the next."""


@dataclass(frozen=True)
class Sight:
    """How well the best place for the plate agrees with it: ``score`` is a correlation, at most 1."""

    score: float
    threshold: float = SEEN

    @property
    def found(self) -> bool:
        """Whether the plate is there."""
        return self.score >= self.threshold


def draw(picture: Tensor) -> Tensor:
    """A picture ``(3, H, W)`` uint8 with the plate on it."""
    letters = torch.from_numpy(plate(picture.shape[2], picture.shape[1]))
    height, width = letters.shape
    drawn = picture.clone()
    under = drawn[:, -height:, :width].float() * (1 - OPACITY)
    drawn[:, -height:, :width] = (under + (255 - under) * letters).round().byte()
    return drawn


@lru_cache(maxsize=64)
def plate(width: int, height: int) -> np.ndarray:
    """The plate for a picture of that size: ``(h, w)``, 0 for its ground and 1 for its letters."""
    size = max(SMALLEST, min(width, height) * SHARE)
    if _width(1) * size / DRAWN <= width:
        return _shrunk(1, size)
    return _shrunk(2, min(SMALLEST, DRAWN * width / _width(2)))


def look(picture: Tensor) -> Sight:
    """Look for the plate in a picture ``(3, H, W)`` uint8."""
    grey = Image.fromarray(picture.float().mean(0).numpy())
    if grey.width > WIDEST:
        grey = grey.resize((WIDEST, max(1, round(grey.height * WIDEST / grey.width))), Image.Resampling.BOX)
    return Sight(max((_agreement(grey, lines, width) for lines in (1, 2) for width in _widths(grey.width)), default=0.0))


def _widths(most: int) -> list[float]:
    """The widths that a plate may have in a picture ``most`` pixels wide."""
    count = math.ceil(math.log(max(most / NARROWEST, 1)) / math.log(STEP))
    return [most / STEP**place for place in range(count)]


def _agreement(grey: Image.Image, lines: int, width: float) -> float:
    """The correlation of the plate with the corner where it would lie, were it so wide."""
    template = _template(lines)
    height = width * template.shape[0] / template.shape[1]
    if height > grey.height / 2:
        return 0.0
    box = (0, grey.height - height, width, grey.height)
    corner = np.asarray(grey.resize(template.shape[::-1], Image.Resampling.BILINEAR, box))
    corner = corner - corner.mean()
    return float((corner * template).sum() / max(float(np.linalg.norm(corner)), 1e-6))


@cache
def _template(lines: int) -> np.ndarray:
    """The plate as it is compared, with mean 0 and length 1."""
    plate = _shrunk(lines, COMPARED)
    plate = plate - plate.mean()
    return plate / np.linalg.norm(plate)


def _shrunk(lines: int, size: float) -> np.ndarray:
    """The plate with letters of a ``size``: ``(h, w)`` in [0, 1]."""
    large = _large(lines)
    height, width = (max(1, round(each * size / DRAWN)) for each in large.shape)
    return np.asarray(Image.fromarray(large).resize((width, height), Image.Resampling.LANCZOS)).clip(0, 1)


def _width(lines: int) -> int:
    return _large(lines).shape[1]


@cache
def _large(lines: int) -> np.ndarray:
    """The plate as it is drawn, by Aileron, which comes with Pillow. Made smaller from here, letters keep their distances at all sizes."""
    words = (" · ".join(WORDS),) if lines == 1 else WORDS
    font = ImageFont.load_default(DRAWN)
    width = round(max(font.getlength(each) for each in words) + DRAWN / 2)
    image = Image.new("L", (width, round((1.1 * lines + 0.15) * DRAWN)))
    for place, each in enumerate(words):
        ImageDraw.Draw(image).text((DRAWN / 4, (1.1 * place + 0.6) * DRAWN), each, 255, font, anchor="lm")
    return np.asarray(image, np.float32) / 255
