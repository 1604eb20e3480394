"""Weights and cards: what goes in comes out, and whatever does not fit is refused in one sentence."""

import json
import pickle
from collections.abc import Callable
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

import aecore
from aecore import weights
from aecore.models import Autoencoder
from aecore.refusal import Refused
from aecore.training import Finished, Plan
from aecore.weights import Card, card_for, half, load_half, pack, tensors, unpack

FINISHED = Finished(
    "early", 90, 72, 1.23456, {"cross_entropy": 0.1, "mse": 0.01, "psnr": 20.0}, {"cross_entropy": 0.2, "mse": 0.02, "psnr": 17.0}
)
PLAN = Plan(epochs=3, seed=7)
X = torch.rand(4, 1, 10, 9, generator=torch.Generator().manual_seed(0))


def model(seed: int = 0) -> Autoencoder:
    return aecore.build("undercomplete", (1, 10, 9), seed=seed, code=5, depth=1, width=16)


def card(of: Autoencoder) -> Card:
    return card_for(of, "small-one", "digits", PLAN, FINISHED)


def pair() -> tuple[bytes, bytes]:
    return pack(model(), card(model()))


def changed(**changes: Any) -> bytes:
    return json.dumps(json.loads(pair()[1]) | changes).encode()


def test_card_tells_what_the_weights_are() -> None:
    made = card(model())
    assert (made.variant, made.shape, made.parameters, made.format) == (
        "undercomplete",
        (1, 10, 9),
        90 * 16 + 16 + 16 * 5 + 5 + 5 * 16 + 16 + 16 * 90 + 90,
        1,
    )
    assert made.knobs == {"code": 5, "loss": "cross-entropy", "depth": 1, "width": 16, "tied": False, "linear": False}
    assert made.plan == PLAN.values() and made.plan["seed"] == 7
    assert made.metrics == {"train": FINISHED.train, "test": FINISHED.test}
    assert (made.reason, made.steps, made.seconds) == ("early", 72, 1.235)
    assert (made.data, made.licence) == ("digits", aecore.DATASETS["digits"].licence)
    assert made.versions["torch"] == torch.__version__
    assert made.sha256 == sha256(pair()[0]).hexdigest()


def test_own_pictures_have_the_licence_they_are_said_to_have() -> None:
    made = card_for(model(), "mine", "holiday\n.zip", PLAN, FINISHED, licence="CC0 1.0", source="Me (2026)")
    assert (made.data, made.licence, made.source) == ("holiday.zip", "CC0 1.0", "Me (2026)")
    assert unpack(*pack(model(), made))[1] == made


def test_figures_that_are_not_finite_are_left_out() -> None:
    finished = replace(FINISHED, test={"mse": 0.0, "psnr": float("inf"), "cross_entropy": float("nan")})
    made = card_for(model(), "perfect", "digits", PLAN, finished)
    assert made.metrics["test"] == {"mse": 0.0}
    assert unpack(*pack(model(), made))[1] == made


def test_pair_comes_back_as_it_was() -> None:
    loaded, read = unpack(*pair())
    assert read == card(model())
    assert torch.equal(loaded(X), model()(X))
    assert not torch.equal(loaded(X), model(1)(X))
    assert pair() == pair()


def test_files_come_back_as_they_were(tmp_path: Path) -> None:
    aecore.save(model(), card(model()), tmp_path / "new" / "small-one.safetensors")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["small-one.json", "small-one.safetensors"]
    for path in (tmp_path / "new" / "small-one.safetensors", str(tmp_path / "new" / "small-one")):
        loaded, read = aecore.load(path)
        assert torch.equal(loaded(X), model()(X))
        assert read == card(model())


@pytest.mark.parametrize("bits", [16, 8, 4])
def test_files_with_fewer_bits_come_back_nearly_as_they_were(bits: int, tmp_path: Path) -> None:
    weights.save(model(), card(model()), tmp_path / "small", bits=bits)  # type: ignore[arg-type]
    loaded, read = weights.load(tmp_path / "small")
    assert not torch.equal(loaded(X), model()(X)) and torch.allclose(loaded(X), model()(X), atol={16: 1e-3, 8: 2e-2, 4: 0.3}[bits])
    assert all(value.dtype == torch.float32 for value in loaded.state_dict().values())
    assert (tmp_path / "small.safetensors").stat().st_size < len(pair()[0]) * {16: 0.7, 8: 0.55, 4: 0.45}[bits]
    kept = load_half(half(loaded, "encoder"), pack(loaded, read)[1])
    assert torch.equal(kept(X), loaded.encoder(X)) and read.sha256 == sha256(pack(loaded, read)[0]).hexdigest()


@pytest.mark.parametrize("bits", [8, 4])
def test_whole_numbers_are_off_by_half_a_step_of_their_row(bits: tensors.Bits) -> None:
    layer = torch.nn.Linear(9, 4)
    layer.weight.data *= torch.tensor([[1e-3], [1.0], [1e3], [0.0]])
    read = tensors.read_tensors(tensors.serialise(layer, bits), layer.state_dict())
    step = layer.weight.abs().amax(1, keepdim=True) / (2 ** (bits - 1) - 1)
    assert ((read["weight"] - layer.weight).abs() <= step * 0.501).all() and not read["weight"][3].any()
    assert torch.allclose(read["bias"].float(), layer.bias, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "value"),
    [("bias", torch.ones(4, 1)), ("weight", torch.ones(3, 1)), ("weight", torch.ones(4, 1).half()), ("other", torch.ones(1))],
)
def test_scales_that_do_not_fit_are_refused(name: str, value: torch.Tensor) -> None:
    layer = torch.nn.Linear(9, 4)
    found = safetensors.torch.load(tensors.serialise(layer, 8)) | {f"{name}.scale": value}
    with pytest.raises(Refused, match="do not fit"):
        tensors.read_tensors(safetensors.torch.save(found), layer.state_dict())


def test_missing_files_and_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        aecore.load(tmp_path / "nothing.safetensors")
    (tmp_path / "a-file").write_text("")
    with pytest.raises(Refused, match="cannot be written"):
        aecore.save(model(), card(model()), tmp_path / "a-file" / "x.safetensors")
    with pytest.raises(Refused, match="There are no weights called nothing"):
        aecore.load("nothing")


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "kept"
    target.write_bytes(b"old")

    def full(self: Path, other: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(Refused, match="No space left on device"):
        weights.write(target, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("name", ["", "Ä", "../up", "a/b", "UPPER", "-x", "x" * 61, "a b"])
def test_names_that_could_be_paths_are_refused(name: str) -> None:
    with pytest.raises(Refused, match="cannot be a model's name"):
        card_for(model(), name, "digits", PLAN, FINISHED)


def test_weights_that_are_not_finite_are_neither_saved_nor_loaded() -> None:
    broken = model()
    with torch.no_grad():
        next(broken.parameters())[0, 0] = float("inf")
    with pytest.raises(Refused, match="not finite"):
        pack(broken, card(model()))
    with pytest.raises(Refused, match="not finite"):
        card(broken)
    state = safetensors.torch.save({name: value.detach() for name, value in broken.state_dict().items()})
    with pytest.raises(Refused, match="not finite"):
        unpack(state, changed(sha256=sha256(state).hexdigest()))


def deep() -> bytes:
    return b'{"format":' + b"[" * 30_000 + b"]" * 30_000 + b"}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read as JSON"),
        (b"\xff\xfe\x00", "cannot be read as JSON"),
        (b"[1]", "not a model's card"),
        (b"{}", "not a model's card"),
        (deep(), "JSON|of format"),
        (b" " * 64_001, "more than 64 kB"),
        (b'{"format": 1}', "field name"),
    ],
    ids=["empty", "binary", "list", "object", "deep", "large", "bare"],
)
def test_what_is_no_card_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        unpack(pair()[0], content)


@pytest.mark.parametrize("version", [0, 2, "1", 1.0, True, None, [1]], ids=repr)
def test_unknown_format_versions_are_refused(version: object) -> None:
    with pytest.raises(Refused, match="reads format 1"):
        unpack(pair()[0], changed(format=version))


WRONG: dict[str, list[object]] = {
    "name": [3, "../x", "x" * 61, None],
    "variant": [3, ["undercomplete"], {}],
    "knobs": [[], {"code": [5]}, {"code": None}, {"code": 1e300}, "code"],
    "shape": [[1, 10], [1, 10, 9, 1], [1.0, 10, 9], [0, 10, 9], [-1, 10, 9], [True, 10, 9], [3, 9999, 9999], "abc", None],
    "data": [3, "x" * 301, "a\nb"],
    "licence": [None],
    "source": [{}],
    "plan": [[], {"seed": {}}],
    "metrics": [
        {},
        {"train": {}},
        {"train": {}, "test": {}, "best": {}},
        {"train": {}, "test": {"mse": "0"}},
        {"train": {}, "test": [1]},
        3,
    ],
    "parameters": ["3", 3.5, -1, True],
    "reason": [1],
    "steps": ["1", -1],
    "seconds": ["1", -1, True],
    "sha256": ["0", 0, "G" * 64],
    "versions": [[], {"torch": 2}],
    "created": ["yesterday", 20261123, "2026-13-01"],
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in WRONG.items() for value in values], ids=lambda each: str(each)[:20]
)
def test_every_field_is_checked_for_its_kind(field: str, value: object) -> None:
    with pytest.raises(Refused, match=f"field {field} "):
        unpack(pair()[0], changed(**{field: value}))


@pytest.mark.parametrize("field", [field for field in asdict(card(model())) if field != "format"])
def test_every_field_is_needed(field: str) -> None:
    values = json.loads(pair()[1])
    del values[field]
    with pytest.raises(Refused, match=f"field {field} "):
        unpack(pair()[0], json.dumps(values).encode())


def test_numbers_that_json_should_not_have_are_refused() -> None:
    for word in (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"1" + b"0" * 400):
        with pytest.raises(Refused, match="field seconds "):
            unpack(pair()[0], pair()[1].replace(b'"seconds": 1.235', b'"seconds": ' + word))
    with pytest.raises(Refused, match="cannot be read as JSON"):  # more digits than Python turns into a number
        unpack(pair()[0], pair()[1].replace(b'"seconds": 1.235', b'"seconds": ' + b"1" * 5000))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"variant": "quantum"}, "variant called quantum.*undercomplete"),
        ({"knobs": {"code": 5, "magic": 1}}, "no setting called magic"),
        ({"knobs": {"code": 0}}, "code must be a number from 1"),
        ({"plan": {"epochs": 0}}, "epochs must be a number"),
        ({"extra": 1}, "field extra "),
        ({"parameters": 3}, "do not fit"),
        ({"knobs": {"code": 2048, "depth": 3, "width": 1024}, "shape": [3, 500, 500]}, "million parameters"),
        ({"sha256": "0" * 64}, "not the ones that the card describes"),
    ],
    ids=lambda each: str(each)[:30],
)
def test_a_card_that_does_not_fit_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        unpack(pair()[0], changed(**changes))


def sealed(content: bytes) -> tuple[bytes, bytes]:
    """The bytes with a card whose digest is theirs, so that only what follows the digest can refuse them."""
    return content, changed(sha256=sha256(content).hexdigest())


def state(**changes: torch.Tensor | None) -> bytes:
    tensors = {name: value.detach() for name, value in model().state_dict().items()}
    tensors |= {name.replace("__", "."): value for name, value in changes.items()}  # type: ignore[dict-item]
    return safetensors.torch.save({name: value for name, value in tensors.items() if value is not None})


def header(entries: object, rest: bytes = b"") -> bytes:
    words = json.dumps(entries).encode() if not isinstance(entries, bytes) else entries
    return len(words).to_bytes(8, "little") + words + rest


def huge() -> bytes:
    """A file of a few hundred bytes that claims 400 GB."""
    return header({"encoder.1.weight": {"dtype": "F32", "shape": [10**11], "data_offsets": [0, 4 * 10**11]}})


def overlapping() -> bytes:
    """Names, types and sizes as expected, but the bytes are not there."""
    specs = {name: list(value.shape) for name, value in model().state_dict().items()}
    return header({name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 4]} for name, shape in specs.items()}, b"0000")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: b"", "damaged"),
        (lambda: b"\x05\x00\x00", "damaged"),
        (lambda: b"\xff" * 20, "damaged"),
        (lambda: pair()[0][:-4], "damaged"),
        (lambda: pair()[0] + b"0000", "damaged"),
        (lambda: header(b"not json"), "damaged"),
        (lambda: header([]), "damaged"),
        (lambda: header(b"[" * 50_000), "damaged"),
        (overlapping, "damaged"),
        (huge, "do not fit"),
        (lambda: header({}), "do not fit"),
        (lambda: header({"encoder.1.weight": 3}), "do not fit"),
        (lambda: state(extra=torch.zeros(2)), "do not fit"),
        (lambda: state(encoder__1__bias=None), "do not fit"),
        (lambda: state(encoder__1__bias=torch.zeros(17)), "do not fit"),
        (lambda: state(encoder__1__bias=torch.zeros(16, 1)), "do not fit"),
        (lambda: state(encoder__1__bias=torch.zeros(16, dtype=torch.float64)), "do not fit"),
        (lambda: state(encoder__1__bias=torch.zeros(16, dtype=torch.int8)), "do not fit"),
    ],
)
def test_weights_that_do_not_fit_are_refused(make: Callable[[], bytes], words: str) -> None:
    with pytest.raises(Refused, match=words):
        unpack(*sealed(make()))


def test_pickles_are_refused_unread(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return Path(tmp_path / "sprung").write_text, ("!",)

    torch.save({"x": Trap()}, tmp_path / "model.pt")
    for content in ((tmp_path / "model.pt").read_bytes(), pickle.dumps(Trap())):
        with pytest.raises(Refused, match="pickle"):
            unpack(*sealed(content))
        with pytest.raises(Refused, match="pickle"):
            load_half(*sealed(content))
    assert not (tmp_path / "sprung").exists()


def test_a_header_whose_length_looks_like_a_pickle_is_none() -> None:
    """Safetensors begin with a length in little-endian bytes: 0x280 is 80 02, as a pickle's first two, and 0x4b50 is "PK"."""
    words = json.loads(pair()[0][8 : 8 + int.from_bytes(pair()[0][:8], "little")])
    body = pair()[0][8 + int.from_bytes(pair()[0][:8], "little") :]
    for length, first in ((0x480, b"\x80\x04"), (0x4B50, b"PK")):
        content = length.to_bytes(8, "little") + json.dumps(words).encode().ljust(length) + body
        assert content.startswith(first)
        assert torch.equal(unpack(*sealed(content))[0](X), model()(X))


def test_too_many_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensors, "MOST_WEIGHTS_BYTES", len(pair()[0]) - 1)
    with pytest.raises(Refused, match="MB"):
        unpack(*pair())


def test_every_refusal_is_a_sentence_without_gaps() -> None:
    for content in (huge(), b"PK\x03\x04", b""):
        with pytest.raises(Refused) as refusal:
            unpack(*sealed(content))
        assert str(refusal.value).endswith(".") and "{" not in str(refusal.value)


def test_halves_work_alone_and_make_the_whole() -> None:
    whole = model()
    encoder, decoder = (load_half(half(whole, which), pair()[1]) for which in ("encoder", "decoder"))
    assert torch.equal(encoder(X), whole.encode(X))
    assert torch.equal(torch.sigmoid(decoder(encoder(X))), whole(X))
    assert len(half(whole, "encoder")) < 0.6 * len(pair()[0])


def test_a_half_keeps_its_names_and_tells_its_whole(tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    path.write_bytes(half(model(), "decoder"))
    with safetensors.safe_open(path, "pt") as file:
        assert file.metadata() == {"half": "decoder", "whole": card(model()).sha256}
        assert set(file.keys()) == {name for name in model().state_dict() if name.startswith("decoder.")}


def test_a_half_is_refused_with_another_card_and_as_a_whole() -> None:
    with pytest.raises(Refused, match="another model"):
        load_half(half(model(1), "encoder"), pair()[1])
    with pytest.raises(Refused, match="not half a model"):
        load_half(*pair())
    with pytest.raises(Refused, match="do not fit"):
        unpack(*sealed(half(model(), "encoder")))


def test_shipped_weights_fit_their_recipes_and_score_what_their_cards_say() -> None:
    from aecore import recipes
    from aecore.inspect import judge
    from aecore.training import measure

    names = weights.shipped()
    assert {"digits-undercomplete", "digits-convolutional", "clothes-undercomplete", "clothes-convolutional"} <= set(names)
    sizes = [path.stat().st_size for path in weights.FOLDER.iterdir()]
    assert sum(sizes) < 60_000_000 and max(sizes) < 20_000_000
    for name in names:
        loaded, read = aecore.load(name)
        recipe = recipes.read(weights.FOLDER / f"{name}.toml")
        assert (read.name, read.variant, read.data, read.knobs, read.plan) == (
            name,
            recipe.variant,
            recipe.data,
            recipe.knobs,
            recipe.plan.values(),
        )
        dataset = aecore.DATASETS[read.data]
        assert (read.licence, read.source) == (dataset.licence, dataset.source)
        data = aecore.data.load(read.data)
        found, told = measure(loaded, data.test) | judge(loaded, data), read.metrics["test"]
        if told["psnr"] > 90:  # a copy but for rounding, which differs between processors, and so does all that is told of it
            assert found["psnr"] > 90 and found["identity_gap"] < 1
            found |= {name: told[name] for name in ("mse", "psnr", "identity_gap")}
        accuracy = found.pop("probe_accuracy")
        assert accuracy == pytest.approx(told["probe_accuracy"], abs=0.002)
        assert found == pytest.approx({name: value for name, value in told.items() if name != "probe_accuracy"}, rel=1e-3)
