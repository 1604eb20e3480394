"""The .aec file: who wrote it, how large the picture is, and its streams. FORMAT.md says what each byte means."""

from dataclasses import dataclass
from zlib import crc32

from aecore.refusal import Refused

MAGIC = b"aec"
VERSION = 1
PHOTO, FIXED = 0, 1
"""Kinds: a photograph of any size; a picture whose size its model knows."""
START = 12
"""Bytes before what depends on the kind."""
MOST_BYTES = 64 << 20
MOST_PIXELS = 32 << 20
TILE = 1024
"""Sides of a tile in pixels; each has a stream of its own."""


@dataclass(frozen=True)
class Parcel:
    """What a file holds. ``digest`` are 4 bytes of its model's; size, ``channels`` (3 or 1) and ``quality`` (0 to 100) are 0 where the model knows them."""

    kind: int
    digest: bytes
    streams: tuple[bytes, ...]
    channels: int = 0
    width: int = 0
    height: int = 0
    quality: int = 0


def write(parcel: Parcel) -> bytes:
    """The file's bytes."""
    if parcel.kind == FIXED:
        rest = parcel.streams[0]
    else:
        head = bytes([parcel.channels]) + _varint(parcel.width) + _varint(parcel.height) + bytes([parcel.quality])
        rest = head + b"".join(_varint(len(each)) + each for each in parcel.streams)
    start = MAGIC + bytes([parcel.kind << 4 | VERSION]) + parcel.digest
    return start + crc32(rest, crc32(start)).to_bytes(4, "little") + rest


def read(content: bytes) -> Parcel:
    """What a file holds that may come from a stranger. Raises ``Refused`` for what is no such file, newer, incomplete or changed.

    Nothing is set aside for sizes that the file only claims.
    """
    if len(content) > MOST_BYTES:
        raise Refused("This file has more than {limit} MB, so it is not opened.", limit=MOST_BYTES >> 20)
    if not content.startswith(MAGIC):
        raise Refused("This is not an .aec file. Choose one that was compressed here.")
    if len(content) < START:
        raise _incomplete()
    kind, version = divmod(content[3], 16)
    if version > VERSION:
        raise Refused(
            "This file is of format {version}, and this version reads format {known}. Use the version of the lab that wrote it.",
            version=version,
            known=VERSION,
        )
    if version != VERSION or kind not in (PHOTO, FIXED):
        raise _changed()
    parcel = Parcel(FIXED, content[4:8], (content[START:],)) if kind == FIXED else _photo(content)
    if crc32(content[START:], crc32(content[:8])) != int.from_bytes(content[8:START], "little"):
        raise _changed()
    return parcel


def tiles(width: int, height: int) -> list[tuple[slice, slice]]:
    """Rows and columns of each tile in pixels, row by row."""
    rows, columns = ([slice(at, min(at + TILE, size)) for at in range(0, size, TILE)] for size in (height, width))
    return [(row, column) for row in rows for column in columns]


def _photo(content: bytes) -> Parcel:
    """Channels, width, height, quality, then each stream after its length."""
    at = START + 1
    width, at = _number(content, at)
    height, at = _number(content, at)
    if at >= len(content):
        raise _incomplete()
    channels, quality = content[START], content[at]
    if channels not in (1, 3) or quality > 100 or not width or not height:
        raise _changed()
    if -(-width // 16) * -(-height // 16) * 256 > MOST_PIXELS:
        raise Refused(
            "This file claims {width} x {height} pixels, and at most {limit} are opened.", width=width, height=height, limit=MOST_PIXELS
        )
    at += 1
    streams = []
    for _ in range(-(-width // TILE) * -(-height // TILE)):
        length, at = _number(content, at)
        if at + length > len(content):
            raise _incomplete()
        streams.append(content[at : at + length])
        at += length
    if at != len(content):
        raise _changed()
    return Parcel(PHOTO, content[4:8], tuple(streams), channels, width, height, quality)


def _varint(number: int) -> bytes:
    """Seven bits a byte, lowest first; the highest bit says that more follow."""
    result = bytearray()
    while number >= 128:
        result.append(number & 127 | 128)
        number >>= 7
    return bytes([*result, number])


def _number(content: bytes, at: int) -> tuple[int, int]:
    """The number at a place, at most 28 bits, and the place after it."""
    value = 0
    for shift in range(0, 28, 7):
        if at >= len(content):
            raise _incomplete()
        value |= (content[at] & 127) << shift
        at += 1
        if content[at - 1] < 128:
            return value, at
    raise _changed()


def _incomplete() -> Refused:
    return Refused("The end of this file is missing. Ask for it again.")


def _changed() -> Refused:
    return Refused("This file has changed since it was written, so it is not opened. Ask for it again.")
