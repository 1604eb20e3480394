"""Every data set the lab knows by name: what it holds, where it comes from, how to load it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from aecore.refusal import Refused

Progress = Callable[[float], object]
"""Told how much is done, as a fraction in [0, 1]. It may raise to stop the work."""


@dataclass(frozen=True)
class Images:
    """Pictures in memory, some to learn from and some kept aside to test on.

    ``train``, ``test``: uint8 ``(N, C, H, W)``; ``train_labels``, ``test_labels``: int64 ``(N,)``, positions in ``classes``.
    """

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        for part, labels in ((self.train, self.train_labels), (self.test, self.test_labels)):
            if part.dtype != torch.uint8 or part.ndim != 4:
                raise ValueError(f"pictures must be uint8 (N, C, H, W), not {part.dtype} {tuple(part.shape)}")
            if labels.dtype != torch.int64 or labels.shape != part.shape[:1]:
                raise ValueError(f"labels must be int64 ({len(part)},), not {labels.dtype} {tuple(labels.shape)}")
        if self.train.shape[1:] != self.test.shape[1:]:
            raise ValueError(f"train {tuple(self.train.shape[1:])} and test {tuple(self.test.shape[1:])} differ in shape")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one picture."""
        channels, height, width = self.train.shape[1:]
        return channels, height, width


@dataclass(frozen=True)
class Dataset:
    """What is known about a set of pictures before it is loaded."""

    name: str
    title: str
    about: str
    licence: str
    source: str
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    built_in: bool
    load: Callable[[Progress | None], Images]


DATASETS: dict[str, Dataset] = {}


def register(dataset: Dataset) -> Dataset:
    """Add a data set to ``DATASETS``; raises ``ValueError`` if its name is taken."""
    if dataset.name in DATASETS:
        raise ValueError(f"a data set named {dataset.name!r} exists already")
    DATASETS[dataset.name] = dataset
    return dataset


def load(name: str, progress: Progress | None = None) -> Images:
    """Load a data set by name, reporting progress; raises ``Refused`` for an unknown name or a failed download."""
    if name not in DATASETS:
        raise Refused("There is no data set named {name}. Choose one of: {choices}.", name=name[:60], choices=", ".join(DATASETS))
    return DATASETS[name].load(progress)
