"""A signal of any length through the denoiser, in overlapping pieces, so that memory stays small and one can stop."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from aecore.denoise.tiles import has_bfloat16, spans
from aecore.signals.spectral import STEP

PIECE = 1 << 18
"""Samples of a piece: 5.5 s at 48 kHz."""
OVERLAP = 1 << 16
"""Samples that neighbours share; the middle half of them, in which one fades into the next, is further from the ends than the networks look."""


@torch.no_grad()
def denoise(
    model: nn.Module,
    values: Tensor,
    progress: Callable[[float], None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Tensor | None:
    """A signal ``(C, N)`` in any unit, at any level, to its clean copy of the same shape and type; each channel by itself.

    The mean of a piece is taken out and put back, and its spread made 1 for the network. After each piece ``progress``
    hears the share that is done, and where ``stopped`` says so the result is None. Computes in bfloat16 where the
    processor does so natively.
    """
    pieces = spans(values.shape[1], PIECE, OVERLAP, STEP)
    clean = torch.zeros_like(values)
    total = len(pieces) * len(values)
    for done in range(total):
        if stopped is not None and stopped():
            return None
        channel, (span, weight) = done // len(pieces), pieces[done % len(pieces)]
        clean[channel, span] += _mended(model, values[channel, span]) * weight
        if progress is not None:
            progress((done + 1) / total)
    return clean


def denoise_series(
    model: nn.Module,
    values: np.ndarray,
    progress: Callable[[float], None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> np.ndarray | None:
    """A series ``(N,)`` float64 to its clean copy; missing values (NaN) stay missing. The rest as in :func:`denoise`."""
    clean = denoise(model, torch.from_numpy(filled(values))[None], progress, stopped)
    return None if clean is None else np.where(np.isnan(values), np.nan, clean[0].numpy())


def filled(values: np.ndarray) -> np.ndarray:
    """A series ``(N,)`` with straight lines across its missing values (NaN); at least one must be there."""
    there = np.flatnonzero(~np.isnan(values))
    return np.interp(np.arange(len(values)), there, values[there])


def _mended(model: nn.Module, piece: Tensor) -> Tensor:
    """One piece ``(N,)`` through the network, brought to its level and back; what is constant stays as it is."""
    largest = piece.abs().max()
    if largest == 0:
        return piece
    level = piece.double() / largest  # first, so that squares stay finite
    mean, spread = level.mean(), level.std(correction=0)
    if spread <= 1e-9:
        return piece
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bfloat16()):
        result = model(((level - mean) / spread).float()[None, None])[0, 0]
    return ((result.double() * spread + mean) * largest).to(piece.dtype)
