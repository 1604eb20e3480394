"""Codecs: what is written is read, the same on every machine, at the size that was promised."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from aecore.__main__ import main
from aecore.codec import coding, container, small_weights, weights
from aecore.codec.context import Context
from aecore.codec.entropy import Models, Reader, Writer
from aecore.codec.finish import finish_small, freeze
from aecore.codec.fixed import codec, measured, unpack
from aecore.codec.halves import PhotoDecoder, PhotoEncoder, Photos, halves
from aecore.codec.integers import UNIT, Rounds
from aecore.codec.photo import LEVELS, PhotoCodec, mixture
from aecore.codec.scores import bd_rate, ms_ssim
from aecore.codec.small import Plan as SmallPlan
from aecore.codec.small import Small, SmallLessons
from aecore.codec.small_weights import load as load_small
from aecore.codec.tables import WHOLE, whole
from aecore.codec.training import Lessons, Plan
from aecore.codec.training import Photos as Subject
from aecore.codec.transform import basis
from aecore.data import Images
from aecore.denoise.weights import card_for, save
from aecore.metrics import psnr
from aecore.models import build
from aecore.refusal import Refused

ROOT = Path(__file__).parent.parent


def photo(height: int, width: int, seed: int = 0) -> Tensor:
    """A smooth picture with some grain, ``(3, H, W)`` in [0, 1]."""
    rng = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, height // 16 + 2, width // 16 + 2, generator=rng)
    smooth = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")[0]
    return (smooth + 0.02 * torch.randn(smooth.shape, generator=rng)).clamp(0, 1)


@pytest.fixture(scope="module")
def learnt() -> PhotoCodec:
    """Hardly learnt, but with weights that are not 0 anywhere."""
    model = PhotoCodec()
    rng = torch.Generator().manual_seed(0)
    model.initialise(rng)
    for half in (model.encoder, model.decoder):
        half.last.weight.data.normal_(0, 0.01, generator=rng)
    return model.eval()


@pytest.fixture(scope="module")
def frozen(learnt: PhotoCodec) -> Photos:
    result = Photos.of(learnt)
    for half in (result.encoder, result.decoder):
        half.half().float()
    freeze(result, [(photo(96, 96, seed) * 255).to(torch.uint8) for seed in range(4)])
    return result.eval()


@pytest.fixture(scope="module")
def both(frozen: Photos) -> tuple[PhotoEncoder, PhotoDecoder]:
    return halves(frozen, b"\x01\x02\x03\x04")


def test_the_coder_is_the_arithmetic_of_the_specification() -> None:
    rng = np.random.default_rng(0)
    tables = [whole(rng.dirichlet(np.full(2 * reach + 2, 0.2))) for reach in (1, 3, 40, 500)]
    models = Models([each.astype(np.int64) for each in tables])
    classes = rng.integers(0, 4, 300)
    values = rng.integers(-1, 2, 300)
    writer = Writer(models)
    writer.tell(values, classes)
    content = writer.finish()
    assert (Reader(models, content).ask(classes) == values).all()
    words = list(np.frombuffer(content + bytes(-len(content) % 4), dtype="<u4").tolist())
    state = words.pop() << 32 | words.pop()
    found = []
    for kind in np.sort(classes):
        left = np.concatenate([[0], np.cumsum(tables[kind].astype(np.int64))])
        place = int(np.searchsorted(left, state % WHOLE, "right")) - 1
        state = state // WHOLE * int(tables[kind][place]) + state % WHOLE - int(left[place])
        if state < 2**32 and words:
            state = state << 32 | words.pop()
        found.append(place - (len(tables[kind]) - 2) // 2)
    assert (state, words) == (0, [])
    assert found == values[np.argsort(classes, kind="stable")].tolist()
    assert abs(writer.bits / 8 - len(content)) < 5


def test_values_further_out_than_their_table_come_back() -> None:
    models = Models([whole(np.ones(4)).astype(np.int64)])
    values = np.array([0, 1, -2, 8192, -8192, 1, 2, -1])
    writer = Writer(models)
    writer.tell(values, np.zeros(8, dtype=np.uint8))
    reader = Reader(models, writer.finish())
    assert (reader.ask(np.zeros(8, dtype=np.uint8)) == values).all()
    reader.finish()


def test_streams_that_end_too_soon_or_too_late_are_refused() -> None:
    models = Models([whole(np.ones(4)).astype(np.int64)])
    writer = Writer(models)
    writer.tell(np.ones(40, dtype=np.int64), np.zeros(40, dtype=np.uint8))
    content = writer.finish()
    for spoilt in (content + b"\x01\x02\x03\x04", content + b"\0", b"\x07" * 5 + content):
        with pytest.raises(Refused, match="damaged"):
            reader = Reader(models, spoilt)
            reader.ask(np.zeros(40, dtype=np.uint8))
            reader.finish()


def test_the_start_is_an_orthonormal_transform() -> None:
    patterns, variance = basis(256)
    assert torch.allclose(patterns @ patterns.T, torch.eye(256), atol=1e-5)
    assert (variance.diff() <= 0).all()


def test_whole_numbers_say_what_the_learnt_context_says(learnt: PhotoCodec, frozen: Photos) -> None:
    """The float network and its whole-number copy agree on what a code costs, to 1 %."""
    shares = mixture(torch.tensor([50.0]))
    with torch.no_grad():
        code = learnt.encoder(photo(96, 64)[None], shares)
        _, bits = learnt.context(code, shares, None)
    logistic = Photos.of(learnt)
    freeze(logistic, [])
    _, promised = coding.write(logistic.rounds, Models(logistic.tables.each()), learnt_rounding(code[0], learnt.context, shares), 50)
    assert promised == pytest.approx(float(bits), rel=0.01)


def learnt_rounding(code: Tensor, context: Context, shares: Tensor) -> Tensor:
    """The quantised code of the float network, which the whole-number copy quantises to nearly the same."""
    with torch.no_grad():
        return context(code[None], shares, None)[0][0]


@pytest.mark.parametrize(("height", "width", "quality"), [(48, 64, 0), (37, 51, 40), (1, 1, 100), (16, 130, 100), (5, 33, 77)])
def test_any_size_comes_back_as_it_was_coded(both: tuple[PhotoEncoder, PhotoDecoder], height: int, width: int, quality: int) -> None:
    encoder, decoder = both
    picture = photo(height, width)
    written = encoder.write(picture, quality)
    assert written is not None
    content, bits = written
    parcel = container.read(content)
    back = decoder.read(content)
    assert back is not None and back.shape == (3, height, width)
    assert len(content) <= bits / 8 * 1.01 + 40
    assert sum(map(len, parcel.streams)) >= bits / 8 * 0.99 - 1


def test_finer_is_larger_and_nearer_and_grey_stays_grey(both: tuple[PhotoEncoder, PhotoDecoder]) -> None:
    encoder, decoder = both
    for picture in (photo(64, 96), photo(64, 96)[:1]):
        sizes, scores = [], []
        for quality in (0, 50, 100):
            written = encoder.write(picture, quality)
            assert written is not None
            back = decoder.read(written[0])
            assert back is not None and back.shape == picture.shape
            sizes.append(len(written[0]))
            scores.append(psnr(back.float() / 255, picture))
        assert sizes == sorted(sizes) and scores == sorted(scores)


def test_tiles_leave_no_seams_and_can_be_stopped(both: tuple[PhotoEncoder, PhotoDecoder], monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, decoder = both
    picture = photo(300, 330)
    monkeypatch.setattr(container, "TILE", 160)
    heard: list[float] = []
    written = encoder.write(picture, 60, progress=heard.append)
    assert written is not None and heard == pytest.approx([each / 6 for each in range(1, 7)])
    parcel = container.read(written[0])
    code = decoder.code(parcel)
    assert code is not None
    tiled = decoder.picture(code, parcel)
    monkeypatch.setattr(container, "TILE", 1024)
    whole_picture = decoder.picture(code, parcel)
    assert tiled is not None and whole_picture is not None
    assert int((tiled.int() - whole_picture.int()).abs().max()) <= 1
    assert encoder.write(picture, 60, stopped=lambda: True) is None
    assert decoder.read(encoder_file(encoder, picture), stopped=lambda: True) is None


def encoder_file(encoder: PhotoEncoder, picture: Tensor) -> bytes:
    written = encoder.write(picture, 60)
    assert written is not None
    return written[0]


def test_another_models_file_is_refused(both: tuple[PhotoEncoder, PhotoDecoder], frozen: Photos) -> None:
    content = encoder_file(both[0], photo(32, 32))
    stranger = halves(frozen, b"\x09\x09\x09\x09")[1]
    with pytest.raises(Refused, match="another model"):
        stranger.read(content)


DECODE = """
import sys, torch
from hashlib import sha256
from pathlib import Path
from aecore.codec import container, weights
torch.set_num_threads(int(sys.argv[2]))
folder = Path(sys.argv[1])
decoder = weights.load_half((folder / "decoder.safetensors").read_bytes())
parcel = container.read((folder / "picture.aec").read_bytes())
code = decoder.code(parcel)
decoder.picture(code, parcel).numpy().tofile(folder / ("pixels" + sys.argv[2]))
print(sha256(code.numpy().tobytes()).hexdigest())
"""


def test_the_same_file_gives_the_same_code_everywhere(frozen: Photos, tmp_path: Path) -> None:
    """One and two threads, and a processor without vector instructions: equal codes, pictures within one grey level."""
    lessons = Plan(steps=1)
    card = card_for(frozen, "tried", data="x", licence="x", source="x", plan=lessons, steps=1, seconds=1.0, metrics={})
    save(frozen, card, tmp_path / "tried.safetensors")
    encoder, decoder, _ = weights.load(tmp_path / "tried.safetensors")
    (tmp_path / "decoder.safetensors").write_bytes(weights.half(tmp_path / "tried.safetensors", "decoder"))
    content = encoder_file(encoder, photo(70, 90))
    (tmp_path / "picture.aec").write_bytes(content)
    parcel = container.read(content)
    code, pixels = decoder.code(parcel), decoder.read(content)
    assert code is not None and pixels is not None
    command = [sys.executable, "-c", DECODE, str(tmp_path)]
    plain = subprocess.run(
        [*command, "1"],
        env=os.environ | {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "AVX2"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert plain.stdout.strip() == sha256(code.numpy().tobytes()).hexdigest()
    other = np.fromfile(tmp_path / "pixels1", dtype=np.uint8).reshape(pixels.shape)
    assert np.abs(other.astype(int) - pixels.numpy()).max() <= 1
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        again = decoder.code(parcel)
        torch.set_num_threads(2)
        third = decoder.code(parcel)
    finally:
        torch.set_num_threads(threads)
    assert again is not None and third is not None
    assert torch.equal(again, code) and torch.equal(third, code)


def test_halves_are_loaded_apart_and_strangers_refused(frozen: Photos, tmp_path: Path) -> None:
    card = card_for(frozen, "tried", data="x", licence="x", source="x", plan=Plan(), steps=1, seconds=1.0, metrics={})
    path = tmp_path / "tried.safetensors"
    save(frozen, card, path)
    encoder = weights.load_half(weights.half(path, "encoder"))
    decoder = weights.load_half(weights.half(path, "decoder"))
    assert isinstance(encoder, PhotoEncoder) and isinstance(decoder, PhotoDecoder)
    assert decoder.read(encoder_file(encoder, photo(40, 40))) is not None
    with pytest.raises(Refused, match="not half a model"):
        weights.load_half(path.read_bytes())
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(Refused, match="not the ones"):
        weights.load(path)


def test_a_run_continued_equals_one_never_interrupted() -> None:
    photos = [(photo(80, 96, seed) * 255).to(torch.uint8) for seed in range(10)]
    plan = Plan(steps=3, batch=2, patch=64)
    straight = Lessons(Subject(photos, plan))
    list(straight.steps())
    first = Lessons(Subject(photos, plan))
    next(first.steps())
    second = Lessons(Subject(photos, plan), first.checkpoint())
    list(second.steps())
    for name, value in straight.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name]), name
    assert all(
        each.grad is not None and bool(each.grad.abs().sum() > 0) for name, each in second.model.named_parameters() if "gains" in name
    )


@pytest.fixture(scope="module")
def squares() -> Images:
    """Small pictures of one bright rectangle each."""
    rng = torch.Generator().manual_seed(0)
    pictures = torch.zeros(400, 1, 12, 12, dtype=torch.uint8)
    for each in pictures:
        top, left, height, width = torch.randint(1, 6, (4,), generator=rng).tolist()
        each[:, top : top + height, left : left + width] = 255
    labels = torch.zeros(400, dtype=torch.long)
    return Images(pictures[:300], labels[:300], pictures[300:], labels[300:], ("square",))


def test_a_small_codec_learns_is_saved_and_promises_the_size(squares: Images, tmp_path: Path) -> None:
    knobs = {"code": 12, "depth": 1, "width": 64, "loss": "mse"}
    lessons = SmallLessons(Small(squares, "undercomplete", knobs, SmallPlan(steps=300, batch=64, rate=3e-3)))
    before = lessons.validate()
    list(lessons.steps())
    assert lessons.validate()["mse"] < before["mse"] / 2
    words = {"data": "squares", "licence": "none", "source": "drawn here"}
    finish_small(lessons, words, tmp_path / "squares-codec.safetensors")
    encoder, decoder, card = load_small(tmp_path / "squares-codec.safetensors")
    content, bits = encoder.write(squares.test[0].float() / 255)
    assert len(content) <= bits / 8 + 12 + 4
    assert card.metrics["test"]["bytes"] < 30
    back = decoder.read(content).float() / 255
    assert float((back - squares.test[0].float() / 255).square().mean()) < 3 * card.metrics["test"]["mse"] + 0.05


@pytest.mark.parametrize("variant", ["undercomplete", "variational", "top-k", "vector-quantised", "convolutional"])
def test_any_autoencoder_is_a_codec(variant: str, squares: Images) -> None:
    model = build(variant, (1, 12, 12)).eval()
    scale = measured(model, squares.train)
    encoder, decoder = codec(model, unpack(scale.pack(), len(scale.middles)))
    picture = squares.test[0].float() / 255
    content, _ = encoder.write(picture)
    code = model.encode(picture[None])[0].detach()
    assert (decoder.numbers(content) * scale.step - code).abs().max() <= scale.step / 2 + 1e-5
    assert decoder.read(content).shape == (1, 12, 12)
    with pytest.raises(Refused):
        encoder.write(torch.zeros(3, 12, 12))
    with pytest.raises(Refused):
        unpack(scale.pack()[:-3], len(scale.middles))


def test_batches_do_not_change_the_whole_numbers(learnt: PhotoCodec, frozen: Photos) -> None:
    """A round's sums are exact, so that other shapes, which are added up in another order, give the same."""
    rng = torch.Generator().manual_seed(0)
    rounds: Rounds = frozen.rounds
    each = rounds.rounds[-1]
    inputs = torch.randint(-5000, 5000, (1, 2 * 256 + LEVELS, 12, 20), generator=rng).double()
    own = torch.randint(-5000, 5000, (1, 144, 12, 20), generator=rng).double()
    mean, classes = each(inputs, own, (0, 1))
    part, kinds = each(inputs[:, :, :, :8], own[:, :, :, :8], (0, 1))
    assert torch.equal(mean[:, :, :3], part) and torch.equal(classes[:, :, :3], kinds)
    assert UNIT == 64


def test_bd_rate_of_half_the_bits_is_minus_fifty_per_cent() -> None:
    curve = [(0.2, 26.0), (0.4, 29.0), (0.8, 32.5), (1.5, 36.0)]
    assert bd_rate(curve, [(rate / 2, score) for rate, score in curve]) == pytest.approx(-50)
    assert np.isnan(bd_rate(curve, [(rate, score + 20) for rate, score in curve]))


def test_ms_ssim_is_one_for_a_copy_and_falls_with_noise() -> None:
    picture = photo(180, 190)
    rng = torch.Generator().manual_seed(0)
    little, much = (ms_ssim((picture + level * torch.randn(picture.shape, generator=rng)).clamp(0, 1), picture) for level in (0.05, 0.3))
    assert ms_ssim(picture, picture) == pytest.approx(1)
    assert 1 > little > much


@pytest.fixture
def shipped(frozen: Photos, squares: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands in for the lab's weights: a photo codec and two small ones."""
    folder = tmp_path / "weights"
    card = card_for(frozen, "photos-codec", data="x", licence="x", source="x", plan=Plan(), steps=1, seconds=1.0, metrics={})
    save(frozen, card, folder / "photos-codec.safetensors")
    for name, seed in (("digits", 0), ("faces", 1)):
        plan = SmallPlan(steps=1, batch=8, seed=seed)
        lessons = SmallLessons(Small(squares, "undercomplete", {"code": 4, "loss": "mse"}, plan))
        list(lessons.steps())
        finish_small(lessons, {"data": "x", "licence": "x", "source": "x"}, folder / f"{name}-codec.safetensors")
    monkeypatch.setattr(weights, "SHIPPED", folder / "photos-codec.safetensors")
    monkeypatch.setattr(small_weights, "FOLDER", folder)
    return folder


def test_the_commands_write_files_and_pictures(shipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "pictures"
    source.mkdir()
    pixels = (photo(40, 50) * 255).to(torch.uint8).permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(source / "a.png")
    Image.fromarray(pixels[..., 0]).save(source / "b.png")
    (source / "c.png").write_bytes(b"no picture")
    assert main(["compress", str(source), "-o", str(tmp_path / "files"), "--quality", "80"]) == 1
    assert "c.png" in capsys.readouterr().err
    assert main(["compress", str(source / "a.png"), "-o", str(tmp_path / "files" / "digit.aec"), "--model", "digits"]) == 0
    assert main(["decompress", str(tmp_path / "files"), "-o", str(tmp_path / "back")]) == 0
    with Image.open(tmp_path / "back" / "a.png") as back, Image.open(tmp_path / "back" / "b.png") as grey:
        assert (back.size, back.mode, grey.size, grey.mode) == ((50, 40), "RGB", (50, 40), "L")
    with Image.open(tmp_path / "back" / "digit.png") as small:
        assert small.size == (12, 12)
    capsys.readouterr()
    assert main(["info", str(tmp_path / "files" / "a.aec")]) == 0
    assert "50 x 40 pixels, colour, quality 80" in capsys.readouterr().out
    spoilt = tmp_path / "spoilt.aec"
    spoilt.write_bytes((tmp_path / "files" / "a.aec").read_bytes()[:-2])
    assert main(["decompress", str(spoilt), "-o", str(tmp_path / "spoilt.png")]) == 1
    assert "end of this file is missing" in capsys.readouterr().err
