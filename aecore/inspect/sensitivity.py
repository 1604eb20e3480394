"""In which directions a code moves when its picture does: the encoder's Jacobian and its singular vectors."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import vjp, vmap

from aecore.metrics import PCA
from aecore.models import Autoencoder

MOST_NUMBERS = 1 << 21  # of a Jacobian that is written down whole: 8 MiB
PROBES = AT_ONCE = 64
STEP = 0.01  # Euclidean length


@dataclass(frozen=True)
class Sensitivity:
    """What a code feels of its picture.

    ``squared_norm``: squared Frobenius norm of the encoder's Jacobian; ``values`` ``(r,)``: its singular values, largest first; both
    are means over the pictures. ``directions`` ``(k, C, H, W)``: the first right singular vectors at the first picture, the changes
    of it, each of Euclidean length 1, that move its code most; the pixel that changes most becomes brighter.
    Unless ``exact``, only the 64 largest are there, the smallest of them a little too small, and of the first picture only.
    """

    squared_norm: float
    values: Tensor
    directions: Tensor
    exact: bool

    def felt(self) -> int:
        """How many singular values are above a tenth of the largest."""
        return int((self.values > 0.1 * self.values[0]).sum())


def along(directions: Tensor, pca: PCA) -> float:
    """Share of the squared length of ``directions`` ``(k, C, H, W)`` that lies along the axes of ``pca``: 1 if they are made of these alone."""
    return ((directions.flatten(1) @ pca.axes.T).square().sum() / directions.square().sum()).item()


@torch.no_grad()
def sensitivity(model: Autoencoder, x: Tensor, directions: int = 8, seed: int = 0, most: int = MOST_NUMBERS) -> Sensitivity:
    """The sensitivity at pictures ``(B, C, H, W)``, the mean taken over them; the model must be in evaluation mode.

    A Jacobian of more than ``most`` numbers is never written down whole. It is made 64 rows at a time, twice: random probes, drawn
    from ``seed``, find the 64 directions that matter most, and it is measured along these, at the first picture only; its norm is exact.
    Sources: Rifai et al. (2011), The Manifold Tangent Classifier,
    https://papers.neurips.cc/paper_files/paper/2011/file/d1f44e2f09dc172978a4d3151d11d63e-Paper.pdf (the directions);
    Halko, Martinsson and Tropp (2011), https://arxiv.org/abs/0909.4061 (the probes).
    """
    rng = torch.Generator().manual_seed(seed)
    exact = model.encode(x[:1]).numel() * x[0].numel() <= most
    tables, norms = zip(*(_jacobian(model, picture, exact, rng) for picture in (x if exact else x[:1])), strict=True)
    values = torch.stack([torch.linalg.eigvalsh(_gram(table)).flip(0).clamp_min(0).sqrt() for table in tables]).mean(0)
    return Sensitivity(torch.stack(norms).mean().item(), values.float(), _directions(tables[0], directions).view(-1, *x.shape[1:]), exact)


def _jacobian(model: Autoencoder, picture: Tensor, exact: bool, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """A table ``(r, D)`` with the singular values and right singular vectors of the Jacobian at ``picture``, and its squared norm."""

    def encode(x: Tensor) -> Tensor:
        return model.encode(x[None])[0]

    code, back, *_ = vjp(encode, picture)

    def times(weights: Tensor) -> Tensor:
        """``(r, n)`` times the Jacobian: ``(r, D)``."""
        (products,) = vmap(back, chunk_size=AT_ONCE)(weights)
        return products.flatten(1)

    if exact:
        table = times(torch.eye(len(code)))
        norm = table.square().sum()
    else:
        parts = torch.eye(len(code)).split(AT_ONCE)
        space = torch.linalg.qr(times(torch.randn(PROBES, len(code), generator=rng)).T).Q  # (D, r)
        space = torch.linalg.qr(sum((rows := times(part)).T @ (rows @ space) for part in parts)).Q
        seen, norms = zip(*(((rows := times(part)) @ space, rows.square().sum()) for part in parts), strict=True)
        table = torch.linalg.qr(torch.cat(seen)).R @ space.T
        norm = torch.stack(norms).sum()
    strongest = table[table.norm(dim=1).argmax()].view_as(picture)
    if torch.equal(encode(picture + STEP * strongest / strongest.norm().clamp_min(1e-30)), code):
        return torch.zeros_like(table), torch.zeros_like(norm)  # a code that jumps: the slope it learns by is not its own
    return table, norm


def _gram(table: Tensor) -> Tensor:
    """The products of ``table``'s rows, or of its columns where these are fewer."""
    table = table.double()
    return table @ table.T if len(table) < table.shape[1] else table.T @ table


def _directions(table: Tensor, count: int) -> Tensor:
    """The first ``count`` right singular vectors of ``table`` ``(r, D)``, as rows; zero where there are none."""
    squares, vectors = torch.linalg.eigh(_gram(table))
    first = vectors[:, -count:].flip(1).T.float()
    if len(table) < table.shape[1]:
        first = first @ table
    first = first / first.norm(dim=1, keepdim=True).clamp_min(1e-30)
    real = squares[-count:].flip(0) > 1e-10 * squares[-1]  # what is below is rounding
    return first * first.gather(1, first.abs().argmax(1, keepdim=True)).sign() * real[:, None]
