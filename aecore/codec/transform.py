"""Where the photo codec starts from: the cosine transform of blocks, which JPEG rests on too, as one fixed matrix."""

import math

import torch
from torch import Tensor

BLOCK = 16
"""Sides of a block in pixels; each block gives one position of the code."""
COLOURS = ((3**-0.5, 3**-0.5, 3**-0.5), (2**-0.5, 0.0, -(2**-0.5)), (6**-0.5, -2 * 6**-0.5, 6**-0.5))
"""Brightness and two differences of colour, as rows of length 1 at right angles to one another."""
SPREAD = ((2.6, 2.8), (0.27, 3.7), (0.048, 3.1))
"""For each colour ``a`` and ``p``: its coefficients at rows and columns of frequency u, v vary by about ``a (1 + u² + v²)^(-p/2)``,
fitted to the training photographs. Colours fade much sooner than brightness."""


def cosines(size: int = BLOCK) -> Tensor:
    """The discrete cosine transform as ``(frequency, place)``, rows orthonormal. Source: Ahmed et al. (1974), https://doi.org/10.1109/T-C.1974.223784."""
    place = torch.arange(size, dtype=torch.float64)
    rows = torch.cos(math.pi / size * (place + 0.5) * place[:, None]) * (2 / size) ** 0.5
    rows[0] *= 0.5**0.5
    return rows


def basis(channels: int) -> tuple[Tensor, Tensor]:
    """The ``channels`` block patterns ``(channels, 3 * 16 * 16)`` that vary most, strongest first, and each one's expected variance.

    The rows are orthonormal, so that an error in a coefficient is an error of the same size in the picture. Of 768 patterns
    256 are kept, which is enough for 40 dB on the Kodak pictures.
    """
    rows = cosines()
    place = torch.arange(BLOCK, dtype=torch.float64)
    distance = 1 + place[:, None] ** 2 + place**2
    variance = torch.stack([a * distance ** (-p / 2) for a, p in SPREAD]).flatten()
    patterns = torch.einsum("ck,ui,vj->cuvkij", torch.tensor(COLOURS, dtype=torch.float64), rows, rows).reshape(len(variance), -1)
    order = variance.argsort(descending=True, stable=True)[:channels]
    return patterns[order].float(), variance[order].float()
