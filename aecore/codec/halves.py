"""The two halves of the photo codec: one writes files, the other reads them. Each can be loaded without the other."""

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional

from aecore.codec import coding, container
from aecore.codec.container import PHOTO, Parcel
from aecore.codec.entropy import Models
from aecore.codec.integers import UNIT, Rounds
from aecore.codec.photo import LEVELS, Decoder, Encoder, PhotoCodec, mixture
from aecore.codec.tables import Tables
from aecore.codec.transform import BLOCK
from aecore.refusal import Refused

EDGE = 8
"""Blocks around a tile that the networks see as well: as far as they reach, so that tiles leave no seams."""
WIDTHS, BLOCKS = (64, 128, 192), (2, 2, 1)
Progress = Callable[[float], None]
Stopped = Callable[[], bool]


class _Half(nn.Module):
    """What both halves need: the context model in whole numbers, its tables, and the name of their whole."""

    def __init__(self) -> None:
        super().__init__()
        self.rounds = Rounds(LEVELS)
        self.tables = Tables()
        self.digest = bytes(4)

    @cached_property
    def models(self) -> Models:
        """The tables, made ready once; ``Refused`` where they are none."""
        if not self.rounds.fits():
            raise Refused("These weights do not fit the model that the card describes. Choose the two files that were saved together.")
        return Models(self.tables.each())


class PhotoEncoder(_Half):
    """Pictures to files."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder(WIDTHS, BLOCKS)

    @torch.no_grad()
    def code(self, picture: Tensor, quality: int, tile: tuple[slice, slice]) -> Tensor:
        """The scaled code ``(C, h, w)`` of one tile of a picture ``(C, H, W)`` in [0, 1], which may see a little beyond its edge."""
        shares = mixture(torch.tensor([float(quality)]))
        around = tuple(slice(max(0, each.start - EDGE * BLOCK), each.stop + EDGE * BLOCK) for each in tile)
        seen = picture[:, around[0], around[1]].expand(3, -1, -1)[None]
        height, width = seen.shape[2:]
        padded = functional.pad(seen, (0, -width % BLOCK, 0, -height % BLOCK), mode="replicate")
        code = self.encoder(padded.contiguous(memory_format=torch.channels_last), shares)[0]
        rows, columns = (
            slice((each.start - edge.start) // BLOCK, (each.start - edge.start) // BLOCK - (each.start - each.stop) // BLOCK)
            for each, edge in zip(tile, around, strict=True)
        )
        return code[:, rows, columns]

    def write(
        self, picture: Tensor, quality: int, progress: Progress | None = None, stopped: Stopped | None = None
    ) -> tuple[bytes, float] | None:
        """A picture ``(C, H, W)`` in [0, 1], C is 3 or 1, to a file and the bits that the tables promised for its streams.

        Quality is a whole number from 0 to 100. After each tile ``progress`` hears the share that is done; where
        ``stopped`` says so the result is None. Raises ``Refused`` for more pixels than a file may have.
        """
        channels, height, width = picture.shape
        if -(-width // BLOCK) * -(-height // BLOCK) * BLOCK**2 > container.MOST_PIXELS:
            raise Refused(
                "The picture has {width} x {height} pixels, and at most {limit} can be compressed. Make it smaller.",
                width=width,
                height=height,
                limit=container.MOST_PIXELS,
            )
        places = container.tiles(width, height)
        streams: list[bytes] = []
        promised = 0.0
        for done, tile in enumerate(places, 1):
            if stopped is not None and stopped():
                return None
            stream, bits = coding.write(self.rounds, self.models, self.code(picture, quality, tile), quality)
            streams.append(stream)
            promised += bits
            if progress is not None:
                progress(done / len(places))
        return container.write(Parcel(PHOTO, self.digest, tuple(streams), channels, width, height, quality)), promised


class PhotoDecoder(_Half):
    """Files to pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.decoder = Decoder(WIDTHS, BLOCKS)

    def read(self, content: bytes, progress: Progress | None = None, stopped: Stopped | None = None) -> Tensor | None:
        """The picture, uint8 ``(C, H, W)``, of a file that may come from a stranger; ``Refused`` for what was not written for this model."""
        parcel = container.read(content)
        check(parcel, PHOTO, self.digest)
        code = self.code(parcel, progress, stopped)
        return None if code is None else self.picture(code, parcel, progress, stopped)

    @torch.no_grad()
    def code(self, parcel: Parcel, progress: Progress | None = None, stopped: Stopped | None = None) -> Tensor | None:
        """The whole code in 1/64, int32 ``(C, h, w)``; it is the same on every machine."""
        places = container.tiles(parcel.width, parcel.height)
        parts = []
        for done, (stream, tile) in enumerate(zip(parcel.streams, places, strict=True), 1):
            if stopped is not None and stopped():
                return None
            height, width = (-(-(each.stop - each.start) // BLOCK) for each in tile)
            parts.append((tile, coding.read(self.rounds, self.models, stream, height, width, parcel.quality)))
            if progress is not None:
                progress(0.5 * done / len(places))
        code = torch.empty(len(parts[0][1]), -(-parcel.height // BLOCK), -(-parcel.width // BLOCK), dtype=torch.int32)
        for (rows, columns), part in parts:
            code[:, rows.start // BLOCK :, columns.start // BLOCK :][:, : part.shape[1], : part.shape[2]] = part
        return code

    @torch.no_grad()
    def picture(self, code: Tensor, parcel: Parcel, progress: Progress | None = None, stopped: Stopped | None = None) -> Tensor | None:
        """What the networks make of a code, uint8 ``(C, H, W)``."""
        shares = mixture(torch.tensor([float(parcel.quality)]))
        result = torch.empty(parcel.channels, parcel.height, parcel.width, dtype=torch.uint8)
        places = container.tiles(parcel.width, parcel.height)
        for done, tile in enumerate(places, 1):
            if stopped is not None and stopped():
                return None
            around = tuple(slice(max(0, each.start // BLOCK - EDGE), -(-each.stop // BLOCK) + EDGE) for each in tile)
            output = self.decoder(
                (code[:, around[0], around[1]].float() / UNIT)[None].contiguous(memory_format=torch.channels_last), shares
            )[0]
            rows, columns = (
                slice(each.start - edge.start * BLOCK, each.stop - edge.start * BLOCK) for each, edge in zip(tile, around, strict=True)
            )
            colours = output[:, rows, columns]
            if parcel.channels == 1:
                colours = colours.mean(0, keepdim=True)
            result[:, tile[0], tile[1]] = (colours.clamp(0, 1) * 255).round().to(torch.uint8)
            if progress is not None:
                progress(0.5 + 0.5 * done / len(places))
        return result


class Photos(nn.Module):
    """Both halves, as they are saved: what they share is there once."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder(WIDTHS, BLOCKS)
        self.decoder = Decoder(WIDTHS, BLOCKS)
        self.rounds = Rounds(LEVELS)
        self.tables = Tables()

    @classmethod
    def of(cls, learnt: PhotoCodec) -> "Photos":
        """A learnt codec with its context model in whole numbers; its tables are still empty."""
        result = cls()
        result.encoder.load_state_dict(learnt.encoder.state_dict())
        result.decoder.load_state_dict(learnt.decoder.state_dict())
        result.rounds.freeze(learnt.context)
        return result


def halves(whole: Photos, digest: bytes) -> tuple[PhotoEncoder, PhotoDecoder]:
    """Both halves of a whole; ``digest`` is of its file's bytes."""
    result = PhotoEncoder(), PhotoDecoder()
    for half in result:
        state = {name: value for name, value in whole.state_dict().items() if name in half.state_dict()}
        half.load_state_dict(state)
        half.digest = digest[:4]
        half.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    return result


def check(parcel: Parcel, kind: int, digest: bytes) -> None:
    """Raise ``Refused`` for a file that another model has written."""
    if (parcel.kind, parcel.digest) != (kind, digest):
        raise Refused("This file was written by another model. Choose the decoder that belongs to it.")
