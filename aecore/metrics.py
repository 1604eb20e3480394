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


def si_sdr(output: Tensor, target: Tensor) -> float:
    """Scale-invariant signal-to-distortion ratio in dB of signals ``(C, N)``: the mean over channels.

    How much of ``output`` is the target, at whatever loudness, against all else in it; constant levels do not count.
    Infinite for a perfect copy, minus infinity where nothing of the target is there.
    Source: Le Roux et al. (2019), https://arxiv.org/abs/1811.02508.
    """
    output, target = (each.double() - each.double().mean(1, keepdim=True) for each in (output, target))
    share = (output * target).sum(1, keepdim=True) / target.square().sum(1, keepdim=True).clamp_min(1e-300)
    found, rest = ((each.square().sum(1)) for each in (share * target, share * target - output))
    return float((10 * torch.where(found > 0, (found / rest).log10(), -math.inf)).mean())


def ssim(output: Tensor, target: Tensor) -> float:
    """Structural similarity of two pictures ``(C, H, W)`` in [0, 1]: 1 for a perfect copy; the mean over pixels and channels."""
    return float(ssim_map(output, target).mean())


def ssim_map(output: Tensor, target: Tensor) -> Tensor:
    """Structural similarity at each place of two pictures ``(C, H, W)`` in [0, 1], but for a margin of 5 pixels: ``(C, H - 10, W - 10)``.

    Means, variances and covariance under a normal window of 11 pixels and standard deviation 1.5 (smaller if the picture is).
    Source: Wang et al. (2004), https://doi.org/10.1109/TIP.2003.819861.
    """

    def mean(x: Tensor) -> Tensor:
        for axis in (1, 2):  # shifted sums: several times as fast as a convolution of one channel
            reach = min(5, (x.shape[axis] - 1) // 2)
            weights = torch.exp(-torch.arange(-reach, reach + 1, dtype=x.dtype).square() / (2 * 1.5**2))
            inner = x.shape[axis] - 2 * reach
            shifted = (weight * x.narrow(axis, shift, inner) for shift, weight in enumerate((weights / weights.sum()).tolist()))
            x = sum(shifted, torch.zeros(()))
        return x

    a, b = output.double(), target.double()
    mean_a, mean_b = mean(a), mean(b)
    spread = mean(a * a) - mean_a**2 + mean(b * b) - mean_b**2
    shared = mean(a * b) - mean_a * mean_b
    return (2 * mean_a * mean_b + 0.01**2) * (2 * shared + 0.03**2) / ((mean_a**2 + mean_b**2 + 0.01**2) * (spread + 0.03**2))


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
