"""A visitor's own pictures: what is made of good ones, and one clear sentence for each bad one."""

import io
import struct
import time
import tracemalloc
import warnings
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image

from aecore.data import digest, own, picture, read_pictures, zipped
from aecore.refusal import Refused

RNG = np.random.default_rng(0)


def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def noise(width: int = 30, height: int = 30, mode: str = "RGB") -> Image.Image:
    shape = (height, width, 3) if mode == "RGB" else (height, width)
    return Image.fromarray(RNG.integers(0, 256, shape, dtype=np.uint8))


def some(count: int) -> list[tuple[str, bytes]]:
    return [(f"{place:03}.png", encode(noise())) for place in range(count)]


def pack(files: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return file.getvalue()


def one(image: Image.Image, kind: str = "PNG", size: int = 32, colour: bool = True, **options: object) -> np.ndarray:
    """What becomes of one picture, (C, size, size)."""
    return picture.squared(picture.opened(encode(image, kind, **options), "x"), "x", size, colour)


def png(width: int, height: int) -> bytes:
    """A PNG whose header claims a size, with hardly anything behind it."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


# Good pictures


def test_loose_pictures_become_one_class_parted_four_to_one() -> None:
    own_pictures = read_pictures(some(50), 28, colour=True)
    images = own_pictures.images
    assert images.train.shape == (40, 3, 28, 28) and images.test.shape == (10, 3, 28, 28)
    assert images.classes == ("own",) and own_pictures.skipped == ()


@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize(("colour", "channels"), [(True, 3), (False, 1)])
def test_size_and_colour_are_as_asked(size: int, colour: bool, channels: int) -> None:
    assert read_pictures(some(20), size, colour).images.shape == (channels, size, size)


def test_every_picture_is_kept_once_and_exactly() -> None:
    # 28 x 28 grey needs no change at all.
    pixels = RNG.integers(0, 256, (30, 28, 28), dtype=np.uint8)
    images = read_pictures([(f"{i}.png", encode(Image.fromarray(p))) for i, p in enumerate(pixels)], 28, colour=False).images
    every = torch.cat([images.train, images.test])[:, 0].numpy()
    assert sorted(p.tobytes() for p in every) == sorted(p.tobytes() for p in pixels)


def test_folders_of_a_zip_are_the_classes_and_each_is_parted() -> None:
    red, blue = encode(Image.new("RGB", (40, 40), "red")), encode(Image.new("RGB", (40, 40), "blue"))
    bundle = pack([(f"all/red/{i}.png", red) for i in range(30)] + [(f"all/azul/{i}.png", blue) for i in range(20)])
    images = read_pictures([("mine.zip", bundle)], 32, colour=True).images
    assert images.classes == ("azul", "red")
    assert torch.bincount(images.train_labels).tolist() == [16, 24] and torch.bincount(images.test_labels).tolist() == [4, 6]
    assert images.test[images.test_labels == 1].float().mean((0, 2, 3)).tolist() == [255, 0, 0]
    assert images.train[images.train_labels == 0].float().mean((0, 2, 3)).tolist() == [0, 0, 255]


def test_small_classes_are_parted_too() -> None:
    bundle = pack([(f"{place % 10}/{name}", content) for place, (name, content) in enumerate(some(50))])
    images = read_pictures([("z.zip", bundle)], 28, colour=False).images
    assert torch.bincount(images.train_labels).tolist() == [4] * 10 and torch.bincount(images.test_labels).tolist() == [1] * 10


def test_a_seed_parts_always_alike_and_another_differently() -> None:
    files = some(40)
    first, again, other = (read_pictures(files, 28, True, seed).images for seed in (1, 1, 2))
    assert digest(first) == digest(again) != digest(other)


def test_junk_in_a_zip_is_left_out_without_a_word() -> None:
    junk = [("__MACOSX/a/._1.png", b"x"), ("a/.DS_Store", b"x"), ("a/._2.png", b"x"), ("read me.txt", b"x"), ("a/more.zip", pack(some(5)))]
    own_pictures = read_pictures([("z.zip", pack([("a/", b""), *junk, *((f"a/{name}", content) for name, content in some(20))]))], 28, True)
    assert len(own_pictures.images.train) == 16 and own_pictures.skipped == () and own_pictures.images.classes == ("a",)


def test_names_from_a_mac_and_from_windows_are_read() -> None:
    content = encode(noise())
    # Written as UTF-8 without the flag that says so, and with the accent as a letter of its own.
    bundle = pack([(f"pa~~o/{i}.png", content) for i in range(20)]).replace(b"pa~~o", "pa\u0303o".encode())
    assert read_pictures([("z.zip", bundle)], 28, True).images.classes == ("p\u00e3o",)
    bundle = pack([(f"./cats|{i}.png", content) for i in range(20)]).replace(b"cats|", b"cats\\")
    assert read_pictures([("z.zip", bundle)], 28, True).images.classes == ("cats",)


def test_several_zips_and_files_together() -> None:
    images = read_pictures([("a.zip", pack(some(10))), ("b.zip", pack([("dog/1.png", encode(noise()))])), *some(10)], 28, True).images
    assert len(images.train) + len(images.test) == 21 and images.classes == ("dog", "own")


def test_progress_rises_to_one() -> None:
    heard: list[float] = []
    read_pictures(some(20), 28, True, progress=heard.append)
    assert heard == sorted(heard) and heard[-1] == 1.0 and len(heard) > 10


# What is made of one picture


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured(orientation: int) -> None:
    upright = np.zeros((64, 64), np.uint8)
    upright[:32, :32], upright[:32, 32:], upright[32:, :32] = 250, 170, 90
    # How a camera held in each way stores what was upright: the inverse of what the EXIF standard says to do.
    stored: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        1: lambda p: p,
        2: np.fliplr,
        3: lambda p: np.rot90(p, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda p: np.rot90(p, 1),
        7: lambda p: np.rot90(p, 2).T,
        8: lambda p: np.rot90(p, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(stored[orientation](upright)))
    seen = one(image, "JPEG", 32, False, exif=exif, quality=95)[0]
    corners = [int(seen[y, x]) for y in (8, 24) for x in (8, 24)]
    assert np.abs(np.array(corners) - [250, 170, 90, 0]).max() < 6


def test_the_middle_square_is_cut_out() -> None:
    wide = np.zeros((40, 120), np.uint8)
    wide[:, 40:80] = 200
    assert np.unique(one(Image.fromarray(wide), size=28, colour=False)[:, 4:-4, 4:-4]).tolist() == [200]
    assert np.unique(one(Image.fromarray(wide.T.copy()), size=28, colour=False)[:, 4:-4, 4:-4]).tolist() == [200]


def test_shrinking_is_antialiased_also_from_a_large_jpeg() -> None:
    # One-pixel stripes: their mean is grey, while taking every n-th pixel would give black or white.
    stripes = np.zeros((1024, 1024), np.uint8)
    stripes[:, ::2] = 255
    for kind in ("PNG", "JPEG"):
        assert np.abs(one(Image.fromarray(stripes), kind, 32, False).astype(int) - 127).max() < 6


def test_transparency_lies_over_white() -> None:
    assert one(Image.new("RGBA", (40, 40), (255, 0, 0, 0))).min() == 255
    half = one(Image.new("RGBA", (40, 40), (255, 0, 0, 128)))
    assert half[0].min() == 255 and abs(int(half[1, 5, 5]) - 127) <= 1
    palette = Image.new("P", (40, 40), 0)
    palette.putpalette([10, 20, 30])
    assert one(palette, "PNG")[:, 5, 5].tolist() == [10, 20, 30]
    assert one(palette, "PNG", transparency=0).min() == 255
    assert one(Image.new("LA", (40, 40), (0, 0)), colour=False).min() == 255


def test_sixteen_bits_keep_their_brightness() -> None:
    assert np.unique(one(Image.fromarray(np.full((40, 40), 0x8000, np.uint16)), colour=False)).tolist() == [128]
    assert np.unique(one(Image.fromarray(np.full((40, 40), 0xFFFF, np.uint16)), "TIFF", colour=True)).tolist() == [255]
    ramp = np.tile(np.linspace(-3, 7, 32, dtype=np.float32), (32, 1))
    floats = one(Image.fromarray(ramp), "TIFF", 32, False)[0]
    assert floats[0, 0] == 0 and floats[0, -1] == 255 and abs(int(floats[0, 16]) - 132) <= 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_each_format_is_read(kind: str) -> None:
    assert np.abs(one(Image.new("RGB", (40, 40), (200, 100, 50)), kind)[:, 9, 9].astype(int) - [200, 100, 50]).max() < 8


def test_other_modes_are_read() -> None:
    assert np.abs(one(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG")[:, 9, 9].astype(int) - [255, 0, 0]).max() < 8
    assert one(Image.new("1", (40, 40), 1), colour=False).min() == 255
    # Luma of pure green is 0.587 of full: ITU-R BT.601.
    assert one(Image.new("RGB", (40, 40), (0, 255, 0)), colour=False)[0, 9, 9] == 150


# Hostile files: one sentence each, within little time and memory


def refused(files: list[tuple[str, bytes]], sentence: str, most_seconds: float = 1.0, most_bytes: int = 30 << 20) -> Refused:
    """Assert that ``files`` are refused with a sentence that contains this, without much work."""
    tracemalloc.start()
    start = time.thread_time()
    try:
        with pytest.raises(Refused) as refusal:
            read_pictures(files, 28, True)
        seconds = time.thread_time() - start
        assert tracemalloc.get_traced_memory()[1] < most_bytes
    finally:
        tracemalloc.stop()
    assert sentence in str(refusal.value)
    assert seconds < most_seconds
    return refusal.value


def test_a_header_that_claims_2500_megapixels() -> None:
    refused([("huge.png", png(50_000, 50_000))], "huge.png has more than 16 million pixels")


def test_a_header_between_the_limit_and_pillows_own() -> None:
    # Pillow itself says nothing up to 89 million pixels, and only warns up to 179 million.
    refused([("large.png", png(5_000, 5_000))], "large.png has more than 16 million pixels")
    refused([("warned.png", png(10_000, 10_000))], "warned.png has more than 16 million pixels")


def test_huge_pictures_in_a_zip_are_never_decoded() -> None:
    bundle = pack([(f"{i}.png", png(50_000, 50_000)) for i in range(30)])
    refused([("z.zip", bundle)], "None of these 30 files is a picture")


def test_a_great_many_pixels_in_small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "MAX_PIXELS_IN_ALL", 30_000)
    refused(some(40), "pixels together")


def test_a_zip_bomb() -> None:
    bundle = pack([(f"{i}.png", b"\0" * (7 << 20)) for i in range(3)])
    assert len(bundle) < 100_000
    refused([("bomb.zip", bundle)], "bomb.zip would unpack to more than 100 times its size")


def test_a_zip_that_unpacks_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "MAX_BYTES_IN_ALL", 1 << 20)
    bundle = pack([(f"{i}.bmp", encode(Image.new("RGB", (200, 200)), "BMP")) for i in range(20)])
    assert len(bundle) < 1 << 20
    refused([("z.zip", bundle)], "more than 1 MB together")


def test_a_zip_that_lies_about_its_sizes_is_read_no_further_than_it_says() -> None:
    content = b"\0" * (5 << 20)
    lying = pack([("1.png", content)]).replace(struct.pack("<I", len(content)), struct.pack("<I", 100))
    refused([("z.zip", lying)], "1.png is damaged inside its ZIP", most_bytes=2 << 20)


def test_a_zip_compressed_by_a_method_that_cannot_be_bounded() -> None:
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        refused([("z.zip", pack(some(3), method))], "compressed in an unusual way")


@pytest.mark.parametrize(
    "name", ["../../etc/a.png", "a/../../b.png", "/etc/a.png", "..\\a.png", "C:\\a.png", "ok/../a.png", "../notes.txt"]
)
def test_a_zip_that_names_files_outside_itself(name: str) -> None:
    refused([("z.zip", pack([(name.replace("\\", "|"), encode(noise()))]).replace(b"|", b"\\"))], "z.zip is not safe")


def test_a_loose_name_is_never_a_path() -> None:
    images = read_pictures([("../../" + name, content) for name, content in some(20)], 28, True).images
    assert images.classes == ("own",)


def test_a_text_named_png() -> None:
    refused(
        [("notes.png", b"Dear diary, today I learnt about autoencoders.")], "notes.png is not a picture that can be read here. Use a PNG"
    )


def test_an_empty_zip() -> None:
    refused([("empty.zip", pack([]))], "empty.zip holds no picture")
    refused([("folders.zip", pack([("a/", b""), ("a/b.txt", b"x")]))], "folders.zip holds no picture")
    refused([("zero.zip", b"")], "zero.zip is not a whole ZIP file")


def test_a_damaged_zip() -> None:
    refused([("cut.zip", pack(some(20))[:-500])], "cut.zip is not a whole ZIP file")
    refused([("text.zip", b"hello")], "text.zip is not a whole ZIP file")


def many_entries(count: int) -> bytes:
    """A ZIP of many empty files, written by hand because zipfile takes seconds."""
    name = b"a/00000.png"
    local = b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0) + name
    central = b"PK\x01\x02" + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0) + name
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count & 0xFFFF, count & 0xFFFF, len(central) * count, len(local), 0)
    return local + central * count + end


def test_a_zip_of_100_000_entries_is_refused_at_once() -> None:
    assert len(zipped.entries(many_entries(100), "z", (".png",))) == 100
    refused([("many.zip", many_entries(100_000))], "many.zip holds more than 6000 files and folders", most_seconds=0.3, most_bytes=1 << 20)


def test_an_entry_under_a_password() -> None:
    # Bit 0 of the flags, in the list of contents, says so.
    bundle = pack(some(1))
    place = bundle.index(b"PK\x01\x02") + 8
    refused([("secret.zip", bundle[:place] + b"\x01\x00" + bundle[place + 2 :])], "secret.zip is protected by a password")


def test_a_truncated_jpeg() -> None:
    jpeg = encode(noise(400, 400), "JPEG")
    refused([("half.jpg", jpeg[: len(jpeg) // 2])], "half.jpg is damaged or incomplete")


@pytest.mark.parametrize(
    "content",
    [
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>',
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"%PDF-1.4\n",
        b"<html><!-- GIF89a --><script>alert(1)</script></html>",
        b"P6 2 2 255 aaaaaaaaaaaa",
    ],
)
def test_what_is_no_raster_picture(content: bytes) -> None:
    refused([("a.png", content)], "a.png is not a picture that can be read here")


def test_a_gif_that_is_also_a_page_gives_nothing_but_pixels() -> None:
    # The classic: a header that is also the start of a script. As a picture it has no pixels.
    refused([("a.gif", b"GIF89a=1/*" + b"\0" * 20 + b"*/;alert(1)//<html>")], "a.gif is")
    polyglot = encode(Image.new("RGB", (40, 40), "red"), "GIF") + b"<html><script>alert(1)</script></html>"
    images = read_pictures([(f"{i}.gif", polyglot) for i in range(20)], 28, True).images
    assert images.train[:, 0].unique().tolist() == [255 - 1] or images.train[:, 0].unique().tolist() == [255]
    assert images.train[:, 1:].unique().tolist() == [0]


def test_too_many_files_or_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    refused([("a.png", b"x")] * 2_001, "There are 2001 pictures, and at most 2000 are taken")
    refused([("z.zip", pack([(f"{i}.png", b"x") for i in range(2_001)]))], "There are 2001 pictures")
    refused([("a.png", b"x"), ("b.png", bytes((8 << 20) + 1))], "b.png has more than 8 MB")
    stored = pack([("b.png", RNG.bytes((8 << 20) + 1))], zipfile.ZIP_STORED)
    refused([("z.zip", stored)], "b.png has more than 8 MB")
    large = bytes(8 << 20)
    refused([("a.png", large)] * 9, "more than 64 MB together")
    refused([("z.zip", pack(some(1)))] * 11, "At most 10 ZIPs")


def test_too_few_pictures_are_counted() -> None:
    refused(some(19), "19 pictures could be read, and training needs at least 20. Add 1 more.")
    refused(some(1), "1 pictures could be read")
    refused([], "No file has arrived")
    assert len(read_pictures(some(20), 28, True).images.test) == 4


def test_bad_files_among_good_ones_are_skipped_and_named() -> None:
    jpeg = encode(noise(400, 400), "JPEG")
    bad = [("text.png", b"hello"), ("cut.jpg", jpeg[:3000]), ("huge.png", png(50_000, 50_000))]
    own_pictures = read_pictures([*bad, *some(20)], 28, True)
    assert own_pictures.skipped == ("text.png", "cut.jpg", "huge.png") and len(own_pictures.images.train) == 16
    own_pictures = read_pictures([("z.zip", pack([*bad, *some(20)]))], 28, True)
    assert own_pictures.skipped == ("text.png", "cut.jpg", "huge.png")


def test_a_strangers_name_is_shown_short_and_harmless() -> None:
    refusal = refused([("x/" + "n" * 500 + "\n\x1b[31m{0}.png", b"hello")], "n… is not a picture")
    assert len(str(refusal.details["name"])) == 60
    assert own.shown("a\x00\n\u202eb.png") == "ab.png"
    assert "{count}" in str(refused([("{count}.png", b"hello")], "is not a picture"))


def test_an_unknown_size_is_refused() -> None:
    with pytest.raises(Refused, match="Choose one of: 28, 32, 64"):
        read_pictures(some(20), 100_000, True)


def test_damaged_bytes_never_give_another_error() -> None:
    # Seeded fuzz: whatever single bytes change, a picture is read or refused.
    rng = np.random.default_rng(1)
    kinds = ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"]
    for turn in range(600):
        content = bytearray(encode(noise(24, 24), kinds[turn % 6]))
        for _ in range(1 + turn % 5):
            content[int(rng.integers(0, min(len(content), 200)))] = int(rng.integers(0, 256))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                assert picture.squared(picture.opened(bytes(content), "x"), "x", 28, True).shape == (3, 28, 28)
            except Refused as refusal:
                assert refusal.details["name"] == "x"
    bundle = pack(some(3))
    for _ in range(300):
        content = bytearray(bundle)
        for place in rng.integers(0, len(content), 5):
            content[place] = int(rng.integers(0, 256))
        content[int(rng.integers(len(content) - 250, len(content)))] = int(rng.integers(0, 256))
        with pytest.raises(Refused):
            read_pictures([("z.zip", bytes(content))], 28, True)
