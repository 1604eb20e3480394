"""A small codec on disk: the autoencoder in half precision, its scale beside it, and a card that says what they are."""

import json
from copy import deepcopy
from dataclasses import asdict, dataclass, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from aecore.codec.fixed import FixedDecoder, FixedEncoder, Scale, codec, unpack
from aecore.codec.small import Plan
from aecore.denoise import weights as denoise
from aecore.knobs import Value
from aecore.models import Autoencoder, blueprint
from aecore.refusal import Refused
from aecore.weights import FOLDER, check_name, read, write
from aecore.weights.card import CHECKS, MOST_CARD_BYTES
from aecore.weights.tensors import MOST_WEIGHTS_BYTES, check_file, misfit, read_tensors, serialise

MOST_SCALE_BYTES = 4_000_000
NAMES = ("digits", "faces")


@dataclass(frozen=True)
class Card(denoise.Card):
    """What a small codec is and has learnt; ``scale_sha256`` is of the scale's file."""

    variant: str = ""
    knobs: dict[str, Value] | None = None
    shape: tuple[int, int, int] = (1, 1, 1)
    scale_sha256: str = ""


def save(model: Autoencoder, scale: Scale, card: Card, path: Path) -> None:
    """Write ``path``, a .safetensors file, its scale (.scale) and its card (.card.json)."""
    weights = serialise(deepcopy(model).half())
    stamped = replace(card, sha256=sha256(weights).hexdigest(), scale_sha256=sha256(scale.pack()).hexdigest())
    write(path, weights)
    write(path.with_suffix(".scale"), scale.pack())
    write(path.with_suffix(".card.json"), (json.dumps(asdict(stamped), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())


def load(name_or_path: str | Path) -> tuple[FixedEncoder, FixedDecoder, Card]:
    """Both halves of a small codec: "digits" or "faces" of those that come with the lab, or a .safetensors file's. ``Refused`` for what does not fit."""
    path = FOLDER / f"{name_or_path}-codec.safetensors" if isinstance(name_or_path, str) else name_or_path
    check_name(path.stem)
    card = read_card(read(path.with_suffix(".card.json"), MOST_CARD_BYTES))
    weights, content = read(path, MOST_WEIGHTS_BYTES), read(path.with_suffix(".scale"), MOST_SCALE_BYTES)
    check_file(weights)
    if (sha256(weights).hexdigest(), sha256(content).hexdigest()) != (card.sha256, card.scale_sha256):
        raise Refused("These weights are not the ones that the card describes. Choose the two files that were saved together.")
    plan = blueprint(card.variant, card.shape, **(card.knobs or {}))
    if plan.parameter_count() != card.parameters:
        raise misfit()
    tensors = read_tensors(
        weights, {name: value.half() if value.is_floating_point() else value for name, value in plan.state_dict().items()}
    )
    model = plan.to_empty(device="cpu")
    model.load_state_dict(tensors)
    return *codec(model.eval(), unpack(content, model.config.code)), card


def read_card(data: bytes) -> Card:
    """A card from JSON, every field checked; raises ``Refused`` naming the first that is wrong."""
    try:
        values: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Refused("The card cannot be read as JSON. Choose the .json file saved with the weights.") from error
    if not isinstance(values, dict):
        raise Refused("This JSON file is not a model's card. Choose the .json file saved with the weights.")
    checks = {each.name: CHECKS["sha256" if each.name == "scale_sha256" else each.name] for each in fields(Card)}
    checks["metrics"] = lambda value: isinstance(value, dict) and all(CHECKS["plan"](each) for each in value.values())
    for name in checks | values:
        if name not in checks or name not in values or not checks[name](values[name]):
            raise Refused("The card's field {name} is missing, unknown or of the wrong kind. Choose a card that was saved here.", name=name)
    values["plan"] = Plan.of(**values["plan"]).values()
    values["shape"] = tuple(values["shape"])
    return Card(**values)
