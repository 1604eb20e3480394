"""Ways to join one person's encoder to another's decoder, and the linear maps between their codes that a join may need."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from aecore.swap.network import Swapper

RIDGE = 1e-3
"""What is added to each variance before it is divided by, as a share of the mean variance."""
AT_ONCE = 64


@dataclass(frozen=True)
class CodeMap:
    """A linear map from one network's codes ``(N, n)`` to another's: ``matrix`` ``(n, n)``, ``shift`` ``(n,)``."""

    matrix: Tensor
    shift: Tensor

    def __call__(self, codes: Tensor) -> Tensor:
        """Codes of the source as the target's decoder expects them."""
        return codes @ self.matrix + self.shift


@dataclass(frozen=True)
class Join:
    """A model cut and joined crosswise: the source's encoder, perhaps a map, the target's decoder.

    Without ``maps`` it is the naive join of a model with separate encoders, and the right one of a model with a shared encoder.
    ``maps`` are by (source, target); each person's own codes need none.
    """

    model: Swapper
    maps: Mapping[tuple[str, str], CodeMap] | None = None

    @torch.inference_mode()
    def swap(self, frames: Tensor, source: str, target: str) -> Tensor:
        """Frames of ``source``, uint8 ``(N, 3, S, S)``, with the face of ``target``; same shape. ``Refused`` for somebody unknown."""
        drawn = [self.draw(part.float() / 255, source, target) for part in frames.split(AT_ONCE)]
        return (torch.cat(drawn).clamp(0, 1) * 255).round().to(torch.uint8)

    def draw(self, pictures: Tensor, source: str, target: str) -> Tensor:
        """The same in [0, 1], not cut."""
        codes = self.model.encode(pictures.contiguous(memory_format=torch.channels_last), source)
        if self.maps and source != target:
            codes = self.maps[source, target](codes)
        return self.model.decode(codes, target)


@torch.inference_mode()
def codes_of(model: Swapper, frames: Tensor, person: str) -> Tensor:
    """Codes ``(N, n)`` of a person's frames, uint8 ``(N, 3, S, S)``."""
    parts = (part.float().contiguous(memory_format=torch.channels_last) / 255 for part in frames.split(AT_ONCE))
    return torch.cat([model.encode(part, person) for part in parts])


def by_moments(source: Tensor, target: Tensor) -> CodeMap:
    """From unpaired codes: the source's mean and covariance are made the target's, moving codes no farther than needed.

    Whitening and colouring alone leave a rotation open; this is the one by which normal distributions are carried over at least cost.
    Source: Peyré and Cuturi (2019), https://arxiv.org/abs/1803.00567, remark 2.31.
    """
    mean, covariance = _moments(source)
    goal, wanted = _moments(target)
    root, inverse = _power(covariance, 0.5), _power(covariance, -0.5)
    matrix = inverse @ _power(root @ wanted @ root, 0.5) @ inverse
    return _about(mean, goal, matrix)


def by_axes(source: Tensor, target: Tensor) -> CodeMap:
    """From unpaired codes: the source's principal axes become the target's in the order of their variances.

    An axis may point either way; its skewness decides. Two networks that learnt the same faces need not order their axes alike.
    """
    mean, covariance = _moments(source)
    goal, wanted = _moments(target)
    (values, axes), (others, directions) = torch.linalg.eigh(covariance), torch.linalg.eigh(wanted)
    skew, needed = (
        ((codes - middle).double() @ sides).pow(3).mean(0) for codes, middle, sides in ((source, mean, axes), (target, goal, directions))
    )
    signs = torch.where(skew * needed < 0, -1.0, 1.0)
    return _about(mean, goal, axes * (signs * (others / values).sqrt()) @ directions.T)


def by_pairs(source: Tensor, target: Tensor, ridge: float = 0.03) -> CodeMap:
    """From codes of the same scenes, row by row: least squares with a penalty on the matrix.

    ``ridge`` is the penalty as a share of the source's mean variance times the number of rows. With few pairs the map is little more than
    the mean. Source: Hoerl and Kennard (1970), https://doi.org/10.1080/00401706.1970.10488634.
    """
    mean, goal = source.double().mean(0), target.double().mean(0)
    x, y = source.double() - mean, target.double() - goal
    scale = x.square().mean().clamp_min(1e-12) * len(x)
    gram = x.T @ x
    matrix = torch.linalg.solve(gram + ridge * scale * torch.eye(len(gram), dtype=gram.dtype), x.T @ y)
    return _about(mean, goal, matrix)


def _about(mean: Tensor, goal: Tensor, matrix: Tensor) -> CodeMap:
    return CodeMap(matrix.float(), (goal - mean @ matrix).float())


def _moments(codes: Tensor) -> tuple[Tensor, Tensor]:
    """Mean ``(n,)`` and covariance ``(n, n)`` in float64, the latter made safe to invert."""
    mean = codes.double().mean(0)
    centred = codes.double() - mean
    covariance = centred.T @ centred / len(codes)
    return mean, covariance + RIDGE * covariance.diagonal().mean().clamp_min(1e-12) * torch.eye(len(covariance), dtype=covariance.dtype)


def _power(matrix: Tensor, power: float) -> Tensor:
    """A power of a symmetric positive matrix."""
    values, axes = torch.linalg.eigh(matrix)
    return axes * values.clamp_min(1e-12).pow(power) @ axes.T
