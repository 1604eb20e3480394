"""Ways through the space of codes: from A to B, A - B + C, a grid over the map, and the middle of a selection."""

from dataclasses import dataclass

import torch
from torch import Tensor

from aecore.latent.projection import Map
from aecore.latent.ways import in_parts, pictures
from aecore.models import Autoencoder
from aecore.refusal import Refused

MARGIN = 0.02  # share of the points that may lie outside of the grid, on each side


def linear(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """Codes ``(steps, n)`` on the straight line from code ``a`` ``(n,)`` to ``b``, both ends included."""
    return torch.lerp(a, b, torch.linspace(0, 1, steps)[:, None])


def spherical(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """Codes ``(steps, n)`` that turn from ``a`` to ``b`` around zero at equal angles, both ends included.

    Lengths stay between those of the ends, where a straight line would pass nearer to zero than codes usually lie. Where there is no
    angle to turn by (a code of zeros, equal or opposite directions) the line is straight. Source: Shoemake (1985), https://doi.org/10.1145/325165.325242
    """
    cosine = (a.double() @ b.double()) / (a.double().norm() * b.double().norm()).clamp_min(1e-30)
    angle = torch.arccos(cosine.clamp(-1, 1))
    done = torch.linspace(0, 1, steps, dtype=torch.float64)[:, None]
    if torch.sin(angle) < 1e-6 or not a.any() or not b.any():
        return linear(a, b, steps)
    return ((torch.sin((1 - done) * angle) * a + torch.sin(done * angle) * b) / torch.sin(angle)).to(a.dtype)


def arithmetic(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """A - B + C: what A has and B lacks, given to C. Codes ``(n,)``; for a group of pictures give the mean of their codes.

    Source: Radford, Metz and Chintala (2016), https://arxiv.org/abs/1511.06434
    """
    return a - b + c


def plane(drawn: Map, side: int) -> tuple[Tensor, Tensor]:
    """A grid over a flat map: its ``side`` x ``side`` points, top row first, and the codes ``(side^2, n)`` found for them.

    It spans the middle 96 % of the points along each axis.
    """
    if drawn.points.shape[1] != 2:
        raise Refused("A grid can be drawn over a map of two dimensions only. Choose two.")
    low, high = (torch.quantile(drawn.points, share, dim=0) for share in (MARGIN, 1 - MARGIN))
    across, down = (torch.linspace(0, 1, side)[:, None] * (high - low) + low).unbind(1)
    rows, columns = torch.meshgrid(down.flip(0), across, indexing="ij")
    points = torch.stack([columns.flatten(), rows.flatten()], 1)
    return points, drawn.way.inverse(points)


def decode(model: Autoencoder, codes: Tensor) -> Tensor:
    """Pictures ``(M, C, H, W)`` in [0, 1] of codes ``(M, n)``; the model is put into evaluation mode."""
    return in_parts(model.eval().decode, codes)


@dataclass(frozen=True)
class Gathered:
    """What a selection of pictures has in common.

    ``picture``: their mean, pixel by pixel; ``middle`` ``(n,)``: the mean of their codes, and ``decoded``, the picture drawn from it, which
    is sharper where the code has learnt what varies. ``spread``: root mean square distance of their codes to the middle, and ``usual`` the
    same for all pictures. ``nearest`` and ``farthest``: positions of the selected pictures, by distance of the code to the middle.
    """

    picture: Tensor
    middle: Tensor
    decoded: Tensor
    spread: float
    usual: float
    nearest: Tensor
    farthest: Tensor


def gather(model: Autoencoder, codes: Tensor, images: Tensor, rows: Tensor, shown: int = 6) -> Gathered:
    """The selection ``rows`` ``(m,)`` of codes ``(N, n)`` and uint8 pictures ``(N, C, H, W)``; ``shown`` nearest and farthest, fewer if it is small."""
    if not len(rows):
        raise Refused("Nothing is selected. Draw around some points of the map.")
    chosen = codes[rows]
    middle = chosen.mean(0)
    distances = (chosen - middle).norm(dim=1)
    order = rows[distances.argsort(stable=True)]
    return Gathered(
        picture=pictures(images[rows]).mean(0),
        middle=middle,
        decoded=decode(model, middle[None])[0],
        spread=distances.square().mean().sqrt().item(),
        usual=(codes - codes.mean(0)).square().sum(1).mean().sqrt().item(),
        nearest=order[:shown],
        farthest=order.flip(0)[:shown],
    )
