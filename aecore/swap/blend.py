"""A face swapped in any picture, step by step: found, cut out upright, drawn anew, its colours matched, blended back."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from aecore.swap import align
from aecore.swap.align import Place
from aecore.swap.joins import Join
from aecore.swap.masks import hulls, soft
from aecore.swap.pipeline import carry, inverse, match_colours, poisson

Seam = Literal["hard", "feather", "poisson"]
SEAMS: tuple[Seam, ...] = get_args(Seam)
INNER = 0.85
"""How much of the face is used, from its middle: at its edge one person's hair would lie on the other's skin."""
EDGE = 1 / 40
"""How soft the mask's edge is, as a share of the frame."""


@dataclass(frozen=True)
class Finish:
    """How a drawn face comes back into its picture: with its surroundings' ``colours`` or its own, and with which ``seam``."""

    colours: bool = True
    seam: Seam = "feather"


@dataclass(frozen=True, eq=False)
class Steps:
    """All that happened: where the face was; the frame ``(3, S, S)`` in [0, 1] as it was ``cut`` out, ``drawn``, and ``finished``.

    ``mask`` ``(1, S, S)`` says what of it is used; ``result`` is the picture with it, uint8 ``(3, H, W)``.
    """

    place: Place
    cut: Tensor
    drawn: Tensor
    finished: Tensor
    mask: Tensor
    result: Tensor


def swap(picture: Tensor, join: Join, source: str, target: str, finish: Finish | None = None) -> Steps:
    """A picture, uint8 ``(3, H, W)``, of ``source`` with the face of ``target``. Raises ``Refused`` where there is not one good face."""
    return blend(picture, align.place(picture, join.model.size), join, source, target, finish or Finish())


@torch.inference_mode()
def blend(picture: Tensor, place: Place, join: Join, source: str, target: str, finish: Finish) -> Steps:
    """The same, where the face's place is known."""
    size = join.model.size
    whole = picture.float() / 255
    cut = align.cut(whole, place.transform, size)
    drawn = join.draw(cut[None], source, target)[0].clamp(0, 1)
    middle = place.landmarks.mean(0)
    mask = hulls((middle + INNER * (place.landmarks - middle))[None], size)[0]
    mask[:, [0, -1]] = mask[:, :, [0, -1]] = 0
    finished = match_colours(drawn, cut, mask) if finish.colours else drawn
    if finish.seam == "poisson":
        finished = poisson(finished, cut, mask)
    if finish.seam != "hard":
        mask = soft(mask[None], size * EDGE)[0]
    finished = finished.clamp(0, 1)
    return Steps(place, cut, drawn, finished, mask, _laid(whole, finished, mask, place.transform).mul(255).round().byte())


def _laid(picture: Tensor, frame: Tensor, mask: Tensor, transform: np.ndarray) -> Tensor:
    """A picture ``(3, H, W)`` with a frame ``(3, S, S)`` laid where it was cut out; only the part that it covers is worked on."""
    size, back = frame.shape[1], inverse(transform)
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]]) @ back[:, :2].T + back[:, 2]
    left, top = np.floor(corners.min(0)).clip(0).astype(int).tolist()
    right, bottom = np.ceil(corners.max(0)).clip(0, picture.shape[:0:-1]).astype(int).tolist()
    if right <= left or bottom <= top:
        return picture
    shifted = np.column_stack((back[:, :2], back[:, 2] - (left, top)))
    both = carry(torch.cat((frame, mask)), shifted, bottom - top, right - left)
    result = picture.clone()
    under = result[:, top:bottom, left:right]
    result[:, top:bottom, left:right] = under + both[3:] * (both[:3] - under)
    return result
