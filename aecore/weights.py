"""Trained weights and the card that says what they are: a pair of files, never a pickle.

A pair is ``NAME.safetensors`` (the numbers) and ``NAME.json`` (the card). Pairs may come from strangers, so everything
in them is checked against the variant's own blueprint before memory is set aside for a model.
"""

import json
import math
import platform
import re
import tempfile
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, date, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor, nn

from aecore.data import DATASETS
from aecore.knobs import Value
from aecore.models import VARIANTS, Autoencoder, blueprint
from aecore.refusal import Refused
from aecore.training import Finished, Plan

FORMAT = 1
FOLDER = Path(__file__).parent.parent / "weights"
"""Where the shipped pairs and their recipes lie."""
MOST_CARD_BYTES = 64_000
MOST_WEIGHTS_BYTES = 128_000_000
MOST_HEADER_BYTES = 1_000_000
MOST_LETTERS = 300
"""In any one text on a card."""
MOST_PIXELS = 3 * 512 * 512
"""Of a picture, channels counted: a small file must not make a model that needs gigabytes to run."""
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")

Half = Literal["encoder", "decoder"]
Spec = tuple[str, list[int]]
"""A tensor's type and sizes, as a safetensors header writes them."""
DTYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64", torch.uint8: "U8", torch.bool: "BOOL"}


@dataclass(frozen=True)
class Card:
    """What a file of weights is: how to build its model, what it learnt from, how well, and how to do it again.

    ``data`` names the pictures, ``licence`` and ``source`` are theirs. ``plan`` holds the knobs of :class:`Plan`, the
    seed among them. ``metrics`` has a split's name ("train", "test") before each figure, in the units of
    :mod:`aecore.metrics`; a figure that was not finite is left out. ``steps`` led to these weights in ``seconds`` of
    learning, which ended for ``reason`` (see :class:`Finished`). ``sha256`` is of the safetensors file's bytes.
    """

    name: str
    variant: str
    knobs: dict[str, Value]
    shape: tuple[int, int, int]
    data: str
    licence: str
    source: str
    plan: dict[str, Value]
    metrics: dict[str, dict[str, float]]
    parameters: int
    reason: str
    steps: int
    seconds: float
    sha256: str
    versions: dict[str, str]
    created: str
    format: int = FORMAT


def card_for(
    model: Autoencoder, name: str, data: str, plan: Plan, finished: Finished, *, licence: str = "Not stated", source: str = "Own pictures"
) -> Card:
    """The card of a run that has just ended; ``licence`` and ``source`` count only for data that is not in ``DATASETS``.

    Raises ``Refused`` for a name that cannot be a file's, and for weights that are not finite.
    """
    check_name(name)
    if data in DATASETS:
        licence, source = DATASETS[data].licence, DATASETS[data].source
    return Card(
        name=name,
        variant=_variant_of(model),
        knobs=model.config.values(),
        shape=model.shape,
        data=_shown(data),
        licence=_shown(licence),
        source=_shown(source),
        plan=plan.values(),
        metrics={split: _finite(terms) for split, terms in (("train", finished.train), ("test", finished.test))},
        parameters=model.parameter_count(),
        reason=finished.reason,
        steps=finished.best_step,
        seconds=round(finished.seconds, 3),
        sha256=sha256(_serialise(model)).hexdigest(),
        versions={"python": platform.python_version(), "torch": str(torch.__version__), "safetensors": version("safetensors")},
        created=datetime.now(UTC).date().isoformat(),
    )


def check_name(name: str) -> None:
    """Raise ``Refused`` for a name that cannot be a model's; the same rule keeps names from being paths."""
    if not NAME.fullmatch(name):
        raise Refused("{name} cannot be a model's name. Use up to 60 small letters, digits and hyphens.", name=_shown(name))


def pack(model: Autoencoder, card: Card) -> tuple[bytes, bytes]:
    """The pair as bytes: weights in safetensors format, and the card as JSON with the weights' digest written into it.

    Raises ``Refused`` for weights that are not finite.
    """
    weights = _serialise(model)
    stamped = replace(card, sha256=sha256(weights).hexdigest())
    return weights, (json.dumps(asdict(stamped), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def unpack(weights: bytes, card: bytes) -> tuple[Autoencoder, Card]:
    """The model and card of a pair that may come from a stranger; raises ``Refused`` for whatever does not fit."""
    read = read_card(card)
    plan = _blueprint(read)
    if plan.parameter_count() != read.parameters:
        raise _misfit()
    _check_file(weights)
    if sha256(weights).hexdigest() != read.sha256:
        raise Refused("These weights are not the ones that the card describes. Choose the two files that were saved together.")
    tensors = _tensors(weights, _specs(plan))
    model = plan.to_empty(device="cpu")
    model.load_state_dict(tensors)
    return model.eval(), read


def save(model: Autoencoder, card: Card, path: str | Path) -> None:
    """Write the pair beside each other; ``path`` is the weights' file. Raises ``Refused`` where it cannot be written."""
    target = _weights_path(path)
    weights, words = pack(model, card)
    write(target, weights)
    write(target.with_suffix(".json"), words)


def load(name_or_path: str | Path) -> tuple[Autoencoder, Card]:
    """The model and card of shipped weights by name, or of a ``.safetensors`` file whose card lies beside it."""
    shipped_name = isinstance(name_or_path, str) and NAME.fullmatch(name_or_path)
    path = FOLDER / f"{name_or_path}.safetensors" if shipped_name else _weights_path(name_or_path)
    if shipped_name and not path.exists():
        raise Refused(
            "There are no weights called {name}; there are: {names}. A file's name ends in .safetensors.",
            name=name_or_path,
            names=", ".join(shipped()) or "none",
        )
    return unpack(_read(path, MOST_WEIGHTS_BYTES), _read(path.with_suffix(".json"), MOST_CARD_BYTES))


def shipped() -> tuple[str, ...]:
    """Names of the weights that come with the lab, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.safetensors") if path.with_suffix(".json").exists()))


def half(model: Autoencoder, which: Half) -> bytes:
    """One half's weights in safetensors format, names as in the whole; its metadata tell which half, and of which whole."""
    whole = _serialise(model)
    tensors = {name: value for name, value in _state(model).items() if name.startswith(f"{which}.")}
    return safetensors.save(tensors, {"half": which, "whole": sha256(whole).hexdigest()})


def load_half(weights: bytes, card: bytes) -> nn.Module:
    """The encoder or decoder network that :func:`half` wrote, by the card of its whole; raises ``Refused`` for what does not fit."""
    read = read_card(card)
    _check_file(weights)
    metadata = _header(weights).get("__metadata__")
    metadata = metadata if isinstance(metadata, dict) else {}
    which = str(metadata.get("half"))
    if which not in get_args(Half):
        raise Refused("This file is not half a model. Choose an encoder or decoder file that was saved here.")
    if metadata.get("whole") != read.sha256:
        raise Refused("This half belongs to another model than the card does. Choose files that were saved together.")
    plan = _blueprint(read)
    tensors = _tensors(weights, {name: spec for name, spec in _specs(plan).items() if name.startswith(f"{which}.")})
    network = plan.get_submodule(which).to_empty(device="cpu")
    network.load_state_dict({name.removeprefix(f"{which}."): value for name, value in tensors.items()})
    return network.eval()


def read_card(data: bytes) -> Card:
    """A card from JSON, every field checked for type and limits; raises ``Refused`` naming the first that is wrong."""
    if len(data) > MOST_CARD_BYTES:
        raise Refused("The card has more than {most} kB, so it is not a card. Choose the .json file saved with the weights.", most=64)
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Refused("The card cannot be read as JSON. Choose the .json file saved with the weights.") from error
    if not isinstance(values, dict) or "format" not in values:
        raise Refused("This JSON file is not a model's card. Choose the .json file saved with the weights.")
    if type(values["format"]) is not int or values["format"] != FORMAT:
        raise Refused(
            "The card is of format {format}, and this version reads format {known}. Use the version of the lab that wrote it.",
            format=_shown(str(values["format"])),
            known=FORMAT,
        )
    names = [each.name for each in fields(Card)]
    for name in names:
        if name not in values or not CHECKS[name](values[name]):
            raise _wrong(name)
    for name in values:
        if name not in names:
            raise _wrong(name)
    if values["variant"] not in VARIANTS:
        raise Refused(
            "The card names a variant called {name}, which this version does not have; there are: {names}.",
            name=values["variant"],
            names=", ".join(VARIANTS),
        )
    values["knobs"] = VARIANTS[values["variant"]].model.Config.of(**values["knobs"]).values()
    values["plan"] = Plan.of(**values["plan"]).values()
    return Card(**values | {"shape": tuple(values["shape"]), "seconds": float(values["seconds"])})


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, so that a reader or a sudden end never meets half of it; ``Refused`` where it cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
            temporary = Path(file.name)
            try:
                file.write(content)
                file.close()
                temporary.chmod(0o644)  # temporary files are private; what was asked for is not
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise Refused("{path} cannot be written ({reason}). Choose another place.", path=str(path), reason=error.strerror) from error


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MOST_LETTERS and value.isprintable()


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 2**53  # neither infinite, nor NaN, nor too large for a float


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and len(value) <= 50 and all(map(_is_text, value))


def _is_settings(value: Any) -> bool:
    return _is_table(value) and all(isinstance(each, bool) or _is_number(each) or _is_text(each) for each in value.values())


def _is_shape(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3
        and all(_is_count(side) and side > 0 for side in value)
        and math.prod(value) <= MOST_PIXELS
    )


def _is_metrics(value: Any) -> bool:
    return (
        _is_table(value)
        and set(value) == {"train", "test"}
        and all(_is_table(each) and all(map(_is_number, each.values())) for each in value.values())
    )


def _is_date(value: Any) -> bool:
    try:
        return _is_text(value) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


CHECKS = {
    "format": _is_count,
    "name": lambda value: _is_text(value) and bool(NAME.fullmatch(value)),
    "variant": _is_text,
    "knobs": _is_settings,
    "shape": _is_shape,
    "data": _is_text,
    "licence": _is_text,
    "source": _is_text,
    "plan": _is_settings,
    "metrics": _is_metrics,
    "parameters": _is_count,
    "reason": _is_text,
    "steps": _is_count,
    "seconds": lambda value: _is_number(value) and value >= 0,
    "sha256": lambda value: isinstance(value, str) and bool(re.fullmatch(r"[0-9a-f]{64}", value)),
    "versions": lambda value: _is_table(value) and all(map(_is_text, value.values())),
    "created": _is_date,
}


def _wrong(name: str) -> Refused:
    return Refused(
        "The card's field {name} is missing, unknown or of the wrong kind. Choose a card that was saved here.", name=_shown(name)
    )


def _misfit() -> Refused:
    return Refused("These weights do not fit the model that the card describes. Choose the two files that were saved together.")


def _damaged() -> Refused:
    return Refused("The weights file is damaged or incomplete. Save or download it again.")


def _blueprint(card: Card) -> Autoencoder:
    return blueprint(card.variant, card.shape, **card.knobs)


def _specs(plan: nn.Module) -> dict[str, Spec]:
    return {name: (DTYPES[value.dtype], list(value.shape)) for name, value in plan.state_dict().items()}


def _check_file(weights: bytes) -> None:
    """Refuse what cannot be safetensors before anything reads it."""
    # The first eight bytes of safetensors are a length, which may look like anything; its header's "{" follows them.
    if weights.startswith((b"PK", b"\x80")) and weights[8:9] != b"{":
        raise Refused("This is a pickle, which can run code when it is opened, so it is never read here. Save the weights as .safetensors.")
    if len(weights) > MOST_WEIGHTS_BYTES:
        raise Refused("The weights file has more than {most} MB. Choose a smaller model.", most=MOST_WEIGHTS_BYTES // 1_000_000)


def _header(weights: bytes) -> dict[str, Any]:
    """The JSON header of a safetensors file: its length in 8 bytes, then itself."""
    length = int.from_bytes(weights[:8], "little")
    if len(weights) < 8 or length > min(MOST_HEADER_BYTES, len(weights) - 8):
        raise _damaged()
    try:
        header = json.loads(weights[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise _damaged() from error
    if not isinstance(header, dict):
        raise _damaged()
    return header


def _tensors(weights: bytes, expected: dict[str, Spec]) -> dict[str, Tensor]:
    """The tensors of a safetensors file, their names, types and sizes compared with ``expected`` before any is made."""
    found = {name: entry for name, entry in _header(weights).items() if name != "__metadata__"}
    if found.keys() != expected.keys():
        raise _misfit()
    for name, entry in found.items():
        if not isinstance(entry, dict) or (entry.get("dtype"), entry.get("shape")) != expected[name]:
            raise _misfit()
    try:
        tensors = safetensors.load(weights)
    except (SafetensorError, ValueError) as error:
        raise _damaged() from error
    if not all(bool(value.isfinite().all()) for value in tensors.values()):
        raise Refused(
            "These weights hold numbers that are not finite, so the model cannot work. Train it again with a lower learning rate."
        )
    return tensors


def _state(model: Autoencoder) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}


def _serialise(model: Autoencoder) -> bytes:
    state = _state(model)
    if not all(bool(value.isfinite().all()) for value in state.values()):
        raise Refused("The model's weights are not finite, so there is nothing to keep. Train it again with a lower learning rate.")
    return safetensors.save(state)


def _variant_of(model: Autoencoder) -> str:
    return next(name for name, each in VARIANTS.items() if each.model is type(model))


def _finite(terms: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in terms.items() if math.isfinite(value)}


def _weights_path(path: str | Path) -> Path:
    path = Path(path)
    return path if path.suffix == ".safetensors" else path.with_name(path.name + ".safetensors")


def _read(path: Path, most: int) -> bytes:
    """At most one byte more than ``most``, so that the check on size that follows can tell."""
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise Refused("{path} cannot be read ({reason}).", path=str(path), reason=error.strerror) from error


def _shown(text: str) -> str:
    """Text fit to be put in a sentence or on a card: printable, not too long."""
    return "".join(letter for letter in text if letter.isprintable())[:MOST_LETTERS]
