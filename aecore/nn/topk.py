"""The competition in which only the largest values of a code survive."""

import torch
from torch import Tensor

ALMOST_NOTHING = torch.finfo(torch.float32).tiny


def keep_largest(values: Tensor, k: int) -> Tensor:
    """``(B, n)`` to ``(B, n)`` with exactly min(k, n) values of each row left and exact zeros elsewhere.

    Largest with the sign, as it is: a negative value survives only where fewer than k are positive. Of equal values as many
    survive as there are places, which ones is left open; a survivor that is exactly 0 becomes the smallest positive number.
    Source: Makhzani and Frey (2013), https://arxiv.org/abs/1312.5663
    """
    largest, places = values.topk(min(k, values.shape[1]), dim=1)
    return torch.zeros_like(values).scatter(1, places, largest + ALMOST_NOTHING * (largest == 0))
