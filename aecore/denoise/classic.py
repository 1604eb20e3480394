"""Filters that need no training, to stand beside the autoencoder: scikit-image's and SciPy's, each told the noise level.

Their knobs follow from the noise level by a rule. Each rule was chosen by PSNR on nine squares of 160 x 160 pixels from
the training photographs, in colour and in grey, with normal noise of 5, 15, 25, 50 and 75 grey levels: within 0.7 dB of the
best value tried at 15 to 50 levels.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import pywt
import torch
from scipy import ndimage
from skimage import restoration
from torch import Tensor

Filter = Callable[[Tensor, float], Tensor]
Plain = Callable[[Any, float], Any]  # the same on arrays (H, W, C), float32
SMALLEST = 112
"""Sides below it are mirrored up to it, then cut back: so much four levels of the wavelet need, and windows always fit."""
NORMAL = 0.6745
"""The median of the absolute value of a normal variable of standard deviation 1."""


def _filter(plain: Plain) -> Filter:
    @wraps(plain)
    def run(picture: Tensor, sigma: float) -> Tensor:
        if sigma <= 0:
            return picture.clone()
        height, width = picture.shape[1:]
        sides = [(0, max(0, SMALLEST - side)) for side in (height, width)]
        padded = np.pad(picture.permute(1, 2, 0).float().numpy(), [*sides, (0, 0)], mode="symmetric")
        clean = np.asarray(plain(padded, sigma), dtype=np.float32).reshape(padded.shape)
        return torch.from_numpy(clean[:height, :width].copy()).permute(2, 0, 1).contiguous()

    return run


@_filter
def median(picture: Any, sigma: float) -> Any:
    """The middle one of the values around each pixel; 3 x 3 of them below 20 grey levels of noise, 5 x 5 below 40, then 7 x 7.

    Source: Tukey (1977), Exploratory Data Analysis (running medians).
    """
    side = 3 if sigma < 20 / 255 else 5 if sigma < 40 / 255 else 7
    return ndimage.median_filter(picture, (side, side, 1))


@_filter
def bilateral(picture: Any, sigma: float) -> Any:
    """The mean of the neighbours, near ones and ones of like colour most: 2 pixels wide, 2 sigma of grey or 0.8 sigma of colour.

    scikit-image takes a third of the distance between colours, so the two widths are about the same.
    The picture is lifted to begin at 0, because scikit-image's table of weights is off where values are negative.
    Source: Tomasi and Manduchi (1998), https://doi.org/10.1109/ICCV.1998.710815.
    """
    grey = picture.shape[2] == 1
    lift = picture.min()
    lifted = (picture[..., 0] if grey else picture) - lift
    clean = restoration.denoise_bilateral(
        lifted, win_size=9, sigma_color=(2 if grey else 0.8) * sigma, sigma_spatial=2, mode="edge", channel_axis=None if grey else 2
    )
    return clean.reshape(picture.shape) + lift


@_filter
def non_local_means(picture: Any, sigma: float) -> Any:
    """The mean of the pixels whose surroundings look alike: 5 x 5 patches, up to 6 pixels away, their distance judged at 0.6 sigma.

    Sources: Buades, Coll and Morel (2005), https://doi.org/10.1109/CVPR.2005.38; Darbon et al. (2008),
    https://doi.org/10.1109/ISBI.2008.4541250 (the fast way).
    """
    grey = picture.shape[2] == 1
    return restoration.denoise_nl_means(
        picture[..., 0] if grey else picture,
        patch_size=5,
        patch_distance=6,
        h=0.6 * sigma,
        sigma=sigma,
        fast_mode=True,
        channel_axis=None if grey else 2,
    )


@_filter
def wavelet(picture: Any, sigma: float) -> Any:
    """Small coefficients of four levels of a wavelet (Symlet 4) shrink towards 0, each band by a threshold of its own.

    The threshold is BayesShrink's; colour is taken as YCbCr.
    Source: Chang, Yu and Vetterli (2000), https://doi.org/10.1109/83.862633.
    """
    colour = picture.shape[2] == 3
    return restoration.denoise_wavelet(
        picture, sigma=sigma, wavelet="sym4", wavelet_levels=4, convert2ycbcr=colour, method="BayesShrink", mode="soft", channel_axis=2
    )


@_filter
def total_variation(picture: Any, sigma: float) -> Any:
    """The picture with the smallest sum of steps between neighbours that is still near the noisy one; weight 0.85 sigma.

    Sources: Rudin, Osher and Fatemi (1992), https://doi.org/10.1016/0167-2789(92)90242-F; Chambolle (2004),
    https://doi.org/10.1023/B:JMIV.0000011325.36760.1e (the algorithm).
    """
    return restoration.denoise_tv_chambolle(picture, weight=0.85 * sigma, eps=1e-5, channel_axis=2)


FILTERS: dict[str, Filter] = {
    "median": median,
    "bilateral": bilateral,
    "non-local means": non_local_means,
    "wavelet": wavelet,
    "total variation": total_variation,
}
"""By name: a picture ``(C, H, W)`` of about [0, 1], C is 1 or 3, and sigma in the same unit, to the same shape, not cut to [0, 1]."""


def estimate_sigma(picture: Tensor) -> float:
    """The standard deviation of the noise in a picture ``(C, H, W)``, in the picture's unit; the mean over its channels.

    From the median size of the finest diagonal wavelet coefficients, which edges seldom reach. Fine texture counts as
    noise: a clean photograph gets about 2 grey levels.
    Source: Donoho and Johnstone (1994), https://doi.org/10.1093/biomet/81.3.425.
    """
    _, (_, _, diagonal) = pywt.dwt2(picture.float().numpy(), "db2")
    return float(np.median(np.abs(diagonal), axis=(1, 2)).mean()) / NORMAL
