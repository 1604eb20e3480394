"""The invisible mark: a fixed random pattern, laid over a whole picture as faintly as it will survive a re-encoding.

Spread spectrum (Cox et al., 1997, https://doi.org/10.1109/83.650120). The picture's brightness is brought to a grid of ``cells``
along its longer side, whatever its size, and reduced to fine detail divided by its local strength. The pattern is added in
proportion to that strength, so that busy parts hide more of it, and found again by correlation: ``cells ** 2`` small
votes, so that many may be lost. Correlations at all shifts of the pattern tell how large chance makes them in this very picture,
and because the pattern is normally distributed so is chance: a threshold keeps false alarms below a bound.

The pattern follows from a seed in this file. Whoever reads it can remove the mark; it tells of honest files what they are.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO

import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from scipy.stats import norm
from torch import Tensor

SEED = 20261123
GRIDS = (64, 128)
"""Cells along the longer side: the finer grid where that side has :data:`FINE` pixels or more."""
FINE = 96
SURVIVING = {64: 8.0, 128: 10.0}
"""The score that must be left after JPEG of quality 75: twice what is needed, for whatever else happens."""
DETAIL = (0.5, 1.2)
"""Detail is what lies between these two blurs; standard deviations in cells."""
AROUND = 3.0
"""Standard deviation in cells of the window in which its strength is measured."""
FAINTEST, STRONGEST = 1.0, 6.0
"""Grey levels; the strength that even a flat part counts as, and the one beyond which a part hides no more of the pattern."""
STRENGTHS = (0.12, 0.15, 0.2, 0.25, 0.32, 0.4, 0.5, 0.63, 0.8, 1.0, 1.25)
"""Shares of the local strength that the pattern may take: the first of them that survives."""
FALSE_ALARMS = 1e-6
"""The chance that an unmarked picture passes for a marked one: half for the picture as it is, half for all places of the search."""
LEAST_SHARE = 0.5
"""Of the longer side, that a cut-out must have kept to be found by the search."""
ANGLES = tuple(0.6 * step for step in (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5))
"""Degrees by which a picture may have been turned, tried for every other size of pictures that have lost no more than :data:`TURNED` cells."""
TURNED = 6


@dataclass(frozen=True)
class Trace:
    """How strongly a picture speaks of the mark: a ``score`` in standard deviations of chance, and the ``threshold`` for it.

    ``share`` is what was left of the longer side, ``angle`` in degrees by how much it was turned, in the place that the score belongs to.
    """

    score: float
    threshold: float
    share: float = 1.0
    angle: float = 0.0

    @property
    def found(self) -> bool:
        """Whether the mark is there."""
        return self.score >= self.threshold


def embed(picture: Tensor, strength: float | None = None) -> tuple[Tensor, float]:
    """A picture ``(3, H, W)`` uint8 with the mark, and the strength it took: the least of ``STRENGTHS`` that survives, unless it is given."""
    pixels = picture.permute(1, 2, 0).numpy()
    cells = GRIDS[max(pixels.shape[:2]) >= FINE]
    local = _flat(_grid(_brightness(pixels), cells))[1]
    mark = local.clip(max=STRONGEST) * _pattern(cells)[: local.shape[0], : local.shape[1]]
    mark = np.asarray(Image.fromarray(mark).resize(pixels.shape[1::-1], Image.Resampling.BICUBIC))[..., None]

    def marked(strength: float) -> np.ndarray:
        return np.clip(pixels + (strength * mark + 0.5), 0, 255).astype(np.uint8)

    def survives(strength: float) -> bool:
        return _score([_brightness(_as_jpeg(marked(strength)))], cells) >= SURVIVING[cells]

    if strength is None:
        place = bisect_left(STRENGTHS[:-1], True, key=survives)
        strength = STRENGTHS[place]
    return torch.from_numpy(marked(strength)).permute(2, 0, 1).contiguous(), strength


def detect(pictures: Tensor, search: bool = True) -> Trace:
    """The strongest trace in a picture ``(3, H, W)`` or in frames of one film ``(N, 3, H, W)``, uint8, taken together.

    The ``search`` also looks for parts that were cut out and for pictures that were turned a little; it takes some tenths of a second.
    """
    frames = [_brightness(each.permute(1, 2, 0).numpy()) for each in (pictures if pictures.ndim == 4 else pictures[None])]
    whole = max((Trace(_score(frames, cells), threshold(len(GRIDS))) for cells in GRIDS), key=lambda each: each.score)
    if whole.found or not search:
        return whole
    grids = GRIDS if max(frames[0].shape) <= 2 * FINE else GRIDS[1:]  # a picture that was marked small is hardly cut and enlarged so much
    frames = [_grid(each, 2 * GRIDS[-1]) if max(each.shape) > 2 * GRIDS[-1] else each for each in frames]
    places = [(cells, side, angle) for cells in grids for side, angle in _places(cells)]
    limit = threshold(sum(_shifts(frames[0].shape, cells, side) for cells, side, _ in places))
    best = max((Trace(_best(frames, *place), limit, place[1] / place[0], place[2]) for place in places), key=lambda each: each.score)
    return best if best.found else whole


def threshold(trials: int) -> float:
    """The score that chance reaches in ``trials`` places with half the probability ``FALSE_ALARMS``."""
    return float(norm.isf(FALSE_ALARMS / 2 / trials))


def _places(cells: int) -> Iterator[tuple[int, float]]:
    """What the search tries: cells that the longer side may have kept, and the angle."""
    for side in range(round(LEAST_SHARE * cells), cells + 1):
        yield side, 0.0
        if cells - side in range(0, TURNED + 1, 2):
            yield from ((side, angle) for angle in ANGLES)


def _shifts(shape: tuple[int, ...], cells: int, side: int) -> int:
    """Places on the grid that a cut-out of this ``side`` may come from."""
    height, width = _size(shape, side)
    return (cells - height + 1) * (cells - width + 1)


def _best(frames: list[np.ndarray], cells: int, side: int, angle: float) -> float:
    """The highest score of pictures that are ``side`` of ``cells`` long, over all places they may have been cut from, once turned back."""
    height, width = _size(frames[0].shape, side)
    if angle:
        frames = [
            np.asarray(Image.fromarray(each).rotate(angle, Image.Resampling.BILINEAR, fillcolor=float(each.mean()))) for each in frames
        ]
    return float(_correlations(frames, cells, side)[: cells - height + 1, : cells - width + 1].max())


def _score(frames: list[np.ndarray], cells: int) -> float:
    """The score of whole pictures, given by their brightness."""
    return float(_correlations(frames, cells, cells)[0, 0])


def _correlations(frames: list[np.ndarray], cells: int, side: int) -> np.ndarray:
    """How well the detail of pictures agrees with the pattern at each shift ``(cells, cells)``, in standard deviations over all of them."""
    total = np.zeros((cells, cells), np.float32)
    for frame in frames:
        detail = _flat(_grid(frame, side))[0]
        total[: detail.shape[0], : detail.shape[1]] += detail
    agreed = np.fft.irfft2(np.conj(np.fft.rfft2(total)) * _spectrum(cells), s=(cells, cells))
    return agreed / max(float(agreed.std()), 1e-12)


def _flat(grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Detail divided by its local strength, and that strength."""
    detail = _detail(grid, "nearest")
    strength = np.sqrt(ndimage.gaussian_filter(detail * detail, AROUND, truncate=2.5) + FAINTEST**2)
    return detail / strength, strength


def _detail(grid: np.ndarray, edges: str) -> np.ndarray:
    fine, coarse = (ndimage.gaussian_filter(grid, each, mode=edges, truncate=3) for each in DETAIL)
    return fine - coarse


@cache
def _pattern(cells: int) -> np.ndarray:
    """Normally distributed detail ``(cells, cells)`` with standard deviation 1; it goes on over its edges."""
    noise = np.random.default_rng(SEED).standard_normal((cells, cells)).astype(np.float32)
    detail = _detail(noise, "wrap")
    return detail / detail.std()


@cache
def _spectrum(cells: int) -> np.ndarray:
    return np.fft.rfft2(_pattern(cells))


def _brightness(pixels: np.ndarray) -> np.ndarray:
    """Luma ``(H, W)`` of ``(H, W, 3)`` uint8."""
    return pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def _grid(brightness: np.ndarray, side: int) -> np.ndarray:
    """The picture resampled so that its longer side has ``side`` cells."""
    height, width = _size(brightness.shape, side)
    return np.asarray(Image.fromarray(brightness).resize((width, height), Image.Resampling.BICUBIC))


def _size(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    height, width = (max(1, round(side * each / max(shape))) for each in shape)
    return height, width


def _as_jpeg(pixels: np.ndarray) -> np.ndarray:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=75)
    with Image.open(file) as image:
        return np.asarray(image)
