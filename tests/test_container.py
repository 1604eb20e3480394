"""A file that has been tampered with is refused in a sentence: no crash, no hang, no wrong picture."""

import random
from zlib import crc32

import pytest
import torch

from aecore.codec import container
from aecore.codec.container import FIXED, PHOTO, Parcel
from aecore.codec.fixed import FixedDecoder, codec, measured
from aecore.models import build
from aecore.refusal import Refused

PARCEL = Parcel(PHOTO, b"abcd", (b"12345", b"", b"678"), 3, 2100, 700, 42)


def test_what_is_written_is_read_and_the_header_is_short() -> None:
    content = container.write(PARCEL)
    assert container.read(content) == PARCEL
    assert len(content) - 8 <= 40
    small = Parcel(FIXED, b"abcd", (b"1234",))
    assert container.read(container.write(small)) == small
    assert len(container.write(small)) - 4 == 12


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        (b"", "not an .aec file"),
        (b"GIF89a", "not an .aec file"),
        (container.write(PARCEL)[:9], "end of this file is missing"),
        (container.write(PARCEL)[:-1], "end of this file is missing"),
        (container.write(PARCEL) + b"x", "has changed"),
        (container.write(PARCEL)[:-1] + b"9", "has changed"),
        (b"aec\x02" + container.write(PARCEL)[4:], "format 2"),
        (b"aec\x21" + container.write(PARCEL)[4:], "has changed"),
    ],
)
def test_each_kind_of_harm_has_its_sentence(spoilt: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        container.read(spoilt)


@pytest.mark.parametrize(("width", "height"), [(1 << 27, 1 << 27), (1 << 22, 1), (1, 1 << 22), (8192, 8192), (0, 5)])
def test_huge_declared_sizes_are_refused_although_the_checksum_is_right(width: int, height: int) -> None:
    with pytest.raises(Refused):
        container.read(container.write(Parcel(PHOTO, b"abcd", (b"1",) * 64, 3, width, height, 50)))


def test_ten_thousand_mutated_files_are_refused_or_the_same() -> None:
    draw = random.Random(0)
    whole = container.write(PARCEL)
    other = container.write(Parcel(FIXED, b"efgh", (bytes(range(40)),)))
    for _ in range(10_000):
        content = mutated(whole, other, draw)
        try:
            parcel = container.read(content)
        except Refused:
            continue
        assert content in (whole, other) and parcel == container.read(content)


def test_mutated_streams_with_a_right_checksum_give_a_picture_or_a_refusal() -> None:
    """Whoever can compute a checksum can write a file of another picture, but cannot make the reader crash."""
    pictures = torch.randint(0, 256, (50, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    model = build("undercomplete", (1, 8, 8), code=8)
    encoder, decoder = codec(model, measured(model, pictures))
    content, _ = encoder.write(pictures[0].float() / 255)
    draw = random.Random(1)
    outcomes = {outcome(decoder, signed(content[:12] + mutated(content[12:], b"\xff" * 30, draw))) for _ in range(2000)}
    assert outcomes == {"picture", "refused"}


def mutated(content: bytes, other: bytes, draw: random.Random) -> bytes:
    """A copy with a flipped bit, a lost end, a foreign head, a changed run, or a large number."""
    changed = bytearray(content)
    place = draw.randrange(len(content))
    kind = draw.randrange(5)
    if kind == 0:
        changed[place] ^= 1 << draw.randrange(8)
    elif kind == 1:
        del changed[place:]
    elif kind == 2:
        changed[:place] = other[:place]
    elif kind == 3:
        changed[place : place + 4] = draw.randbytes(draw.randrange(8))
    else:
        changed[place:place] = b"\xff\xff\xff\x7f"
    return bytes(changed)


def signed(content: bytes) -> bytes:
    """With the checksum that belongs to it."""
    return content[:8] + crc32(content[12:], crc32(content[:8])).to_bytes(4, "little") + content[12:]


def outcome(decoder: FixedDecoder, content: bytes) -> str:
    try:
        return "picture" if decoder.read(content).shape == (1, 8, 8) else "wrong"
    except Refused:
        return "refused"
