"""The way between codes and points where the map has no formula: what lies nearest is blended."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

NEIGHBOURS = 8
AT_ONCE = 500


@dataclass(frozen=True)
class Blend:
    """Codes ``(N, d)`` and their points ``(N, dims)``. A point's code is the mean of its nearest points' codes, and the reverse.

    Each of the eight nearest counts by one over its squared distance, so at a point of the map its own code comes back. Nothing is
    found outside of what the neighbours hold: far from all points the answer is their mean. Source: Shepard (1968), https://doi.org/10.1145/800186.810616
    """

    codes: Tensor
    points: Tensor
    exact: ClassVar[bool] = False

    def place(self, codes: Tensor) -> Tensor:
        """``(M, d)`` to ``(M, dims)``."""
        return _blend(codes, self.codes, self.points)

    def inverse(self, points: Tensor) -> Tensor:
        """``(M, dims)`` to ``(M, d)``."""
        return _blend(points, self.points, self.codes)


def _blend(asked: Tensor, known: Tensor, values: Tensor) -> Tensor:
    scale = (known - known.mean(0)).square().sum(1).mean()
    parts = []
    for part in asked.split(AT_ONCE):
        distances, rows = torch.cdist(part, known, compute_mode="donot_use_mm_for_euclid_dist").topk(
            min(NEIGHBOURS, len(known)), largest=False
        )
        weights = 1 / (distances.double().square() / scale + 1e-12)
        parts.append(((weights / weights.sum(1, keepdim=True))[..., None] * values[rows]).sum(1).to(values.dtype))
    return torch.cat(parts)
