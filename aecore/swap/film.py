"""Films from strangers: size, pixels, frames and length are limited before anything is decoded, and again while it is."""

from collections.abc import Iterator
from io import BytesIO

import av
import torch
from av.container import InputContainer
from torch import Tensor

from aecore.data import picture
from aecore.provenance.verifying import CODECS
from aecore.refusal import Refused

MOST_SECONDS = 30
MOST_RATE = 15
"""Frames a second that are kept."""
MOST_DECODED = 4000
"""Frames in all, kept or not: half a minute at 120 a second, and some more."""
LONGER_SIDE = 480
"""Pixels; larger frames are shrunk."""


class Film:
    """An MP4, checked but not yet decoded; ``name`` is only used to speak of it. ``Refused`` for what is no film, or too long or too large."""

    def __init__(self, content: bytes, name: str, most_rate: float = MOST_RATE) -> None:
        self.content, self.name = content, name
        with self._opened() as container:
            stream = container.streams.video[0]
            self.rate = min(float(stream.average_rate or most_rate) or most_rate, most_rate)
            self.seconds = (container.duration or 0) / av.time_base

    def frames(self) -> Iterator[Tensor]:
        """The frames, upright, uint8 ``(3, H, W)``, all of one size; ``Refused`` for what is damaged, or longer than it said."""
        kept, sides = 0, (0, 0)
        try:
            with self._opened() as container:
                stream = container.streams.video[0]
                stream.codec_context.options = {"max_pixels": str(picture.MAX_PIXELS)}
                stream.codec_context.thread_count = 1
                for place, frame in enumerate(container.decode(stream)):
                    time = float(frame.time if frame.time is not None else place / (stream.average_rate or MOST_RATE))
                    if time > MOST_SECONDS + 1 or place > MOST_DECODED:
                        raise _too_long(self.name)
                    if time * self.rate < kept - 0.01:
                        continue
                    kept += 1
                    sides = sides if kept > 1 else _shrunk(frame.width, frame.height, self.name)
                    pixels = frame.to_ndarray(format="rgb24", width=sides[0], height=sides[1])
                    yield torch.from_numpy(pixels).rot90(round(frame.rotation / 90)).permute(2, 0, 1).contiguous()
        except Refused:
            raise
        except Exception as error:  # on crafted bytes the decoders raise what they like
            raise _no_film(self.name) from error
        if not kept:
            raise _no_film(self.name)

    def _opened(self) -> InputContainer:
        try:
            container = av.open(BytesIO(self.content), "r", format="mp4")  # no other demuxer: some of them open further files and addresses
            stream = next(iter(container.streams.video), None)
            if stream is None or stream.codec_context.name not in CODECS:
                raise _no_film(self.name)
            _shrunk(stream.width, stream.height, self.name)
            if container.duration and container.duration / av.time_base > MOST_SECONDS:
                raise _too_long(self.name)
        except Refused:
            raise
        except Exception as error:  # as above
            raise _no_film(self.name) from error
        return container


def is_film(content: bytes) -> bool:
    """Whether the first bytes say that it is an MP4 or one of its kin."""
    return content[4:8] == b"ftyp"


def _shrunk(width: int, height: int, name: str) -> tuple[int, int]:
    """Sides of at most ``LONGER_SIDE``, even."""
    if width <= 0 or height <= 0:
        raise _no_film(name)
    if width * height > picture.MAX_PIXELS:
        raise picture.too_large(name, picture.MAX_PIXELS)
    share = min(1.0, LONGER_SIDE / max(width, height))
    return max(2, round(width * share / 2) * 2), max(2, round(height * share / 2) * 2)


def _too_long(name: str) -> Refused:
    return Refused("{name} is longer than {limit} seconds. Cut out a part of it, then try again.", name=name, limit=MOST_SECONDS)


def _no_film(name: str) -> Refused:
    return Refused("{name} is not a film that can be read here, or it is damaged. Use an MP4 with H.264.", name=name)
