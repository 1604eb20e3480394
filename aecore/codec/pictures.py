"""A stranger's picture for a codec: upright, over white where it is transparent, in colour or grey."""

import numpy as np
import torch
from PIL import ImageOps
from torch import Tensor

from aecore.codec.container import MOST_PIXELS
from aecore.data.own import shown
from aecore.data.picture import damaged, eight_bit, opened, squared
from aecore.denoise.pictures import MAX_BYTES
from aecore.refusal import Refused

GREY = ("1", "L", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")


def read(content: bytes, name: str) -> Tensor:
    """The picture in a file's bytes, ``(C, H, W)`` in [0, 1], C is 1 for grey, else 3; of several frames, the first.

    Its size is looked at before it is decoded. Raises ``Refused`` for what is no picture, too large or damaged.
    """
    name = _checked(content, name)
    image = opened(content, name, MOST_PIXELS)
    try:
        image = ImageOps.exif_transpose(image)
        grey = image.mode in GREY and not image.has_transparency_data
        pixels = np.array(eight_bit(image).convert("L" if grey else "RGB"))
    except Exception as error:  # on crafted bytes Pillow's parsers raise whatever their unpacking raises
        raise damaged(name) from error
    return torch.from_numpy(pixels[None] if grey else pixels.transpose(2, 0, 1)).float() / 255


def read_square(content: bytes, name: str, shape: tuple[int, int, int]) -> Tensor:
    """The middle square of a picture, shrunk to the shape ``(C, H, H)`` of a small codec, in [0, 1]. ``Refused`` as by :func:`read`."""
    name = _checked(content, name)
    pixels = squared(opened(content, name, MOST_PIXELS), name, shape[1], shape[0] == 3)
    return torch.from_numpy(pixels.copy()).float() / 255


def _checked(content: bytes, name: str) -> str:
    """The name, fit to be shown."""
    if len(content) > MAX_BYTES:
        raise Refused(
            "{name} has more than {limit} MB. Make it smaller in a picture editor, then try again.", name=shown(name), limit=MAX_BYTES >> 20
        )
    return shown(name)
