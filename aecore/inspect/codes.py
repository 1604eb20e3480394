"""What the values of a code do, over many pictures."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Health:
    """How busy the values of a code are, over many pictures.

    ``active`` counts the values that are not zero, in the mean picture (L0); ``dead`` those that are zero in all pictures;
    ``firing`` ``(n,)`` is the share of pictures in which each is not zero.
    """

    active: float
    dead: int
    firing: Tensor


def health(codes: Tensor) -> Health:
    """The health of codes ``(N, n)``; exact zeros count as silent."""
    awake = codes != 0
    return Health(awake.float().sum(1).mean().item(), int((~awake.any(0)).sum()), awake.float().mean(0))


@dataclass(frozen=True)
class Statistics:
    """How codes are spread.

    ``mean`` and ``spread`` (standard deviation) of each value ``(n,)``; ``lowest`` and ``highest`` value of all; ``correlation``:
    the strongest between two values, 0 to 1, its sign left out; ``dimension``: how many independent values of equal spread would
    spread as much, from 1 to n: the participation ratio (sum of v)^2 / sum of v^2 of the covariance's eigenvalues v.
    Source: Gao et al. (2017), https://doi.org/10.1101/214262
    """

    mean: Tensor
    spread: Tensor
    lowest: float
    highest: float
    correlation: float
    dimension: float


def statistics(codes: Tensor) -> Statistics:
    """The statistics of codes ``(N, n)``, N at least 2; a value that never changes is correlated with none."""
    centred = codes.double() - codes.double().mean(0)
    spread = centred.std(0)
    covariance = centred.T @ centred / (len(codes) - 1)
    standard = torch.where(spread > 0, 1 / spread, 0)
    correlation = (covariance * standard * standard[:, None]).fill_diagonal_(0).abs().max()
    dimension = covariance.trace().square() / covariance.square().sum()  # the eigenvalues' sums, without the eigenvalues
    return Statistics(
        codes.mean(0), spread.float(), codes.min().item(), codes.max().item(), correlation.item(), dimension.nan_to_num(0).item()
    )


def explained_variance(output: Tensor, target: Tensor) -> float:
    """Share of the variance of pictures ``(N, C, H, W)`` that ``output`` explains: 1 - MSE / variance.

    The variance is that of each pixel around its own mean: 1 for a perfect copy, 0 for the mean picture, below 0 for worse.
    """
    return 1 - ((output - target).square().mean() / (target - target.mean(0)).square().mean()).item()
