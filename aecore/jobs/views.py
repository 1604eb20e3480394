"""What a page sees of a run: frozen, complete, and free of Dask."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from aecore.jobs.orders import Order
from aecore.refusal import Refused
from aecore.training import Finished, Reported, Started

Status = Literal["waiting", "running", "paused", "finished", "failed"]


@dataclass(frozen=True)
class Snapshot:
    """What the model makes of the same pictures, at a step.

    ``reconstructions``: uint8 ``(8, C, H, W)``, of the view's ``originals`` (fewer where the test has fewer pictures).
    ``codes``: float32 ``(N, 2)``, N at most 300, the two principal axes of the codes of the same test pictures each time;
    ``labels``: int64 ``(N,)``, their classes.
    """

    step: int
    reconstructions: np.ndarray
    codes: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class View:
    """A run as it stands.

    ``place`` is 1 for the next in line and 0 for a run that does not wait. A run that lost its worker waits once more, with
    its curve and a ``notice``. ``weights`` are safetensors of the best model so far, empty until there is one. ``version``
    grows with each change, so that a page can leave out a drawing; ``watchers`` counts the visitors who look on.
    ``seconds_left`` is an estimate, given while steps are made. ``judged`` holds what :func:`aecore.inspect.judge` says of the
    finished model, None until it has spoken.
    """

    id: str
    order: Order
    status: Status
    place: int
    started: Started | None
    step: int
    steps: int
    reports: tuple[Reported, ...]
    snapshot: Snapshot | None
    originals: np.ndarray | None
    finished: Finished | None
    judged: dict[str, float] | None
    weights: bytes
    notice: Refused | None
    error: Refused | None
    version: int
    watchers: int
    seconds_left: float | None
