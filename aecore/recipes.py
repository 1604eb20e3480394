"""A recipe: a small TOML file that says how weights are made, so that anybody can make them again."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aecore.data import DATASETS
from aecore.knobs import Value
from aecore.models import find
from aecore.refusal import Refused
from aecore.training import Plan

MOST_BYTES = 64_000
PARTS = ("variant", "data", "knobs", "plan")


@dataclass(frozen=True)
class Recipe:
    """What to train, on what, and how; ``knobs`` are all of the variant's, defaults filled in."""

    variant: str
    data: str
    knobs: dict[str, Value]
    plan: Plan


def read(path: Path) -> Recipe:
    """The recipe in a TOML file: ``variant``, ``data``, and the tables ``[knobs]`` and ``[plan]``.

    Raises ``Refused`` for a file that cannot be read, a part that is missing or unknown, and a value outside its limits.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Refused("{path} cannot be read ({reason}). Give the path of a recipe.", path=str(path), reason=error.strerror) from error
    if len(content) > MOST_BYTES:
        raise Refused("{path} has more than {most} kB, so it is not a recipe.", path=str(path), most=MOST_BYTES // 1000)
    try:
        return parse(tomllib.loads(content.decode()))
    except (ValueError, RecursionError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused("{path} is not a TOML file ({reason}). Correct it and try again.", path=str(path), reason=error) from error


def parse(values: dict[str, Any]) -> Recipe:
    """The recipe in what a TOML file holds; raises ``Refused`` as :func:`read` does."""
    for name in values:
        if name not in PARTS:
            raise Refused("A recipe has no part called {name}; it has: {parts}.", name=name, parts=", ".join(PARTS))
    for name in ("variant", "data"):
        if not isinstance(values.get(name), str):
            raise Refused('A recipe needs a line like {name} = "...".', name=name)
    for name in ("knobs", "plan"):
        if not isinstance(values.get(name, {}), dict):
            raise Refused("In a recipe, {name} is a table that begins with [{name}].", name=name)
    if values["data"] not in DATASETS:
        raise Refused("There is no data set named {name}. Choose one of: {choices}.", name=values["data"], choices=", ".join(DATASETS))
    config = find(values["variant"]).model.Config.of(**values.get("knobs", {}))
    return Recipe(values["variant"], values["data"], config.values(), Plan.of(**values.get("plan", {})))
