"""The three joins of the built-in people's autoencoders: models, maps between codes, what they draw; the same for all visitors."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from aecore.data import faces
from aecore.swap import judge, weights
from aecore.swap.joins import CodeMap, Join, by_moments, by_pairs, codes_of
from aecore.swap.masks import hulls
from aecore.swap.network import Swapper
from pages.ui.i18n import marked

NAIVE, ALIGNED, SHARED = "naive", "aligned", "shared"
NAMES = {NAIVE: marked("Naive"), ALIGNED: marked("Aligned"), SHARED: marked("Shared encoder")}
DIRECTIONS: dict[str, tuple[faces.Person, faces.Person]] = {"A-to-B": ("A", "B"), "B-to-A": ("B", "A")}
MOMENTS, PAIRS = "moments", "pairs"


@dataclass(frozen=True)
class Asked:
    """What is to be swapped: whose face goes on whose, at ``size`` pixels; how codes are aligned, 0 ``pairs`` for statistics alone."""

    direction: str
    size: int
    pairs: int

    @property
    def source(self) -> faces.Person:
        """Whose pose and expression it is."""
        return DIRECTIONS[self.direction][0]

    @property
    def target(self) -> faces.Person:
        """Whose face it shall be."""
        return DIRECTIONS[self.direction][1]

    @property
    def key(self) -> str:
        """All of it in a word."""
        return f"{self.direction}-{self.size}-{self.pairs}"


def sizes() -> tuple[int, ...]:
    """The sizes for which there are weights."""
    return tuple(size for size in faces.SIZES if weights.shipped(size).exists())


def names(size: int) -> tuple[str, ...]:
    """The joins for which there are weights of this size: the separate networks take much room, and come in one size."""
    return tuple(NAMES) if weights.shipped(size, "separate").exists() else (SHARED,)


@lru_cache(maxsize=4)
def model(size: int, encoders: str) -> Swapper:
    """A model that comes with the lab."""
    return weights.load(weights.shipped(size, encoders))[0]


@lru_cache(maxsize=12)
def frames(split: faces.Split, person: faces.Person, size: int) -> Tensor:
    """All frames of a split, uint8 ``(N, 3, size, size)``."""
    return faces.frames(split, person, size).contiguous()


@lru_cache(maxsize=12)
def masks(split: faces.Split, person: faces.Person, size: int) -> Tensor:
    """Where the person's face is in each frame ``(N, 1, size, size)``."""
    return hulls(faces.landmarks(split, person, size), size)


def join(name: str, asked: Asked) -> Join:
    """One of NAMES, ready to swap."""
    if name == SHARED:
        return Join(model(asked.size, "shared"))
    if name == NAIVE:
        return Join(model(asked.size, "separate"))
    return Join(model(asked.size, "separate"), {(asked.source, asked.target): code_map(asked)})


@lru_cache(maxsize=32)
def code_map(asked: Asked) -> CodeMap:
    """The linear map between the two separate networks' codes: from each person's own training frames, or from frames of the same scenes."""
    own = {name: slice(place, None, len(faces.PEOPLE)) for place, name in enumerate(faces.PEOPLE)}
    if asked.pairs:
        chosen = torch.linspace(0, len(frames("train", asked.source, asked.size)) - 1, asked.pairs).long()
        return by_pairs(_codes(asked.size, asked.source, chosen), _codes(asked.size, asked.target, chosen))
    return by_moments(_codes(asked.size, asked.source, own[asked.source]), _codes(asked.size, asked.target, own[asked.target]))


def _codes(size: int, person: faces.Person, places: slice | Tensor) -> Tensor:
    """What a person's own encoder makes of some training frames ``(N, n)``."""
    return codes_of(model(size, "separate"), frames("train", person, size)[places], person)


@lru_cache(maxsize=256)
def swapped(name: str, asked: Asked, split: faces.Split, place: int) -> Tensor:
    """One frame of a split swapped by a join, uint8 ``(3, size, size)``."""
    return join(name, asked).swap(frames(split, asked.source, asked.size)[place : place + 1], asked.source, asked.target)[0]


@lru_cache(maxsize=1)
def reader() -> judge.Judge:
    """Somebody who knows both people and tells who is in a picture and what the face does."""
    return judge.load()[0]


@lru_cache(maxsize=1)
def traits() -> Tensor:
    """What the face truly does in each held frame ``(60, T)``, in the reader's units."""
    return judge.traits("held")
