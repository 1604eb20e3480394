"""Filters that need no training, to stand beside the autoencoders: SciPy's, PyWavelets', and spectral subtraction."""

from collections.abc import Callable

import numpy as np
import pywt
import torch
from scipy.signal import savgol_filter
from torch import Tensor

from aecore.denoise.classic import NORMAL

Filter = Callable[[Tensor], Tensor]
WINDOW = 1024  # samples of a spectrum
EXCESS = 4  # times the noise's power is subtracted
WAVELET = "sym8"


def savitzky_golay(values: Tensor, window: int = 11, order: int = 3) -> Tensor:
    """The middle of the polynomial of ``order`` that fits ``window`` samples best, around each sample.

    Source: Savitzky and Golay (1964), https://doi.org/10.1021/ac60214a047.
    """
    window = min(window, values.shape[1] - 1 + values.shape[1] % 2)
    if window <= order:
        return values.clone()
    return torch.from_numpy(savgol_filter(values.numpy(), window, order, axis=1)).to(values.dtype)


def wavelet(values: Tensor, name: str = WAVELET, levels: int = 6) -> Tensor:
    """Small coefficients of a wavelet shrink towards 0; the noise is estimated from the finest, each level has a threshold of its own.

    Sources: Donoho and Johnstone (1994), https://doi.org/10.1093/biomet/81.3.425 (soft threshold, the noise's level);
    Chang, Yu and Vetterli (2000), https://doi.org/10.1109/83.862633 (the threshold, BayesShrink).
    """
    levels = min(levels, pywt.dwt_max_level(values.shape[1], name))
    if levels < 1:
        return values.clone()
    return torch.stack([_shrunk(each.numpy(), name, levels).to(values.dtype) for each in values])


def spectral_subtraction(values: Tensor) -> Tensor:
    """In each short stretch, each frequency gives up four times the power that the noise would have in it; below that it goes.

    The noise is taken to be white, and as strong as the finest wavelet coefficients tell.
    Sources: Boll (1979), https://doi.org/10.1109/TASSP.1979.1163209; Berouti, Schwartz and Makhoul (1979),
    https://doi.org/10.1109/ICASSP.1979.1170788 (more than there is).
    """
    size = min(WINDOW, values.shape[1])
    if size < 16:
        return values.clone()
    window = torch.hann_window(size)
    spectrum = torch.stft(values.float(), size, size // 4, window=window, return_complex=True, pad_mode="constant")
    noise = torch.tensor([_level(pywt.dwt(each.double().numpy(), WAVELET)[1]) ** 2 for each in values])[:, None, None]
    power = spectrum.abs().square().clamp_min(1e-20)
    gain = (1 - EXCESS * noise.float() * window.square().sum() / power).clamp_min(0).sqrt()
    return torch.istft(spectrum * gain, size, size // 4, window=window, length=values.shape[1]).to(values.dtype)


FILTERS: dict[str, Filter] = {"savitzky-golay": savitzky_golay, "wavelet": wavelet, "spectral subtraction": spectral_subtraction}
"""By name: a signal ``(C, N)`` in any unit to the same shape and type. They hold the whole signal in memory, several times over."""


def _level(details: np.ndarray) -> float:
    """The standard deviation of white noise, from the finest wavelet coefficients, in which there is little else."""
    return float(np.median(np.abs(details))) / NORMAL


def _shrunk(values: np.ndarray, name: str, levels: int) -> Tensor:
    coarse, *details = pywt.wavedec(values.astype(np.float64), name, level=levels, mode="symmetric")
    noise = _level(details[-1])
    if noise == 0:
        return torch.from_numpy(values.copy())
    for place, each in enumerate(details):
        signal = np.sqrt(max(float(np.mean(each**2)) - noise**2, 0.0))
        details[place] = pywt.threshold(each, noise**2 / signal, "soft") if signal > 0 else np.zeros_like(each)
    return torch.from_numpy(pywt.waverec([coarse, *details], name, mode="symmetric")[: len(values)].copy())
