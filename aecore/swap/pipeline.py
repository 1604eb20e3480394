"""From a picture with a face in it to the same picture with another: cut out upright, match the colours, blend back."""

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve
from torch import Tensor
from torch.nn import functional

from aecore.swap.masks import soft


def similarity(points: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """The turn, scale and shift ``(2, 3)`` that brings ``points`` ``(K, 2)`` nearest to ``goal`` ``(K, 2)``, by least squares.

    Source: Umeyama (1991), https://doi.org/10.1109/34.88573.
    """
    middle, centre = points.mean(0), goal.mean(0)
    x, y = points - middle, goal - centre
    left, values, right = np.linalg.svd(y.T @ x)
    flip = np.array([1.0, np.sign(np.linalg.det(left @ right))])
    turn = (left * flip) @ right * (values * flip).sum() / (x**2).sum()
    return np.concatenate((turn, (centre - turn @ middle)[:, None]), 1)


def inverse(transform: np.ndarray) -> np.ndarray:
    """The way back of a transform ``(2, 3)``."""
    turn = np.linalg.inv(transform[:, :2])
    return np.concatenate((turn, -turn @ transform[:, 2:]), 1)


def carry(picture: Tensor, transform: np.ndarray, height: int, width: int) -> Tensor:
    """A picture ``(C, H, W)`` as it looks after ``transform`` of its pixel coordinates, on ``height`` x ``width``; its edge goes on outside."""
    back = inverse(transform)
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    a = torch.from_numpy(back).float()
    places = torch.stack((x, y), -1) @ a[:, :2].T + a[:, 2]
    grid = places / torch.tensor([picture.shape[2], picture.shape[1]]) * 2 - 1
    return functional.grid_sample(picture[None], grid[None], padding_mode="border", align_corners=False)[0]


def match_colours(picture: Tensor, model: Tensor, mask: Tensor) -> Tensor:
    """``picture`` with the mean and deviation of each channel that ``model`` has inside ``mask``.

    Shapes ``(3, H, W)`` and ``(1, H, W)``. Source: Reinhard et al. (2001), https://doi.org/10.1109/38.946629, here on red, green and blue.
    """
    where = mask[0] > 0.5
    if not where.any():
        return picture
    ours, theirs = picture[:, where], model[:, where]
    share = theirs.std(1, correction=0) / ours.std(1, correction=0).clamp_min(1e-3)
    return (picture - ours.mean(1)[:, None, None]) * share[:, None, None] + theirs.mean(1)[:, None, None]


def feather(front: Tensor, back: Tensor, mask: Tensor, sigma: float) -> Tensor:
    """``front`` laid over ``back``, ``(3, H, W)``, where ``mask`` ``(1, H, W)`` is 1, its edge softened over about ``sigma`` pixels."""
    share = soft(mask[None], sigma)[0]
    return share * front + (1 - share) * back


def poisson(front: Tensor, back: Tensor, mask: Tensor) -> Tensor:
    """``back`` with the differences between neighbours that ``front`` has, inside ``mask``: no seam, but the surroundings' light.

    Shapes ``(3, H, W)`` and ``(1, H, W)``. Pixels at the picture's edge are never changed.
    Source: Pérez, Gangnet and Blake (2003), https://doi.org/10.1145/882262.882269.
    """
    where = mask[0].numpy() > 0.5
    where[[0, -1]] = where[:, [0, -1]] = False
    rows, columns = np.nonzero(where)
    if not len(rows):
        return back.clone()
    index = np.full(where.shape, -1)
    index[rows, columns] = np.arange(len(rows))
    source, result = front.double().numpy(), back.double().numpy().copy()
    wanted = 4 * source[:, rows, columns]
    entries = [(np.arange(len(rows)), np.arange(len(rows)), np.full(len(rows), 4.0))]
    for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        y, x = rows + down, columns + right
        wanted = wanted - source[:, y, x] + np.where(where[y, x], 0, result[:, y, x])
        inner = where[y, x]
        entries.append((np.nonzero(inner)[0], index[y, x][inner], np.full(inner.sum(), -1.0)))
    i, j, values = (np.concatenate(each) for each in zip(*entries, strict=True))
    laplacian = coo_matrix((values, (i, j)), shape=(len(rows), len(rows))).tocsc()
    result[:, rows, columns] = spsolve(laplacian, wanted.T).T
    return torch.from_numpy(result).to(back.dtype)
