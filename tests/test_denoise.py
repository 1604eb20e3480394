"""Noise out of photographs: network, tiles, files of all kinds, weights, command line. The network is untaught unless said."""

import io
import json
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from aecore import __main__ as cli
from aecore import weights as shelf
from aecore.commands import denoise as command
from aecore.denoise import PhotoDenoiser, blend, denoise, pictures, tiles, weights
from aecore.denoise.training import Plan
from aecore.refusal import Refused
from tests.test_own_pictures import png

RNG = np.random.default_rng(0)


def untaught() -> PhotoDenoiser:
    """Takes something away, but little."""
    model = PhotoDenoiser()
    model.initialise(torch.Generator().manual_seed(0))
    model.last.weight.data.mul_(0.02)
    return model.eval()


def scene(height: int, width: int, channels: int = 3) -> Tensor:
    return torch.rand(channels, height, width, generator=torch.Generator().manual_seed(1))


def pixels(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def decode(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


MODEL = untaught()


def cleaned(content: bytes, strength: float = 1) -> Image.Image:
    """Through reading, denoising and writing."""
    photo = pictures.read(content, "x")
    clean = denoise(MODEL, photo.colour)
    assert clean is not None and clean.shape == photo.colour.shape
    return decode(pictures.write(photo, blend(photo.colour, clean, strength)))


def test_network_begins_as_about_a_copy_and_scales_with_brightness() -> None:
    x = scene(24, 40)[None]
    with torch.no_grad():
        assert MODEL(x).shape == x.shape
        assert torch.allclose(MODEL(2 * x), 2 * MODEL(x), atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (1, 1000), (500, 3), (17, 9)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_comes_back(size: tuple[int, int], channels: int) -> None:
    clean = denoise(MODEL, scene(*size, channels), tile=256)
    assert clean is not None and clean.shape == (channels, *size)
    assert clean.min() >= 0 and clean.max() <= 1 and (clean - scene(*size, channels)).abs().max() < 0.3


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_flat_pictures_stay_flat_within(level: float) -> None:
    clean = denoise(MODEL, torch.full((3, 200, 200), level), tile=160)
    assert clean is not None and clean.isfinite().all()
    assert level > 0 or clean.eq(0).all()  # without a bias, black stays black


@pytest.mark.parametrize("bfloat16", [False, True])
def test_tiles_and_whole_agree(bfloat16: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "has_bfloat16", lambda: bfloat16)
    picture = scene(300, 420)
    whole, parts = denoise(MODEL, picture), denoise(MODEL, picture, tile=256)
    assert whole is not None and parts is not None
    assert not torch.equal(whole, picture)
    assert (whole - parts).abs().max() <= 1 / 255


@pytest.mark.parametrize("size", [1, 512, 513, 576, 577, 961, 3000, 4001])
def test_weights_of_tiles_sum_to_one(size: int) -> None:
    total = torch.zeros(size)
    for span, weight in tiles.spans(size, 512, 64):
        assert span.start % 8 == 0 and 0 < span.stop - span.start <= 512
        total[span] += weight
    assert torch.allclose(total, torch.ones(size))


def test_progress_rises_to_one_and_it_can_be_stopped() -> None:
    shares: list[float] = []
    assert denoise(MODEL, scene(200, 300), tile=128, progress=shares.append) is not None
    assert shares == sorted(shares) and shares[-1] == 1 and len(shares) > 4
    shares.clear()
    assert denoise(MODEL, scene(200, 300), tile=128, progress=shares.append, stopped=lambda: len(shares) == 2) is None
    assert len(shares) == 2


def test_eight_looks_are_the_mean_over_turned_and_mirrored_pictures() -> None:
    picture = 0.25 + scene(40, 56) / 2
    for view in tiles.VIEWS:
        assert torch.equal(tiles.unseen(tiles.seen(picture, *view), *view), picture)
    assert len({tuple(tiles.seen(scene(4, 4), *view).flatten().tolist()) for view in tiles.VIEWS}) == 8
    careful = denoise(MODEL, picture, careful=True)
    looks = [tiles.unseen(denoise(MODEL, tiles.seen(picture, *view)), *view) for view in tiles.VIEWS]
    assert careful is not None and (careful - torch.stack(looks).mean(0)).abs().max() < 1e-3
    turned = denoise(MODEL, picture.rot90(1, (1, 2)), careful=True)
    assert (turned.rot90(-1, (1, 2)) - careful).abs().max() < 1e-3 < (looks[0] - careful).abs().max()


def test_eight_looks_can_be_stopped_between_two() -> None:
    shares: list[float] = []
    assert denoise(MODEL, scene(40, 40), careful=True, progress=shares.append, stopped=lambda: len(shares) == 3) is None
    assert shares == [1 / 8, 2 / 8, 3 / 8]


def test_strength_goes_from_the_input_to_the_result() -> None:
    a, b = scene(4, 4), scene(4, 4).flip(2)
    assert torch.equal(blend(a, b, 0), a) and torch.equal(blend(a, b, 1), b)
    assert torch.allclose(blend(a, b, 0.25), 0.75 * a + 0.25 * b)


SIXTEEN = RNG.integers(0, 65536, (11, 17), dtype=np.uint16)
KINDS: dict[str, Callable[[], tuple[Image.Image, str]]] = {
    "png": lambda: (Image.fromarray(pixels(11, 17, 3)), "PNG"),
    "png grey": lambda: (Image.fromarray(pixels(11, 17)), "PNG"),
    "png alpha": lambda: (Image.fromarray(pixels(11, 17, 4)), "PNG"),
    "png grey alpha": lambda: (Image.fromarray(pixels(11, 17, 4)).convert("LA"), "PNG"),
    "png 1 bit": lambda: (Image.fromarray(pixels(11, 17)).convert("1"), "PNG"),
    "png palette": lambda: (Image.fromarray(pixels(11, 17, 3)).quantize(200), "PNG"),
    "png 16": lambda: (Image.fromarray(SIXTEEN), "PNG"),
    "tiff": lambda: (Image.fromarray(pixels(11, 17, 3)), "TIFF"),
    "tiff 16": lambda: (Image.fromarray(SIXTEEN), "TIFF"),
    "tiff 16 big-endian": lambda: (Image.fromarray(SIXTEEN.astype(">u2")), "TIFF"),
    "tiff alpha": lambda: (Image.fromarray(pixels(11, 17, 4)), "TIFF"),
    "tiff cmyk": lambda: (Image.frombytes("CMYK", (17, 11), pixels(11, 17, 4).tobytes()), "TIFF"),
    "jpeg": lambda: (Image.fromarray(pixels(11, 17, 3)), "JPEG"),
    "jpeg grey": lambda: (Image.fromarray(pixels(11, 17)), "JPEG"),
    "jpeg cmyk": lambda: (Image.frombytes("CMYK", (17, 11), pixels(11, 17, 4).tobytes()), "JPEG"),
    "webp": lambda: (Image.fromarray(pixels(11, 17, 3)), "WEBP"),
    "webp alpha": lambda: (Image.fromarray(pixels(11, 17, 4)), "WEBP"),
    "bmp": lambda: (Image.fromarray(pixels(11, 17, 3)), "BMP"),
    "gif": lambda: (Image.fromarray(pixels(11, 17, 3)).quantize(200), "GIF"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_keep_format_size_mode_and_alpha(kind: str) -> None:
    image, written_as = KINDS[kind]()
    content = encode(image, written_as)
    before, after = decode(content), cleaned(content)
    assert (after.format, after.size, after.mode) == (before.format, before.size, before.mode)
    if "A" in before.mode:
        assert np.array_equal(np.asarray(before.getchannel("A")), np.asarray(after.getchannel("A")))
    if before.mode == "CMYK" and written_as == "TIFF":
        assert np.array_equal(np.asarray(before)[..., 3], np.asarray(after)[..., 3])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith(("jpeg", "webp", "gif", "png palette"))])
def test_strength_0_gives_the_same_picture(kind: str) -> None:
    image, written_as = KINDS[kind]()
    content = encode(image, written_as)
    before, after = decode(content), cleaned(content, 0)
    if before.mode == "CMYK":  # 255 levels of ink over half black are 128 that can be told apart
        before, after = before.convert("RGB"), after.convert("RGB")
    assert np.abs(np.asarray(before).astype(int) - np.asarray(after).astype(int)).max() <= (2 if kind == "tiff cmyk" else 0)


def test_inks_of_a_jpeg_are_not_turned_round() -> None:
    """Adobe writes CMYK upside down."""
    image = Image.new("CMYK", (32, 32), (200, 30, 60, 40))
    after = cleaned(encode(image, "JPEG"), 0)
    assert np.abs(np.asarray(after).astype(int) - (200, 30, 60, 40)).max() <= 4


def test_a_palette_keeps_what_is_transparent() -> None:
    image = Image.fromarray(pixels(11, 17, 3)).quantize(100)
    for written_as in ("PNG", "GIF"):
        content = encode(image, written_as, transparency=3)
        before, after = decode(content).convert("RGBA"), cleaned(content)
        assert after.mode == "P"
        assert np.array_equal(np.asarray(before.getchannel("A")), np.asarray(after.convert("RGBA").getchannel("A")))
    half_seen = encode(image, "PNG", transparency=bytes(range(100)))
    assert cleaned(half_seen).mode == "RGBA"
    assert np.array_equal(np.asarray(decode(half_seen).convert("RGBA"))[..., 3], np.asarray(cleaned(half_seen))[..., 3])


def test_sixteen_bits_stay_fine() -> None:
    photo = pictures.read(encode(Image.fromarray(SIXTEEN), "PNG"), "x")
    assert (photo.depth, photo.found_depth) == (16, 16)
    after = np.asarray(decode(pictures.write(photo, (photo.colour * 0.5))))
    assert after.dtype == np.uint16 and len(np.unique(after)) > 180 and np.abs(after - SIXTEEN / 2).max() <= 1


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_upright_without_metadata_but_with_its_colour_profile(format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "Secret Camera"
    exif.get_ifd(0x8825)[2] = (48.0, 12.0, 0.0)
    picture = np.zeros((16, 32, 3), np.uint8)
    picture[:, :16] = 255  # bright on the left: turned clockwise, at the top
    content = encode(Image.fromarray(picture), format, exif=exif, icc_profile=b"profile of colours" * 10)
    after = cleaned(content)
    assert b"Secret" in content and b"Secret" not in encode_again(content)
    assert after.size == (16, 32) and np.asarray(after)[:12].mean() > 200 > 50 > np.asarray(after)[20:].mean()
    assert not after.getexif().get_ifd(0x8825) and 0x0112 not in {key for key in after.getexif() if format != "TIFF"}
    assert after.info["icc_profile"] == b"profile of colours" * 10


def encode_again(content: bytes) -> bytes:
    photo = pictures.read(content, "x")
    return pictures.write(photo, photo.colour)


def test_sixteen_bits_of_colour_are_read_as_eight_and_it_says_so() -> None:
    head = struct.pack(">IIBBBBB", 5, 4, 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(4 * (b"\0" + bytes(range(30))))), (b"IEND", b""))
    packed = (struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks)
    photo = pictures.read(b"\x89PNG\r\n\x1a\n" + b"".join(packed), "x")
    assert (photo.mode, photo.depth, photo.found_depth) == ("RGB", 8, 16)


def test_a_telephones_hidden_second_picture_is_left_out() -> None:
    first, second = (Image.fromarray(pixels(16, 16, 3)) for _ in range(2))
    after = cleaned(encode(first, "MPO", save_all=True, append_images=[second]))
    assert (after.format, after.size) == ("JPEG", (16, 16))


def animated(format: str) -> bytes:
    frames = [Image.fromarray(pixels(8, 8, 3)) for _ in range(3)]
    return encode(frames[0], format, save_all=True, append_images=frames[1:])


def ten_thousand_frames() -> bytes:
    gif = encode(Image.fromarray(pixels(8, 8, 3)).quantize(4), "GIF")
    palette_end = 13 + 3 * 2 ** ((gif[10] & 7) + 1)
    return gif[:palette_end] + 10_000 * gif[palette_end:-1] + b";"


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "text": (lambda: b"Dear diary, today I was a picture.", "is not a picture"),
    "empty": (lambda: b"", "is not a picture"),
    "cut JPEG": (lambda: encode(Image.fromarray(pixels(90, 90, 3)), "JPEG")[:3000], "damaged"),
    "cut PNG": (lambda: encode(Image.fromarray(pixels(90, 90, 3)), "PNG")[:3000], "damaged"),
    "bomb": (lambda: png(9000, 9000), "more than 33 million pixels"),
    "large bomb": (lambda: png(60_000, 60_000), "more than 33 million pixels"),
    "hollow": (lambda: png(5000, 5000), "damaged"),
    "GIF of 10,000": (ten_thousand_frames, "more than one picture"),
    "WebP": (lambda: animated("WEBP"), "more than one picture"),
    "TIFF": (lambda: animated("TIFF"), "more than one picture"),
    "APNG": (lambda: animated("PNG"), "more than one picture"),
    "float": (lambda: encode(Image.fromarray(RNG.random((8, 8), dtype=np.float32)), "TIFF"), "cannot be written again"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_in_a_sentence(case: str) -> None:
    make, words = REFUSED[case]
    content = make()
    began = time.perf_counter()
    with pytest.raises(Refused, match=words):
        pictures.read(content, "folder/x.png")
    assert time.perf_counter() - began < 1


def test_too_many_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_BYTES", 1 << 20)
    with pytest.raises(Refused, match="more than 1 MB"):
        pictures.read(bytes((1 << 20) + 1), "x")


def kept(path: Path, model: PhotoDenoiser) -> weights.Card:
    metrics = {"held out": {"psnr_25": 30.0}}
    card = weights.card_for(
        model, "tiny", data="Photographs", licence="CC0 1.0", source="Test (2026)", plan=Plan(), steps=5, seconds=1.5, metrics=metrics
    )
    weights.save(model, card, path)
    return card


def test_weights_come_back_in_half_precision_with_their_card(tmp_path: Path) -> None:
    path = tmp_path / "tiny.safetensors"
    card = kept(path, MODEL)
    model, read = weights.load(path)
    assert path.stat().st_size < 10_000_000 and not model.training
    assert read.parameters == sum(each.numel() for each in model.parameters()) and (read.data, read.metrics) == (card.data, card.metrics)
    assert Plan.of(**read.plan) == Plan()
    for name, value in model.state_dict().items():
        assert value.dtype == torch.float32 and torch.equal(value, MODEL.state_dict()[name].half().float())


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tiny.safetensors"
    kept(path, MODEL)
    content, words = path.read_bytes(), path.with_suffix(".card.json").read_text()
    for changed, sentence in (
        (content[:-1], "not the ones that the card describes"),
        (content[:-1] + bytes([content[-1] ^ 1]), "not the ones that the card describes"),
        (b"PK\x03\x04 and so on", "pickle"),
    ):
        path.write_bytes(changed)
        with pytest.raises(Refused, match=sentence):
            weights.load(path)
    path.write_bytes(content)
    for field, value in {"licence": 3, "format": 2, "metrics": [], "parameters": "many", "sha256": "x", "extra": 1}.items():
        path.with_suffix(".card.json").write_text(json.dumps(json.loads(words) | {field: value}))
        with pytest.raises(Refused, match=f"field {field}"):
            weights.load(path)
    path.with_suffix(".card.json").write_text(json.dumps(json.loads(words) | {"parameters": 5}))
    with pytest.raises(Refused, match="do not fit"):
        weights.load(path)
    with pytest.raises(Refused, match="cannot be read"):
        weights.load(tmp_path / "none.safetensors")
    broken = untaught()
    broken.last.weight.data[0] = torch.inf
    with pytest.raises(Refused, match="not finite"):
        kept(path, broken)


@pytest.mark.skipif(not weights.SHIPPED.exists(), reason="not shipped yet")
def test_shipped_denoiser_takes_noise_away() -> None:
    model, card = weights.load()
    assert card.name == weights.SHIPPED.stem not in shelf.shipped()
    assert weights.SHIPPED.stat().st_size < 10_000_000
    across = torch.linspace(0, 1, 128)
    clean = torch.stack([across.expand(96, 128), across.flip(0).expand(96, 128), torch.full((96, 128), 0.5)])
    noisy = clean + 25 / 255 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    result = denoise(model, noisy)
    assert result is not None and (result - clean).square().mean() < (noisy - clean).square().mean() / 20


@pytest.fixture
def taught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_photo_model", lambda: MODEL)


@pytest.mark.usefixtures("taught")
def test_command_on_a_folder_with_one_bad_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("a.png", "c.png"):
        Image.fromarray(pixels(20, 30, 3)).save(folder / name)
    (folder / "b.png").write_text("not a picture")
    (folder / "notes.txt").write_text("left alone")
    assert cli.main(["denoise", str(folder), "-o", str(output)]) == 1
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1 and printed.err.startswith("b.png is not a picture")
    assert "2 of 3 files" in printed.out
    assert sorted(path.name for path in output.iterdir()) == ["a.png", "c.png"]
    assert decode((output / "a.png").read_bytes()).size == (30, 20)


@pytest.mark.usefixtures("taught")
def test_command_on_one_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(pixels(20, 30, 3)).save(path)
    before = path.read_bytes()
    assert cli.main(["denoise", str(path), "-o", str(tmp_path / "b.png"), "--strength", "0"]) == 0
    assert np.array_equal(np.asarray(decode(before)), np.asarray(decode((tmp_path / "b.png").read_bytes())))
    assert cli.main(["denoise", str(path), "-o", str(tmp_path)]) == 1  # its own folder
    assert cli.main(["denoise", str(path), "-o", str(tmp_path / "b.jpg")]) == 1
    assert cli.main(["denoise", str(tmp_path / "none.png"), "-o", str(tmp_path / "b.png")]) == 1
    printed = capsys.readouterr().err
    assert "over itself" in printed and "does not end like" in printed and "cannot be read" in printed
    assert path.read_bytes() == before and not (tmp_path / "b.jpg").exists()
    assert cli.main(["denoise", str(path), "-o", str(path)]) == 0  # asked for in so many words
    assert path.read_bytes() != before
    with pytest.raises(SystemExit, match="2"):
        cli.main(["denoise", str(path), "-o", str(path), "--strength", "2"])
