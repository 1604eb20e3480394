"""The one way out for pictures of generated faces: labelled, watermarked and signed.

What takes pictures and gives files is private but for :func:`export`; a test reads the package's names to keep it so.
"""

from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from typing import Literal, get_args

import av
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from aecore.provenance import label, manifest, watermark
from aecore.provenance.manifest import Source
from aecore.refusal import Refused

Format = Literal["png", "jpeg", "webp", "mp4"]
FORMATS: tuple[Format, ...] = get_args(Format)
KINDS: dict[Format, str] = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "mp4": "video/mp4"}
FILMS: tuple[Format, ...] = ("webp", "mp4")
LEAST, MOST = 64, 4096
"""Pixels of the shorter and of the longer side."""
MOST_FRAMES = 900
MOST_PIXELS = 256 << 20
"""Width times height times frames."""
QUALITY = 92
"""Of JPEG and WebP."""
RATE_FACTOR = "18"
"""Of H.264: lower is finer, and 18 is close to the original."""
Progress = Callable[[float], None]


def export(pictures: Tensor, format: Format, source: Source = "generated", rate: float = 25.0, progress: Progress | None = None) -> bytes:
    """A file with one picture ``(3, H, W)`` or the frames of a film ``(N, 3, H, W)``, uint8; always with all three marks.

    Films are "webp" or "mp4", ``rate`` frames a second; an MP4 is made even in width and height. ``source`` says whether the pictures were
    wholly generated or are photographs with a generated part. Raises ``Refused`` for pictures too small, too large or too many.
    """
    frames = pictures if pictures.ndim == 4 else pictures[None]
    _check(frames, format)
    if format == "mp4":
        frames = functional.pad(frames.float(), (0, frames.shape[3] % 2, 0, frames.shape[2] % 2), "replicate").byte()
    return manifest.sign(_encoded(_marked(frames, progress), format, rate), KINDS[format], source)


def _check(frames: Tensor, format: str) -> None:
    if format not in FORMATS:
        raise Refused("There is no format {format}. Choose one of: {choices}.", format=format[:60], choices=", ".join(FORMATS))
    if frames.dtype != torch.uint8 or frames.ndim != 4 or frames.shape[1] != 3 or not len(frames):
        raise Refused("Pictures must be in colour with values from 0 to 255, at least one.")
    count, _, height, width = frames.shape
    if min(height, width) < LEAST or max(height, width) > MOST:
        raise Refused(
            "A picture of {width} × {height} pixels cannot be exported. Each side must have from {least} to {most}.",
            width=width,
            height=height,
            least=LEAST,
            most=MOST,
        )
    if count > 1 and format not in FILMS:
        raise Refused("A film of {count} frames cannot be a {format} file. Choose webp or mp4.", count=count, format=format)
    if count > MOST_FRAMES or count * height * width > MOST_PIXELS:
        raise Refused("This film is too long or too large: {count} frames. Make it shorter, then try again.", count=count)


def _marked(frames: Tensor, progress: Progress | None) -> Tensor:
    """Both marks on each frame, the invisible one as strong on all as the first one needs."""
    marked, strength = [], None
    for place, frame in enumerate(frames):
        done, strength = watermark.embed(label.draw(frame), strength)
        marked.append(done)
        if progress:
            progress((place + 1) / len(frames))
    return torch.stack(marked)


def _encoded(frames: Tensor, format: Format, rate: float) -> bytes:
    pixels = frames.permute(0, 2, 3, 1).contiguous().numpy()
    file = BytesIO()
    if format == "mp4":
        _film(file, pixels, rate)
        return file.getvalue()
    first, *rest = (Image.fromarray(each) for each in pixels)
    film = {"save_all": True, "append_images": rest, "duration": round(1000 / rate), "loop": 0} if rest else {}
    options = {"png": {}, "jpeg": {"quality": QUALITY, "subsampling": 0}, "webp": {"quality": QUALITY}}[format]
    first.save(file, format.upper(), **options, **film)
    return file.getvalue()


def _film(file: BytesIO, pixels: np.ndarray, rate: float) -> None:
    """Frames ``(N, H, W, 3)`` as H.264 in an MP4."""
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream(
            "h264", rate=Fraction(rate).limit_denominator(1000), options={"crf": RATE_FACTOR, "preset": "veryfast"}
        )
        stream.height, stream.width = pixels[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        for each in pixels:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(each, format="rgb24")))
        container.mux(stream.encode())
