"""Figures that judge a codec."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.interpolate import PchipInterpolator
from torch import Tensor
from torch.nn import functional

SHARES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of five scales, each half as large as the one before."""


def bd_rate(reference: Sequence[tuple[float, float]], other: Sequence[tuple[float, float]]) -> float:
    """How many per cent more bits ``other`` takes than ``reference`` at equal quality, over the qualities that both reach; NaN without such.

    Curves are (bits per pixel, PSNR in dB). Logarithms of rate are joined by monotone cubics.
    Source: Bjøntegaard (2001), https://www.itu.int/wftp3/av-arch/video-site/0104_Aus/VCEG-M33.doc; the cubics as in JCTVC-B055.
    """
    curves = []
    for curve in (reference, other):
        points = sorted(curve, key=lambda point: point[1])
        curves.append(PchipInterpolator([score for _, score in points], np.log([rate for rate, _ in points])))
    low, high = max(each.x[0] for each in curves), min(each.x[-1] for each in curves)
    if low >= high:
        return float("nan")
    before, after = (float(each.integrate(low, high)) for each in curves)
    return 100 * float(np.expm1((after - before) / (high - low)))


def ms_ssim(output: Tensor, target: Tensor) -> float:
    """Structural similarity over five scales, of pictures ``(C, H, W)`` in [0, 1] with sides of at least 176: 1 for a perfect copy.

    Source: Wang, Simoncelli and Bovik (2003), https://doi.org/10.1109/ACSSC.2003.1292216.
    """
    window = torch.exp(-torch.arange(-5, 6, dtype=torch.float64).square() / (2 * 1.5**2))
    window /= window.sum()

    def mean(x: Tensor) -> Tensor:
        return functional.conv2d(functional.conv2d(x, window.view(1, 1, -1, 1)), window.view(1, 1, 1, -1))

    a, b = (each.double()[:, None] for each in (output, target))
    result = torch.ones(len(a), dtype=torch.float64)
    for scale, share in enumerate(SHARES):
        mean_a, mean_b = mean(a), mean(b)
        spread = mean(a * a) - mean_a**2 + mean(b * b) - mean_b**2
        alike = (2 * (mean(a * b) - mean_a * mean_b) + 0.03**2) / (spread + 0.03**2)
        if scale == len(SHARES) - 1:
            alike = alike * (2 * mean_a * mean_b + 0.01**2) / (mean_a**2 + mean_b**2 + 0.01**2)
        result *= alike.mean((1, 2, 3)).clamp_min(0) ** share
        a, b = (functional.avg_pool2d(each, 2, padding=[side % 2 for side in each.shape[2:]]) for each in (a, b))
    return float(result.mean())
