"""What a training run tells while it lasts: frozen records, no tensors, so that they travel between processes."""

from dataclasses import dataclass

Terms = dict[str, float]


@dataclass(frozen=True)
class Started:
    """The run is set up. ``step`` is above zero where it continues from a checkpoint."""

    device: str
    threads: int
    parameters: int
    images: int
    step: int
    steps: int


@dataclass(frozen=True)
class Stepped:
    """One batch has been learnt; ``step`` counts from 1."""

    step: int


@dataclass(frozen=True)
class Reported:
    """Losses at a point of the curve.

    ``train`` holds the mean of each term since the report before, ``validation`` each term on the pictures held out;
    ``seconds`` is time spent learning, measuring left out; ``best`` tells that no earlier validation loss was lower.
    """

    step: int
    epoch: float
    seconds: float
    images_per_second: float
    train: Terms
    validation: Terms
    best: bool


@dataclass(frozen=True)
class Finished:
    """The run has ended and the model holds its best weights.

    ``reason`` is "complete", "early" (validation no longer improved), "time", "stopped" or "diverged". ``train`` and
    ``test`` hold figures in the units of :mod:`aecore.metrics`: cross_entropy, mse and psnr.
    """

    reason: str
    step: int
    best_step: int
    seconds: float
    train: Terms
    test: Terms


Event = Started | Stepped | Reported | Finished
