"""One picture from a stranger, to be given back as it came: same format, size, mode and alpha; only its colours change."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from aecore.data.own import shown
from aecore.data.picture import damaged, opened
from aecore.refusal import Refused

MAX_BYTES = 200 << 20
MAX_PIXELS = 32 << 20
"""Width times height. Twelve million take 0.7 GB while they are mended."""
QUALITY = 95
"""Of JPEG, and of WebP and HEIC files that were not lossless."""
MODES = ("1", "L", "LA", "I;16", "I;16B", "P", "RGB", "RGBA", "CMYK")
LOSSLESS_TIFF = ("tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "group3", "group4")


@dataclass(frozen=True)
class Photo:
    """A picture that was read: ``colour`` ``(C, H, W)`` float32 in [0, 1], upright, C is 1 for grey; the rest is as it came.

    ``alpha`` is ``(H, W)`` uint8 or None; so is ``black``, the fourth ink of CMYK. ``mode`` and ``format`` are Pillow's names
    of what will be written, ``depth`` the bits of each of its values. ``found_depth`` differs from it in one case:
    colour pictures (and grey ones with alpha) of 16 bits are read and written with 8, because Pillow knows no others; only grey ones keep 16.
    """

    name: str
    colour: Tensor
    alpha: np.ndarray | None
    black: np.ndarray | None
    format: str
    mode: str
    depth: int
    found_depth: int
    options: dict[str, Any]


def read(content: bytes, name: str) -> Photo:
    """A picture from the bytes of a file; of its metadata only the colour profile is kept.

    Its size is looked at before it is decoded. Raises ``Refused`` for what is no picture, too large, animated, damaged,
    or of a kind that Pillow cannot write again. ``name`` is only used to speak of it.
    """
    name = shown(name)
    image = _opened(content, name)
    try:
        found_depth = 16 if any(";16" in str(tile) for tile in getattr(image, "tile", ())) else 8
        kind = "JPEG" if image.format == "MPO" else str(image.format)  # telephones put a second, hidden picture into a JPEG
        if kind != "JPEG" and getattr(image, "is_animated", False):
            raise Refused("{name} has more than one picture in it. Save one of them as a file of its own, then try again.", name=name)
        options = _options(image, kind, content)
        image = _plain(ImageOps.exif_transpose(image))
        if image.mode not in MODES or (kind, image.mode) == ("BMP", "RGBA"):
            raise Refused(
                "{name} has pixels of a kind that cannot be written again ({mode}). Save it as a PNG picture, then try again.",
                name=name,
                mode=image.mode,
            )
        return _taken_apart(image, name, kind, found_depth, options)
    except Refused:
        raise
    except Exception as error:  # on crafted bytes Pillow's parsers raise whatever their unpacking raises
        raise damaged(name) from error


def write(photo: Photo, cleaned: Tensor) -> bytes:
    """The file's bytes with ``cleaned``, of the shape of ``photo.colour``, in place of its colours; nothing else changes.

    JPEG, and WebP and HEIC if they were not lossless, are written anew and so a little different everywhere.
    """
    top = 2**photo.depth - 1
    values = cleaned.mul(top).round_().clamp_(0, top).numpy()
    values = values.astype(np.uint16 if photo.depth == 16 else np.uint8)
    channels = list(values)
    if photo.black is not None:
        channels = _inks(values, photo.black)
    if photo.alpha is not None and photo.mode != "P":
        channels.append(photo.alpha)
    pixels = channels[0] if len(channels) == 1 else np.stack(channels, 2)
    if photo.mode == "1":
        image = Image.fromarray(pixels * np.uint8(255)).convert("1", dither=Image.Dither.NONE)
    elif photo.mode == "P":
        image = _palette(Image.fromarray(pixels), photo.alpha)
    elif photo.mode == "I;16B":
        image = Image.fromarray(pixels.astype(">u2"))
    elif photo.mode == "CMYK" or photo.mode == "LA":
        image = Image.frombytes(photo.mode, pixels.shape[1::-1], pixels.tobytes())
    else:
        image = Image.fromarray(pixels)
    file = BytesIO()
    image.save(file, photo.format, **photo.options)
    return file.getvalue()


def _opened(content: bytes, name: str) -> Image.Image:
    """Kind and size read from the first bytes, nothing decoded yet."""
    if len(content) > MAX_BYTES:
        raise Refused(
            "{name} has more than {limit} MB. Make it smaller in a picture editor, then try again.", name=name, limit=MAX_BYTES >> 20
        )
    return opened(content, name, MAX_PIXELS)


def _options(image: Image.Image, kind: str, content: bytes) -> dict[str, Any]:
    """How to write the file again: colour profile, and how tightly it was packed."""
    options: dict[str, Any] = {}
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes):
        options["icc_profile"] = profile
    if kind in ("JPEG", "HEIF"):
        options["quality"] = QUALITY
    if kind == "JPEG" and image.mode != "L":
        options["subsampling"] = 0
    if kind == "WEBP":
        options |= {"lossless": b"VP8L" in content, "exact": True, "quality": QUALITY}
    if kind == "TIFF" and image.info.get("compression") in (*LOSSLESS_TIFF, "jpeg"):
        options["compression"] = "tiff_adobe_deflate" if image.info["compression"] == "jpeg" else image.info["compression"]
    return options


def _plain(image: Image.Image) -> Image.Image:
    """Without transparency that hangs on a colour: it becomes alpha, except in a palette where pixels are either seen or not."""
    if image.mode == "PA":
        return image.convert("RGBA")
    if image.mode in ("1", "L", "RGB") and "transparency" in image.info:
        return image.convert("RGBA" if image.mode == "RGB" else "LA")
    if image.mode == "P" and image.has_transparency_data:
        over = image.convert("RGBA")
        return image if np.isin(np.asarray(over.getchannel("A")), (0, 255)).all() else over
    return image


def _taken_apart(image: Image.Image, name: str, kind: str, found_depth: int, options: dict[str, Any]) -> Photo:
    mode = image.mode
    alpha = black = None
    if mode == "P":
        over = image.convert("RGBA")
        alpha = np.asarray(over.getchannel("A")) if image.has_transparency_data else None
        pixels = np.asarray(over.convert("RGB"))
    elif mode == "CMYK":
        inks = np.asarray(image)
        black = inks[..., 3].copy()
        pixels = ((255 - inks[..., :3].astype(np.uint16)) * (255 - black[..., None].astype(np.uint16)) + 127) // 255
    else:
        pixels = np.asarray(image)
        if mode in ("LA", "RGBA"):
            alpha = pixels[..., -1].copy()
            pixels = pixels[..., :-1]
    depth = 1 if mode == "1" else 16 if mode.startswith("I;16") else 8
    values = torch.from_numpy(pixels.astype(np.float32)).div_(2**depth - 1)
    colour = values[None] if values.ndim == 2 else values.permute(2, 0, 1)
    return Photo(name, colour, alpha, black, kind, mode, depth, found_depth, options)


def _inks(values: np.ndarray, black: np.ndarray) -> list[np.ndarray]:
    """Cyan, magenta and yellow that give ``values`` ``(3, H, W)`` over the black ink as it was, and that black."""
    paper = np.maximum(255 - black.astype(np.float32), 1)
    return [(255 - np.minimum(each * np.float32(255) / paper, 255).round()).astype(np.uint8) for each in values] + [black]


def _palette(image: Image.Image, alpha: np.ndarray | None) -> Image.Image:
    """The 256 colours that suit best, without patterns; one of them is for what is not seen."""
    if alpha is None:
        return image.quantize(256, dither=Image.Dither.NONE)
    seen = image.quantize(255, dither=Image.Dither.NONE)
    result = Image.fromarray(np.where(alpha == 0, np.uint8(255), np.asarray(seen)))
    result.putpalette(((seen.getpalette() or []) + [0] * 768)[:768])
    result.info["transparency"] = 255
    return result
