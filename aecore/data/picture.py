"""One picture from a stranger: looked at before it is decoded, then made upright, square and small."""

from io import BytesIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from pillow_heif import register_heif_opener

from aecore.refusal import Refused

register_heif_opener()  # what telephones send
FORMATS = ("PNG", "JPEG", "WEBP", "HEIF", "BMP", "GIF", "TIFF")
"""Raster formats only: SVG, EPS and PDF are programs to run rather than pixels to read."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".heic", ".heif", ".bmp", ".gif", ".tif", ".tiff")
MAX_PIXELS = 16 << 20
"""Width times height; four bytes each while it is decoded."""


def opened(content: bytes, name: str, most: int = MAX_PIXELS, formats: tuple[str, ...] = FORMATS) -> Image.Image:
    """The picture's kind and size read from its first bytes, nothing decoded yet.

    ``name`` is only used to speak of it. Raises ``Refused`` if it is none of the ``formats``, or has more than ``most`` pixels.
    """
    try:
        image = Image.open(BytesIO(content), formats=formats)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_large(name, most) from error
    except UnidentifiedImageError as error:
        raise Refused(
            "{name} is not a picture that can be read here. Use a PNG, JPEG, WebP, HEIC, BMP, GIF or TIFF picture.", name=name
        ) from error
    except Exception as error:  # on crafted bytes Pillow's parsers raise whatever their unpacking raises
        raise damaged(name) from error
    if image.width * image.height > most:
        raise too_large(name, most)
    return image


def squared(image: Image.Image, name: str, size: int, colour: bool) -> np.ndarray:
    """Decode, turn upright as EXIF says, lay over white, cut the middle square, shrink: uint8 ``(C, size, size)``, C is 3 or 1.

    Of several frames, the first. Raises ``Refused`` if the picture is damaged.
    """
    try:
        # A JPEG can be decoded at an eighth of its size at a fraction of the cost; four times too large leaves
        # enough for the antialiased shrinking that follows.
        image.draft(None, (4 * size, 4 * size))
        image = ImageOps.exif_transpose(image)
        image = ImageOps.fit(eight_bit(image), (size, size), Image.Resampling.LANCZOS)
        pixels = np.asarray(image.convert("RGB" if colour else "L"))
    except Exception as error:  # as above
        raise damaged(name) from error
    return pixels.transpose(2, 0, 1) if colour else pixels[None]


def eight_bit(image: Image.Image) -> Image.Image:
    """The same picture as plain RGB, or as grey if it has 16 or more bits; transparent parts become white."""
    if image.mode.startswith("I;16"):
        # 65535 / 255 = 257
        return Image.fromarray(((np.asarray(image).astype(np.uint32) + 128) // 257).astype(np.uint8))
    if image.mode in ("I", "F"):
        # 32 bits have no agreed white: from the darkest to the brightest.
        values = np.nan_to_num(np.asarray(image).astype(np.float64))
        low, span = values.min(), np.ptp(values)
        return Image.fromarray(np.round((values - low) * (255 / span if span else 0)).astype(np.uint8))
    if image.has_transparency_data:
        over = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB")
    return image.convert("RGB")


def too_large(name: str, most: int) -> Refused:
    """What is said of a picture of more than ``most`` pixels."""
    return Refused(
        "{name} has more than {limit} million pixels. Make it smaller in a picture editor, then try again.",
        name=name,
        limit=most // 1_000_000,
    )


def damaged(name: str) -> Refused:
    """What is said of a picture that cannot be decoded."""
    return Refused("{name} is damaged or incomplete. Open it in a picture editor, save it again, then try again.", name=name)
