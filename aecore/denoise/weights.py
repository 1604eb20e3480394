"""A denoiser's weights on disk: half precision, or less, in a safetensors file, and beside it a card that says what they are.

The card's file ends in .card.json: a model of the lab's variants has a .json, and :func:`aecore.weights.shipped` lists those.
"""

import json
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn

from aecore.denoise.network import PhotoDenoiser
from aecore.denoise.training import Network, Pace, Plan
from aecore.knobs import Value
from aecore.refusal import Refused
from aecore.weights import FOLDER, read, write
from aecore.weights.card import CHECKS, MOST_CARD_BYTES
from aecore.weights.tensors import MOST_WEIGHTS_BYTES, Bits, check_file, misfit, read_tensors, serialise

SHIPPED = FOLDER / "photos-denoiser.safetensors"
FORMAT = 1


@dataclass(frozen=True)
class Card:
    """What a denoiser has learnt from (``data`` in words, with ``licence`` and ``source``), how long, and how well.

    ``plan`` holds the knobs of the run; ``steps`` led to these weights in ``seconds`` of learning. ``metrics`` has a
    split's name before each figure. ``sha256`` is of the safetensors file's bytes and written by :func:`save`.
    """

    name: str
    data: str
    licence: str
    source: str
    plan: dict[str, Value]
    steps: int
    seconds: float
    metrics: dict[str, dict[str, float]]
    parameters: int
    versions: dict[str, str]
    created: str
    sha256: str = ""
    format: int = FORMAT


def card_for(
    model: nn.Module,
    name: str,
    *,
    data: str,
    licence: str,
    source: str,
    plan: Pace,
    steps: int,
    seconds: float,
    metrics: dict[str, dict[str, float]],
) -> Card:
    """The card of a run that has just ended."""
    return Card(
        name=name,
        data=data,
        licence=licence,
        source=source,
        plan=plan.values(),
        steps=steps,
        seconds=round(seconds, 3),
        metrics=metrics,
        parameters=_count(model),
        versions={"python": platform.python_version(), "torch": str(torch.__version__), "safetensors": version("safetensors")},
        created=datetime.now(UTC).date().isoformat(),
    )


def save(model: nn.Module, card: Card, path: Path, bits: Bits = 16) -> None:
    """Write ``path``, a .safetensors file in which a weight takes as many ``bits``, and its card. ``Refused`` for weights that are then not finite."""
    weights = serialise(model, bits)
    stamped = replace(card, sha256=sha256(weights).hexdigest())
    write(path, weights)
    write(path.with_suffix(".card.json"), (json.dumps(asdict(stamped), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())


def load(path: Path | None = None) -> tuple[PhotoDenoiser, Card]:
    """The photo denoiser, ready to be used, and its card; without a path, the one that comes with the lab. ``Refused`` as by :func:`restore`."""
    return restore(path or SHIPPED, PhotoDenoiser, Plan)


def restore(path: Path, network: Callable[[], Network], plan: type[Pace]) -> tuple[Network, Card]:
    """A denoiser in float32, ready to be used, and its card; ``network`` makes one to be filled, ``plan`` is what taught it.

    Raises ``Refused`` for whatever does not fit.
    """
    card = read_card(read(path.with_suffix(".card.json"), MOST_CARD_BYTES), plan)
    return filled(path, card, network).to(memory_format=torch.channels_last), card  # type: ignore[call-overload]


def filled(path: Path, card: Card, network: Callable[[], Network]) -> Network:
    """What ``network`` makes, in float32 and ready to be used, with the weights of the file that ``card`` describes; ``Refused`` if they do not fit."""
    return filled_with(read(path, MOST_WEIGHTS_BYTES), card, network)


def filled_with(weights: bytes, card: Card, network: Callable[[], Network]) -> Network:
    """The same from the file's bytes."""
    check_file(weights)
    if sha256(weights).hexdigest() != card.sha256:
        raise Refused("These weights are not the ones that the card describes. Choose the two files that were saved together.")
    with torch.device("meta"):
        model = network()
    if _count(model) != card.parameters:
        raise misfit()
    tensors = read_tensors(weights, model.state_dict())
    model.to_empty(device="cpu").load_state_dict(tensors)
    return model.eval()


def read_card(data: bytes, plan: type[Pace] = Plan) -> Card:
    """A card from JSON, every field checked, those of its plan too; raises ``Refused`` naming the first that is wrong."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Refused("The card cannot be read as JSON. Choose the .json file saved with the weights.") from error
    if not isinstance(values, dict):
        raise Refused("This JSON file is not a model's card. Choose the .json file saved with the weights.")
    checks = {each.name: CHECKS[each.name] for each in fields(Card)} | {"metrics": _is_metrics, "format": lambda value: value == FORMAT}
    for name in checks | values:
        if name not in checks or name not in values or not checks[name](values[name]):
            raise Refused("The card's field {name} is missing, unknown or of the wrong kind. Choose a card that was saved here.", name=name)
    values["plan"] = plan.of(**values["plan"]).values()
    return Card(**values)


def _is_metrics(value: Any) -> bool:
    return isinstance(value, dict) and all(
        CHECKS["plan"](split) and all(type(figure) in (int, float) for figure in split.values()) for split in value.values()
    )


def _count(model: nn.Module) -> int:
    return sum(each.numel() for each in model.parameters())
