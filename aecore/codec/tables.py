"""Tables of whole numbers that say how often each value comes, one for each class of scale: all that the entropy coder looks at."""

import math

import numpy as np
import torch
from torch import nn

from aecore.codec.context import LEAST_SCALE, MOST_SCALE
from aecore.codec.integers import CLASSES
from aecore.refusal import Refused

PRECISION = 24
WHOLE = 1 << PRECISION
"""What the frequencies of a table sum to."""
LARGEST = 1 << 13
"""Size of the largest quantised value."""
TRUST = 200.0
"""How many observations the logistic distribution is worth against what was counted."""


def reach(scale: float) -> int:
    """The largest size that has a place of its own in the table of a scale; beyond it values are written out."""
    return min(1000, math.ceil(12 * 2.0**scale) + 1)


REACHES = tuple(reach(LEAST_SCALE + (MOST_SCALE - LEAST_SCALE) * (each + 0.5) / CLASSES) for each in range(CLASSES))


class Tables(nn.Module):
    """Frequencies, one table after another, as int32: of -K ... K and of "further out" for each class, K being its reach."""

    def __init__(self, reaches: tuple[int, ...] = REACHES) -> None:
        super().__init__()
        self.reaches = reaches
        self.register_buffer("frequencies", torch.zeros(sum(2 * each + 2 for each in reaches), dtype=torch.int32))

    def fill(self, shares: list[np.ndarray]) -> None:
        """Take over shares of each class, ``(2 K + 2,)`` each."""
        self.get_buffer("frequencies").copy_(torch.from_numpy(np.concatenate([whole(each) for each in shares])))

    def each(self) -> list[np.ndarray]:
        """Each class's frequencies as int64; ``Refused`` where they are no table."""
        sizes = [2 * each + 2 for each in self.reaches]
        tables = np.split(self.get_buffer("frequencies").numpy().astype(np.int64), np.cumsum(sizes)[:-1])
        if any(each.min() < 1 or each.sum() != WHOLE for each in tables):
            raise Refused("These weights do not fit the model that the card describes. Choose the two files that were saved together.")
        return tables


def whole(shares: np.ndarray) -> np.ndarray:
    """Shares as frequencies of at least 1 that sum to 2^24; what rounding leaves over goes to the largest."""
    room = WHOLE - len(shares)
    counts = np.floor(shares / shares.sum() * room).astype(np.int64)
    counts[counts.argmax()] += room - counts.sum()
    return (counts + 1).astype(np.int32)


def logistic(scale: float, most: int) -> np.ndarray:
    """Shares of -K ... K and of all further out, under a logistic distribution around 0, rounded to whole steps."""
    edges = torch.sigmoid((torch.arange(-most, most + 2, dtype=torch.float64) - 0.5) / 2.0**scale).numpy()
    return np.append(np.diff(edges), max(2 * edges[0], 1e-12))


def measured(counts: list[np.ndarray]) -> list[np.ndarray]:
    """Shares from what was counted in each class, leaning on the logistic distribution where little was seen."""
    result = []
    for place, (seen, most) in enumerate(zip(counts, REACHES, strict=True)):
        scale = LEAST_SCALE + (MOST_SCALE - LEAST_SCALE) * (place + 0.5) / CLASSES
        result.append(seen + TRUST * logistic(scale, most))
    return result
