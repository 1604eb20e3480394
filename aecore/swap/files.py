"""A face swapped in a file: pictures and short films in, marked ones out."""

from collections.abc import Callable

import numpy as np
import torch
from PIL import ImageOps
from torch import Tensor

from aecore.data import picture
from aecore.provenance import Format, export
from aecore.refusal import Refused
from aecore.swap import align
from aecore.swap.blend import Finish, blend, swap
from aecore.swap.film import Film, is_film
from aecore.swap.joins import Join

MOST_SIDE = 1280
"""Pixels of the longer side of a picture; larger ones are shrunk."""
FORMATS = ("PNG", "JPEG", "WEBP", "HEIF", "BMP", "TIFF")
"""No GIF: a film in which each frame may be a bomb."""
Progress = Callable[[float], None]


def swapped(
    content: bytes,
    name: str,
    join: Join,
    source: str,
    target: str,
    finish: Finish,
    format: Format = "png",
    progress: Progress | None = None,
) -> tuple[bytes, Format, int]:
    """A picture or film of ``source`` with the face of ``target``: a file with all marks, its format, and how many frames were left as they were.

    Those are frames of a film in which no one good face was found. ``format`` is of pictures; a film becomes an MP4. ``name`` is only used to
    speak of the file. Raises ``Refused`` for a bad file, a picture without one good face, and a film without any.
    """
    if not is_film(content):
        result = swap(read_picture(content, name), join, source, target, finish).result
        return export(result, format, "composite"), format, 0
    film, left, done = Film(content, name), list[Refused](), list[Tensor]()
    for frame in film.frames():
        try:
            done.append(blend(frame, align.place(frame, join.model.size), join, source, target, finish).result)
        except Refused as refused:
            left.append(refused)
            done.append(frame)
        if progress:
            progress(0.5 * min(1.0, len(done) / max(1.0, film.seconds * film.rate)))
    if len(left) == len(done):
        raise left[0]
    marked = export(torch.stack(done), "mp4", "composite", film.rate, (lambda share: progress(0.5 + share / 2)) if progress else None)
    return marked, "mp4", len(left)


def read_picture(content: bytes, name: str) -> Tensor:
    """A picture, upright, uint8 ``(3, H, W)``, of ``MOST_SIDE`` at most. Raises ``Refused`` for what is none, or too large or damaged."""
    if content[:4] == b"GIF8":
        raise Refused("{name} is a GIF. Send a PNG or JPEG picture, or an MP4 film.", name=name)
    image = picture.opened(content, name, formats=FORMATS)
    try:
        image.draft("RGB", (MOST_SIDE, MOST_SIDE))
        image = picture.eight_bit(ImageOps.exif_transpose(image)).convert("RGB")
        image.thumbnail((MOST_SIDE, MOST_SIDE))
        return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()
    except Exception as error:  # on crafted bytes Pillow's parsers raise whatever their unpacking raises
        raise picture.damaged(name) from error
