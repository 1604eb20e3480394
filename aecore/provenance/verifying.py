"""All three marks, read from a stranger's file. Size, pixels, frames and length are limited before anything is decoded."""

from dataclasses import dataclass
from io import BytesIO

import av
import numpy as np
import torch
from PIL import ImageOps
from torch import Tensor

from aecore.data import picture
from aecore.data.own import shown
from aecore.provenance import label, manifest, watermark
from aecore.provenance.label import Sight
from aecore.provenance.manifest import Statement
from aecore.provenance.watermark import Trace
from aecore.refusal import Refused

MOST_BYTES = 64 << 20
MOST_SECONDS = 600
"""Of a film."""
LOOKED_AT = 8
"""Frames of a film that are looked at, from its beginning; fewer if they are large."""
LEAST = 32
"""Pixels of the shorter side; below it the marks have nothing to be in."""
CODECS = ("h264", "hevc", "vp9", "av1", "mpeg4")
KINDS = {each: f"image/{each.lower()}" for each in ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP")} | {
    "MPO": "image/jpeg",
    "MP4": "video/mp4",
}


@dataclass(frozen=True, eq=False)
class Findings:
    """What was found in a file of a ``kind`` such as "PNG": its first ``frame`` ``(3, H, W)`` uint8, the two marks on it, and its manifest.

    ``frames`` is how many were looked at together for the invisible mark.
    """

    kind: str
    frame: Tensor
    frames: int
    visible: Sight
    invisible: Trace
    manifest: Statement

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self.frame.numel()


def verify(content: bytes, name: str, search: bool = True) -> Findings:
    """Look for all marks in a file's bytes; ``name`` is only used to speak of it.

    Without the ``search`` for cut-outs and turned pictures it takes a fraction of a second. Raises ``Refused`` for what is neither picture nor
    film, and for what is too large, too long, too small or damaged.
    """
    name = shown(name)
    if len(content) > MOST_BYTES:
        raise Refused("{name} has more than {limit} MB, so it is not read. Send a smaller file.", name=name, limit=MOST_BYTES >> 20)
    kind, frames = ("MP4", _film(content, name)) if content[4:8] == b"ftyp" else _picture(content, name)
    if min(frames.shape[2:]) < LEAST:
        raise Refused("{name} is too small to carry a mark: less than {least} pixels. Send a larger one.", name=name, least=LEAST)
    return Findings(
        kind, frames[0], len(frames), label.look(frames[0]), watermark.detect(frames, search), manifest.read(content, KINDS[kind])
    )


def _picture(content: bytes, name: str) -> tuple[str, Tensor]:
    """Kind and first frames ``(N, 3, H, W)``, upright, over white where they are transparent."""
    image = picture.opened(content, name)
    most = max(1, min(LOOKED_AT, picture.MAX_PIXELS // max(1, image.width * image.height)))
    frames: list[Tensor] = []
    try:
        for place in range(most if image.format != "MPO" else 1):
            try:
                image.seek(place)
            except EOFError:
                break
            upright = ImageOps.exif_transpose(image) if place == 0 else image
            frames.append(torch.from_numpy(np.array(picture.eight_bit(upright).convert("RGB"))).permute(2, 0, 1))
    except Exception as error:  # on crafted bytes Pillow's parsers raise whatever their unpacking raises
        raise picture.damaged(name) from error
    if image.format == "TIFF" or len({each.shape for each in frames}) > 1:  # its pages are pictures of their own
        frames = frames[:1]
    return str(image.format), torch.stack(frames)


def _film(content: bytes, name: str) -> Tensor:
    """The first frames ``(N, 3, H, W)`` of an MP4. What its header says of size and length is not trusted for the frames themselves."""
    frames: list[Tensor] = []
    try:
        with av.open(BytesIO(content), "r", format="mp4") as container:  # no other demuxer: some of them open further files and addresses
            stream = next(iter(container.streams.video), None)
            if stream is None or stream.codec_context.name not in CODECS:
                raise _no_film(name)
            _check(stream.width, stream.height, name)
            if container.duration and container.duration / av.time_base > MOST_SECONDS:
                raise Refused(
                    "{name} is longer than {limit} minutes. Cut out a part of it, then try again.", name=name, limit=MOST_SECONDS // 60
                )
            stream.codec_context.options = {"max_pixels": str(picture.MAX_PIXELS)}
            stream.codec_context.thread_count = 1
            most = max(1, min(LOOKED_AT, picture.MAX_PIXELS // (stream.width * stream.height)))
            for frame in container.decode(stream):
                _check(frame.width, frame.height, name)
                frames.append(torch.from_numpy(frame.to_ndarray(format="rgb24")).permute(2, 0, 1))
                if len(frames) == most or frames[-1].shape != frames[0].shape:
                    break
    except Refused:
        raise
    except Exception as error:  # on crafted bytes the decoders raise what they like
        raise _no_film(name) from error
    if not frames:
        raise _no_film(name)
    return torch.stack([each for each in frames if each.shape == frames[0].shape])


def _check(width: int, height: int, name: str) -> None:
    if width <= 0 or height <= 0:
        raise _no_film(name)
    if width * height > picture.MAX_PIXELS:
        raise picture.too_large(name, picture.MAX_PIXELS)


def _no_film(name: str) -> Refused:
    return Refused("{name} is not a film that can be read here, or it is damaged. Use an MP4 with H.264.", name=name)
