"""The formats that the codec is held against: those that Pillow writes, tried here, and published curves."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import torch
from PIL import Image, features
from torch import Tensor

LEAST_SIDE = 64
"""Pixels; JPEG 2000 halves a picture five times."""
ROUNDS = 12
"""Sizes tried to meet a number of bytes."""
PUBLISHED = {
    "JPEG": ((0.2212, 23.780), (0.3266, 26.577), (0.4231, 28.042), (0.5084, 29.042), (0.6601, 30.378), (0.9060, 32.059), (1.3688, 34.394)),
    "WebP": ((0.2344, 28.328), (0.2963, 29.151), (0.4070, 30.407), (0.5127, 31.443), (0.7218, 33.238), (0.9984, 35.104)),
    "Ballé 2018": (
        (0.1226, 26.906),
        (0.1885, 28.214),
        (0.2878, 29.611),
        (0.4404, 31.268),
        (0.6481, 32.944),
        (0.9670, 35.360),
        (1.3512, 37.365),
    ),
    "BPG": ((0.0678, 26.195), (0.1610, 28.682), (0.3516, 31.595), (0.6847, 34.858), (1.1997, 38.260)),
    "AV1": ((0.1100, 27.562), (0.2456, 30.442), (0.4987, 33.650), (0.9090, 36.989)),
}
"""Bits per pixel and PSNR in dB, means over the 24 Kodak pictures; Ballé 2018 is the factorised prior.

Source: CompressAI, results/image/kodak, https://github.com/InterDigitalInc/CompressAI; Ballé et al. (2018), https://arxiv.org/abs/1802.01436.
"""


@dataclass(frozen=True)
class Rival:
    """A format as Pillow writes it: its name there, what else it is told, and what sets its size.

    ``low`` to ``high`` are the values of that setting from the smallest file to the largest; ``steps`` are worth a curve.
    """

    format: str
    part: str
    setting: Callable[[float], dict[str, Any]]
    low: float
    high: float
    steps: tuple[float, ...]

    def write(self, picture: Tensor, value: float) -> bytes:
        """A picture ``(C, H, W)`` uint8, C is 1 or 3, as a file."""
        pixels = picture.permute(1, 2, 0).numpy()
        image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if len(picture) == 1 else pixels))
        file = BytesIO()
        (image if self.format != "WEBP" else image.convert("RGB")).save(file, self.format, **self.setting(value))
        return file.getvalue()

    @property
    def whole(self) -> bool:
        """Whether its setting is a whole number."""
        return self.format != "JPEG2000"

    def nearest(self, picture: Tensor, size: int) -> bytes:
        """The file whose number of bytes is nearest to ``size``, found by halving what is left of the setting's range."""
        low, high = self.low, self.high
        best = min((self.write(picture, each) for each in (low, high)), key=lambda each: abs(len(each) - size))
        for _ in range(ROUNDS):
            value = (low * high) ** 0.5 if not self.whole else (low + high) // 2
            if value in (low, high):
                break
            found = self.write(picture, value)
            best = min(best, found, key=lambda each: abs(len(each) - size))
            low, high = (value, high) if len(found) < size else (low, value)
        return best


def read(content: bytes, channels: int) -> Tensor:
    """A file of our own writing back to ``(C, H, W)`` uint8."""
    with Image.open(BytesIO(content)) as image:
        pixels = np.array(image.convert("L" if channels == 1 else "RGB"))
    return torch.from_numpy(pixels[None] if channels == 1 else pixels.transpose(2, 0, 1).copy())


RIVALS = {
    name: rival
    for name, rival in {
        "JPEG": Rival(
            "JPEG",
            "jpg",
            lambda value: {"quality": round(value), "optimize": True},
            1,
            95,
            (5, 10, 20, 35, 55, 75, 88),
        ),
        "WebP": Rival("WEBP", "webp", lambda value: {"quality": round(value), "method": 6}, 0, 100, (1, 15, 35, 60, 80, 90)),
        "AVIF": Rival("AVIF", "avif", lambda value: {"quality": round(value)}, 0, 100, (10, 25, 40, 55, 70, 80)),
        "JPEG 2000": Rival(
            "JPEG2000",
            "jpg_2000",
            lambda value: {"quality_mode": "rates", "quality_layers": [value], "irreversible": True},
            1000,
            1,
            (200, 90, 48, 26, 16, 10),
        ),
    }.items()
    if features.check(rival.part)
}
"""Those that this Pillow can write."""
