"""What the lecture claims of codes, measured: raw pixels against PCA of equal size against the code, over several seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev

import torch
from torch import Tensor

from aecore.corruption import CORRUPTIONS
from aecore.data import Images
from aecore.data.registry import Progress
from aecore.latent.measures import faithfulness, few, neighbour_accuracy, probe_accuracy, silhouette
from aecore.latent.projection import sample
from aecore.latent.ways import Writing, pictures
from aecore.refusal import Refused

SEEDS = (0, 1, 2, 3, 4)
MOST = 2_000  # pictures of a panel
LABELS = (1, 3, 10, 30, 100)  # per class
NEIGHBOURS = 12
VOTERS = 5


@dataclass(frozen=True)
class Figure:
    """One figure, measured once for each seed: ``mean`` of ``values`` and ``spread``, their standard deviation."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Of the seeds."""
        return mean(self.values)

    @property
    def spread(self) -> float:
        """Standard deviation over the seeds, 0 for a single one."""
        return stdev(self.values) if len(self.values) > 1 else 0.0


Panel = dict[str, dict[str, Figure]]
"""By measure, then by way of writing: ``panel["overlap"]["pca"].mean``."""


def reduction(ways: Mapping[str, Writing], data: Images, seeds: Sequence[int] = SEEDS, progress: Progress | None = None) -> Panel:
    """Fewer dimensions: how true each way of writing is to the pixels, and how well the pictures come back.

    Measures: "trustworthiness", "continuity", "overlap" of neighbourhoods (see :class:`Faithfulness`) and "mse" of pixels in [0, 1].
    A seed draws 1,000 test pictures; where there are no more, all seeds give the same.
    """
    board = _Board(len(seeds) * len(ways), progress)
    for seed in seeds:
        x = pictures(data.test[sample(len(data.test), MOST // 2, seed)])
        for way, writing in ways.items():
            codes = _written(writing, x)
            true = faithfulness(x.flatten(1), codes, NEIGHBOURS)
            mse = (writing.decode(codes) - x).square().mean().item()
            board.note(way, trustworthiness=true.trustworthiness, continuity=true.continuity, overlap=true.overlap, mse=mse)
    return board.panel()


def separability(values: Mapping[str, Tensor], labels: Tensor, seeds: Sequence[int] = SEEDS, progress: Progress | None = None) -> Panel:
    """Classes lie apart, though no label took part: for each way a table ``(N, d)`` of the same pictures, a map's points among them if you like.

    Measures: "probe" (logistic regression) and "neighbours" (vote of five), both learnt on one half of the pictures and scored on the
    other, shares from 0 to 1; "silhouette" of the other half, from -1 to 1. A seed draws at most 2,000 of the pictures and the halves.
    """
    board = _Board(len(seeds) * len(values), progress)
    for seed in seeds:
        rows = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))[:MOST]
        learnt, asked = rows.chunk(2) if len(rows) > 1 else (rows, rows)
        for way, table in values.items():
            table = _finite(table)
            split = table[learnt], labels[learnt], table[asked], labels[asked]
            share, _ = probe_accuracy(*split)
            together = silhouette(table[asked], labels[asked])
            board.note(way, probe=share, neighbours=neighbour_accuracy(*split, VOTERS), silhouette=together)
    return board.panel()


def denoised(
    ways: Mapping[str, Writing], data: Images, noise: str, level: float, seeds: Sequence[int] = SEEDS, progress: Progress | None = None
) -> Panel:
    """Noise removed: how far noise of a kind and level of :data:`CORRUPTIONS` moves a picture, and whether its class is still found.

    Measures: "moved", the distance of noisy to clean in units of the distance between two different clean pictures, in the mean;
    "clean" and "noisy", the share of test pictures whose class five nearest clean training pictures vote for. A seed draws
    2,000 training pictures, 1,000 test pictures and the noise.
    """
    board = _Board(len(seeds) * len(ways), progress)
    for seed in seeds:
        rng = torch.Generator().manual_seed(seed)
        learnt, asked = sample(len(data.train), MOST, seed), sample(len(data.test), MOST // 2, seed)
        known, clean = pictures(data.train[learnt]), pictures(data.test[asked])
        noisy = CORRUPTIONS[noise](clean, level, rng)
        for way, writing in ways.items():
            voters, before, after = (_written(writing, x) for x in (known, clean, noisy))
            usual = (before - before.roll(1, 0)).norm(dim=1).mean()
            figures = {
                name: neighbour_accuracy(voters, data.train_labels[learnt], codes, data.test_labels[asked], VOTERS)
                for name, codes in (("clean", before), ("noisy", after))
            }
            board.note(way, moved=((after - before).norm(dim=1).mean() / usual).item(), **figures)
    return board.panel()


@dataclass(frozen=True)
class Lesson:
    """What a classifier makes of ``labels`` labelled pictures per class: its ``accuracy`` and the ``seconds`` to learn it, by way of writing."""

    labels: int
    accuracy: dict[str, Figure]
    seconds: dict[str, Figure]


def downstream(
    ways: Mapping[str, Writing],
    data: Images,
    labels: Sequence[int] = LABELS,
    seeds: Sequence[int] = SEEDS,
    progress: Progress | None = None,
) -> list[Lesson]:
    """Training that comes after: a logistic regression on few labels, scored on at most 2,000 test pictures.

    A seed draws the labelled pictures, the same for every way. Numbers of labels that a class does not have are left out.
    """
    if len(data.train_labels.unique()) < 2:
        raise Refused("All these pictures are of one class, or have no label, so there is nothing to learn. Choose data with labels.")
    counts = torch.bincount(data.train_labels)
    numbers = [number for number in labels if number <= int(counts[counts > 0].min())]
    asked = sample(len(data.test), MOST, 0)
    tests = {way: _written(writing, pictures(data.test[asked])) for way, writing in ways.items()}
    lessons = []
    for index, number in enumerate(numbers):
        board = _Board(len(seeds) * len(ways), _part(progress, index, len(numbers)))
        for seed in seeds:
            rows = few(data.train_labels, number, seed)
            known = pictures(data.train[rows])
            for way, writing in ways.items():
                share, seconds = probe_accuracy(_written(writing, known), data.train_labels[rows], tests[way], data.test_labels[asked])
                board.note(way, accuracy=share, seconds=seconds)
        panel = board.panel()
        lessons.append(Lesson(number, panel["accuracy"], panel["seconds"]))
    return lessons


class _Board:
    """Collects figures, seed by seed, and tells how many of ``steps`` are done."""

    def __init__(self, steps: int, progress: Progress | None) -> None:
        self.steps = steps
        self.progress = progress or (lambda done: None)
        self.noted: dict[str, dict[str, list[float]]] = {}
        self.done = 0
        self.progress(0.0)

    def note(self, way: str, **figures: float) -> None:
        """Write down the figures of one way under one seed."""
        for measure, value in figures.items():
            self.noted.setdefault(measure, {}).setdefault(way, []).append(value)
        self.done += 1
        self.progress(self.done / self.steps)

    def panel(self) -> Panel:
        """All that was noted."""
        return {measure: {way: Figure(tuple(values)) for way, values in ways.items()} for measure, ways in self.noted.items()}


def _part(progress: Progress | None, index: int, parts: int) -> Progress:
    """Progress of one of several equal parts, as progress of the whole."""
    return lambda done: progress((index + done) / parts) if progress else None


def _written(writing: Writing, x: Tensor) -> Tensor:
    return _finite(writing.encode(x))


def _finite(codes: Tensor) -> Tensor:
    if not codes.isfinite().all():
        raise Refused("Some codes are not numbers, so nothing can be measured on them: the model's training went astray. Train it again.")
    return codes
