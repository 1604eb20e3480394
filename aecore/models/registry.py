"""The one list of variants; interface, tests and command line read it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch

from aecore.models.base import Autoencoder, Shape
from aecore.refusal import Refused

MOST_PARAMETERS = 30_000_000  # above this a run outgrows the memory of a shared worker


@dataclass(frozen=True)
class Variant:
    """A registered variant: its class, and its words in English."""

    name: str
    model: type[Autoencoder]
    title: str
    formula: str
    source: str

    @property
    def about(self) -> str:
        """One sentence for a student: the first line of the class's docstring."""
        return (self.model.__doc__ or "").strip().splitlines()[0]


Kind = TypeVar("Kind", bound=Autoencoder)
VARIANTS: dict[str, Variant] = {}


def variant(name: str, *, title: str, formula: str, source: str) -> Callable[[type[Kind]], type[Kind]]:
    """Register a class under ``name``; ``formula`` is LaTeX, ``source`` "Author (year), link". A taken name raises."""

    def register(model: type[Kind]) -> type[Kind]:
        if name in VARIANTS:
            raise ValueError(f"variant {name!r} is registered twice")
        VARIANTS[name] = Variant(name, model, title, formula, source)
        return model

    return register


def find(name: str) -> Variant:
    """The variant called ``name``, or Refused with the choices."""
    if name not in VARIANTS:
        raise Refused("There is no variant called {name}; there are: {names}.", name=name[:60], names=", ".join(VARIANTS))
    return VARIANTS[name]


def blueprint(name: str, shape: Shape, **knobs: object) -> Autoencoder:
    """The model without memory behind its weights: sizes can be read from it before anything is allocated."""
    model = find(name).model
    with torch.device("meta"):
        plan = model(shape, model.Config.of(**knobs))
    count = plan.parameter_count()
    if count > MOST_PARAMETERS:
        raise Refused(
            "This model would have {count} million parameters; the most is {most} million. Choose a smaller code, width or picture.",
            count=round(count / 1e6),
            most=MOST_PARAMETERS // 1_000_000,
        )
    return plan


def build(name: str, shape: Shape, *, seed: int = 0, **knobs: object) -> Autoencoder:
    """A fresh model of variant ``name`` for pictures of ``shape`` (C, H, W), its weights drawn from ``seed``.

    Refused where the variant or a knob is unknown, a value is outside its limits, or the model is too large.
    """
    model = blueprint(name, shape, **knobs).to_empty(device="cpu")
    model.initialise(torch.Generator().manual_seed(seed))
    return model
