"""Where the face is in a picture: the convex hull of its landmarks."""

import numpy as np
import torch
from scipy.spatial import ConvexHull
from skimage.draw import polygon2mask
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur


def hulls(landmarks: np.ndarray, size: int) -> Tensor:
    """Landmarks ``(N, K, 2)``, (x, y) in pixels from the first pixel's corner, to masks ``(N, 1, size, size)`` of 0 and 1."""
    masks = np.zeros((len(landmarks), 1, size, size), np.float32)
    for mask, points in zip(masks, landmarks, strict=True):
        corners = points[ConvexHull(points).vertices]
        mask[0] = polygon2mask((size, size), corners[:, ::-1] - 0.5)
    return torch.from_numpy(masks)


def soft(masks: Tensor, sigma: float) -> Tensor:
    """Masks ``(N, 1, H, W)`` whose edges fall off over about ``sigma`` pixels."""
    reach = int(3 * sigma) * 2 + 1
    return gaussian_blur(masks, [reach, reach], [sigma, sigma])
