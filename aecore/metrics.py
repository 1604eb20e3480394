"""Figures that judge a result. Unlike losses, nothing is trained on them."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


def psnr(output: Tensor, target: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of pictures in [0, 1], from the mean squared error over all of them.

    Shapes: equal, any. Infinite for a perfect copy.
    """
    return psnr_of((output - target).square().mean().item())


def psnr_of(mse: float) -> float:
    """The ratio in dB that belongs to a mean squared error on pixels in [0, 1]."""
    return math.inf if mse == 0 else -10 * math.log10(mse)


def entropy_floor(pictures: Tensor) -> float:
    """The cross-entropy of a perfect copy, in nats per pixel: no model can score below it.

    A grey pixel x read as a probability has entropy -x ln x - (1-x) ln(1-x), which is zero only for black and white.
    Shape: ``(N, C, H, W)`` uint8, or float in [0, 1].
    """
    if pictures.dtype == torch.uint8:
        counts = torch.bincount(pictures.flatten().int(), minlength=256).double()
        levels = torch.arange(256, dtype=torch.float64) / 255
        return float((counts * _binary_entropy(levels)).sum() / counts.sum())
    return float(_binary_entropy(pictures.double()).mean())


@dataclass(frozen=True)
class PCA:
    """Principal component analysis: the best linear code of its size under squared error.

    ``mean`` is ``(D,)`` and ``axes`` ``(k, D)`` with orthonormal rows, largest variance first.
    Source: Baldi and Hornik (1989), https://doi.org/10.1016/0893-6080(89)90014-2 (a linear autoencoder finds the same plane).
    """

    mean: Tensor
    axes: Tensor

    @classmethod
    def fit(cls, pictures: Tensor, k: int) -> "PCA":
        """From ``(N, C, H, W)`` uint8 pictures; ``k`` is cut to the rank that N pictures of D pixels can have."""
        flat = pictures.flatten(1).float() / 255
        mean = flat.mean(0)
        centred = flat - mean
        k = min(k, *centred.shape)
        if centred.shape[0] < centred.shape[1]:  # fewer pictures than pixels: the small Gram matrix has the same spectrum
            values, vectors = torch.linalg.eigh(centred @ centred.T)
            axes = (vectors[:, -k:].T @ centred) / values[-k:].clamp_min(1e-9).sqrt()[:, None]
        else:
            axes = torch.linalg.eigh(centred.T @ centred)[1][:, -k:].T
        return cls(mean, axes.flip(0))

    def encode(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` in [0, 1] to codes ``(B, k)``."""
        return (x.flatten(1) - self.mean) @ self.axes.T

    def reconstruct(self, x: Tensor) -> Tensor:
        """Pictures in [0, 1] through the code and back, clipped to [0, 1]; shape kept."""
        return (self.encode(x) @ self.axes + self.mean).clamp(0, 1).view_as(x)


def _binary_entropy(p: Tensor) -> Tensor:
    return -(torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p))
