"""The card of a model: what its weights are, in JSON that is read as a stranger's."""

import json
import math
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from importlib.metadata import version
from typing import Any

import torch

from aecore.data import DATASETS
from aecore.knobs import Value
from aecore.models import VARIANTS, Autoencoder
from aecore.refusal import Refused
from aecore.training import Finished, Plan
from aecore.weights.tensors import serialise

FORMAT = 1
MOST_CARD_BYTES = 64_000
MOST_LETTERS = 300
"""In any one text on a card."""
MOST_PIXELS = 3 * 512 * 512
"""Of a picture, channels counted: a small file must not make a model that needs gigabytes to run."""
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


@dataclass(frozen=True)
class Card:
    """What a file of weights is: how to build its model, what it learnt from, how well, and how to do it again.

    ``data`` names the pictures, ``licence`` and ``source`` are theirs. ``plan`` holds the knobs of :class:`Plan`, the
    seed among them. ``metrics`` has a split's name ("train", "test") before each figure, in the units of
    :mod:`aecore.metrics` and :func:`aecore.inspect.judge`; a figure that was not finite is left out. ``steps`` led to these weights in ``seconds`` of
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
    model: Autoencoder,
    name: str,
    data: str,
    plan: Plan,
    finished: Finished,
    judged: Mapping[str, float] | None = None,
    *,
    licence: str = "Not stated",
    source: str = "Own pictures",
) -> Card:
    """The card of a run that has just ended; ``judged`` is what :func:`aecore.inspect.judge` says of its model.

    ``licence`` and ``source`` count only for data that is not in ``DATASETS``.

    Raises ``Refused`` for a name that cannot be a file's, and for weights that are not finite.
    """
    check_name(name)
    if data in DATASETS:
        licence, source = DATASETS[data].licence, DATASETS[data].source
    return Card(
        name=name,
        variant=next(name for name, each in VARIANTS.items() if each.model is type(model)),
        knobs=model.config.values(),
        shape=model.shape,
        data=_shown(data),
        licence=_shown(licence),
        source=_shown(source),
        plan=plan.values(),
        metrics={"train": _finite(finished.train), "test": _finite({**finished.test, **(judged or {})})},
        parameters=model.parameter_count(),
        reason=finished.reason,
        steps=finished.best_step,
        seconds=round(finished.seconds, 3),
        sha256=sha256(serialise(model)).hexdigest(),
        versions={"python": platform.python_version(), "torch": str(torch.__version__), "safetensors": version("safetensors")},
        created=datetime.now(UTC).date().isoformat(),
    )


def check_name(name: str) -> None:
    """Raise ``Refused`` for a name that cannot be a model's; the same rule keeps names from being paths."""
    if not NAME.fullmatch(name):
        raise Refused("{name} cannot be a model's name. Use up to 60 small letters, digits and hyphens.", name=_shown(name))


def read_card(data: bytes) -> Card:
    """A card from JSON, every field checked for type and limits; raises ``Refused`` naming the first that is wrong."""
    if len(data) > MOST_CARD_BYTES:
        raise Refused(
            "The card has more than {most} kB, so it is not a card. Choose the .json file saved with the weights.",
            most=MOST_CARD_BYTES // 1000,
        )
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
    for name in CHECKS | values:
        if name not in CHECKS or name not in values or not CHECKS[name](values[name]):
            raise Refused(
                "The card's field {name} is missing, unknown or of the wrong kind. Choose a card that was saved here.", name=_shown(name)
            )
    if values["variant"] not in VARIANTS:
        raise Refused(
            "The card names a variant called {name}, which this version does not have; there are: {names}.",
            name=values["variant"],
            names=", ".join(VARIANTS),
        )
    values["knobs"] = VARIANTS[values["variant"]].model.Config.of(**values["knobs"]).values()
    values["plan"] = Plan.of(**values["plan"]).values()
    return Card(**values | {"shape": tuple(values["shape"]), "seconds": float(values["seconds"])})


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


def _finite(terms: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in terms.items() if math.isfinite(value)}


def _shown(text: str) -> str:
    """Text fit to be put in a sentence or on a card: printable, not too long."""
    return "".join(letter for letter in text if letter.isprintable())[:MOST_LETTERS]
