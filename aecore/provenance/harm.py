"""What happens to pictures on their way, by accident or on purpose; each harm takes a picture ``(3, H, W)`` uint8 and gives another.

What they give has no metadata left, as after any of these in most programs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

SEED = 0
"""Of the noise."""


@dataclass(frozen=True)
class Harm:
    """One harm: what it does with how much, from ``low`` to ``high``."""

    apply: Callable[[Image.Image, float], Image.Image]
    low: int
    high: int
    default: int

    def __call__(self, picture: Tensor, amount: float) -> Tensor:
        """The picture after it."""
        image = Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy())
        return torch.from_numpy(np.array(self.apply(image, amount))).permute(2, 0, 1)


def crop(image: Image.Image, percent: float) -> Image.Image:
    """So much of each side is kept, from the middle."""
    width, height = (max(1, round(each * percent / 100)) for each in image.size)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def resize(image: Image.Image, percent: float) -> Image.Image:
    """Each side so long as before, bicubic."""
    return _resampled(image, percent, Image.Resampling.BICUBIC)


def jpeg(image: Image.Image, quality: float) -> Image.Image:
    """Saved as JPEG and read again."""
    return _saved(image, "JPEG", quality)


def webp(image: Image.Image, quality: float) -> Image.Image:
    """Saved as WebP and read again."""
    return _saved(image, "WEBP", quality)


def screenshot(image: Image.Image, percent: float) -> Image.Image:
    """What a screen shows at that zoom, in smooth steps (bilinear), taken anew without a trace of the file."""
    return _resampled(image, percent, Image.Resampling.BILINEAR)


def rotate(image: Image.Image, degrees: float) -> Image.Image:
    """Turned to the left about its middle; the corners become black."""
    return image.rotate(degrees, Image.Resampling.BICUBIC)


def blur(image: Image.Image, tenths: float) -> Image.Image:
    """A normal blur, its standard deviation in tenths of a pixel."""
    return image.filter(ImageFilter.GaussianBlur(tenths / 10))


def noise(image: Image.Image, deviation: float) -> Image.Image:
    """Normal noise, its standard deviation in grey levels."""
    pixels = np.asarray(image)
    drawn = np.random.default_rng(SEED).normal(0, deviation, pixels.shape)
    return Image.fromarray((pixels + drawn).round().clip(0, 255).astype(np.uint8))


def _resampled(image: Image.Image, percent: float, how: Image.Resampling) -> Image.Image:
    return image.resize((max(1, round(image.width * percent / 100)), max(1, round(image.height * percent / 100))), how)


def _saved(image: Image.Image, kind: str, quality: float) -> Image.Image:
    file = BytesIO()
    image.save(file, kind, quality=round(quality))
    with Image.open(file) as saved:
        return saved.convert("RGB")


HARMS: dict[str, Harm] = {
    "crop": Harm(crop, 40, 100, 75),
    "resize": Harm(resize, 25, 200, 75),
    "jpeg": Harm(jpeg, 5, 95, 75),
    "webp": Harm(webp, 5, 95, 75),
    "screenshot": Harm(screenshot, 50, 200, 137),
    "rotate": Harm(rotate, -10, 10, 2),
    "blur": Harm(blur, 0, 40, 10),
    "noise": Harm(noise, 0, 60, 10),
}
