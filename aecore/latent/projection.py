"""Maps of codes: every code becomes a point in two or three dimensions, and a point on the map a code again."""

import warnings
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import torch
from sklearn import decomposition, manifold
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from aecore.data.registry import Progress
from aecore.knobs import Config, knob
from aecore.latent.nearby import Blend
from aecore.refusal import Refused

METHODS = ("code", "pca", "t-sne", "umap")
ITERATIONS = (250, 500)  # of t-SNE: with neighbours drawn too close together at first, then as they are
FOR_GRID = 2_000  # above so many points t-SNE's forces are faster by a grid (FFT) than by a tree (Barnes and Hut)
BETWEEN_LOOKS = 10  # iterations, half a second at 10,000 points


@dataclass(frozen=True)
class Projection(Config):
    """The knobs of a map."""

    method: str = knob("pca", options=METHODS, label="Map", help="How many numbers become two or three.")
    dims: int = knob(2, 2, 3, label="Dimensions", help="Of the map: a plane, or a space that can be turned.")
    first: int = knob(0, 0, 2047, label="First value", help="Value of the code along the first axis, counted from 0.")
    second: int = knob(1, 0, 2047, label="Second value", help="Value of the code along the second axis.")
    third: int = knob(2, 0, 2047, label="Third value", help="Value of the code along the third axis.")
    perplexity: float = knob(30.0, 2.0, 200.0, log=True, label="Perplexity", help="About how many neighbours t-SNE tries to keep near.")
    neighbours: int = knob(15, 2, 200, log=True, label="Neighbours", help="How many neighbours UMAP tries to keep near.")
    gap: float = knob(0.1, 0.0, 0.99, label="Smallest gap", help="How close to each other UMAP may put two points.")
    start: str = knob(
        "pca", options=("pca", "random"), label="Start", help="Where t-SNE and UMAP begin: from PCA, or from points thrown at random."
    )
    seed: int = knob(0, 0, 2**31 - 1, label="Seed", help="Where all randomness starts. Same seed, same numbers.")

    def axes(self) -> tuple[int, ...]:
        """The chosen values of the code, as many as the map has dimensions."""
        return (self.first, self.second, self.third)[: self.dims]


class Way(Protocol):
    """From codes ``(M, d)`` to points ``(M, dims)``, and back."""

    exact: ClassVar[bool]

    def place(self, codes: Tensor) -> Tensor:
        """Points of codes that were not there when the map was made."""
        ...

    def inverse(self, points: Tensor) -> Tensor:
        """Codes of points where nobody need live."""
        ...


@dataclass(frozen=True)
class Map:
    """Codes ``(N, d)`` and their ``points`` ``(N, dims)``, float32; row by row the same.

    ``way`` leads from one to the other for new ones: where ``way.exact``, a code found for a point is drawn at that very point; else
    it is a blend of the codes of the nearest points (see :class:`Blend`).
    """

    codes: Tensor
    points: Tensor
    projection: Projection
    way: Way

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        return self.codes.nbytes + self.points.nbytes


@dataclass(frozen=True)
class Plane:
    """A flat map: ``middle`` ``(d,)`` and orthonormal ``axes`` ``(dims, d)``. A point's code is the nearest to the middle that is drawn there.

    For two chosen values of a code, whose axes are zero but for a 1, all other values are thus those of the middle.
    """

    middle: Tensor
    axes: Tensor
    zero: Tensor
    exact: ClassVar[bool] = True

    def place(self, codes: Tensor) -> Tensor:
        """``(M, d)`` to ``(M, dims)``."""
        return (codes - self.middle) @ self.axes.T + self.zero

    def inverse(self, points: Tensor) -> Tensor:
        """``(M, dims)`` to ``(M, d)``."""
        return self.middle + (points - self.zero) @ self.axes


def project(codes: Tensor, projection: Projection | None = None, progress: Progress | None = None) -> Map:
    """Draw a map of codes ``(N, d)``; the same codes, knobs and versions of the libraries give the same map.

    PCA and t-SNE in three dimensions are scikit-learn's, t-SNE in two is openTSNE's, UMAP is umap-learn's. Refused for codes that
    are not finite or all the same, and for fewer points or values than the method needs. ``progress`` may raise to stop: t-SNE in two
    dimensions and UMAP ask it all the time, the others at their beginning and end.
    """
    projection = projection or Projection()
    codes = check(codes, projection).float()
    progress = progress or (lambda done: None)
    progress(0.0)
    drawn = {"code": _code, "pca": _pca, "t-sne": _tsne, "umap": _umap}[projection.method](codes, projection, progress)
    progress(1.0)
    return drawn


def sample(count: int, most: int, seed: int) -> Tensor:
    """Positions of at most ``most`` of ``count`` items, drawn at random from ``seed``, in ascending order; all, if there are no more."""
    if count <= most:
        return torch.arange(count)
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))[:most].sort().values


def check(codes: Tensor, projection: Projection) -> Tensor:
    """The codes ``(N, d)``, or Refused with what stands against a map of them."""
    count, width = codes.shape
    if not codes.isfinite().all():
        raise Refused("Some codes are not numbers, so they have no place on a map: the model's training went astray. Train it again.")
    if count < 2:
        raise Refused("A map needs at least two pictures. Choose more.")
    if not (codes != codes[0]).any():
        raise Refused("All pictures have the same code, so there is nothing to see on a map. Choose another model, or train longer.")
    if width < projection.dims and projection.method in ("code", "pca"):
        raise Refused(
            "A code of {width} values cannot fill a map of {dims} dimensions. Choose fewer dimensions, or a model with a larger code.",
            width=width,
            dims=projection.dims,
        )
    if projection.method == "code":
        _check_axes(projection, width)
    least = needed(projection)
    if count < least:
        raise Refused(
            "This map needs at least {least} pictures, and there are {count}. Choose more, or a smaller perplexity or number of neighbours.",
            least=least,
            count=count,
        )
    return codes


def needed(projection: Projection) -> int:
    """How many points a method needs: t-SNE three times its perplexity and one more, UMAP one more than the neighbours and dimensions."""
    if projection.method == "t-sne":
        return 1 + int(np.ceil(3 * projection.perplexity))
    if projection.method == "umap":
        return max(projection.neighbours, projection.dims) + 2
    return projection.dims if projection.method == "pca" else 2


def _check_axes(projection: Projection, width: int) -> None:
    for axis in projection.axes():
        if axis >= width:
            raise Refused("The code has values 0 to {last}; there is no value {axis}.", last=width - 1, axis=axis)
    if len(set(projection.axes())) < projection.dims:
        raise Refused("Each axis of the map needs a value of its own. Choose different values.")


def _code(codes: Tensor, projection: Projection, progress: Progress) -> Map:
    axes = torch.eye(codes.shape[1])[list(projection.axes())]
    middle = codes.mean(0)
    way = Plane(middle, axes, axes @ middle)
    return Map(codes, codes[:, list(projection.axes())], projection, way)


def _pca(codes: Tensor, projection: Projection, progress: Progress) -> Map:
    fitted = decomposition.PCA(projection.dims, svd_solver="full").fit(codes.double().numpy())
    axes = torch.from_numpy(fitted.components_).float()
    way = Plane(torch.from_numpy(fitted.mean_).float(), axes, torch.zeros(projection.dims))
    return Map(codes, way.place(codes), projection, way)


def _tsne(codes: Tensor, projection: Projection, progress: Progress) -> Map:
    draw = _tsne_plane if projection.dims == 2 else _tsne_space
    return _blended(codes, draw(codes.numpy(), projection, progress), projection)


def _tsne_plane(codes: np.ndarray, projection: Projection, progress: Progress) -> np.ndarray:
    """By openTSNE. Exact neighbours: at 10,000 points they cost a second, the search for approximate ones more."""
    from openTSNE import TSNE

    first, last = ITERATIONS
    passed: list[int] = []

    def look(iteration: int, error: float, embedding: np.ndarray) -> bool:
        passed.append(iteration)
        progress(len(passed) * BETWEEN_LOOKS / (first + last))
        return False  # anything else would stop it

    return np.asarray(
        TSNE(
            perplexity=projection.perplexity,  # pyright: ignore[reportArgumentType]
            initialization=projection.start,
            early_exaggeration_iter=first,
            n_iter=last,
            neighbors="exact",
            negative_gradient_method="fft" if len(codes) > FOR_GRID else "bh",
            callbacks=look,
            callbacks_every_iters=BETWEEN_LOOKS,
            random_state=projection.seed,
            n_jobs=1,
        ).fit(codes)
    )


def _tsne_space(codes: np.ndarray, projection: Projection, progress: Progress) -> np.ndarray:
    """By scikit-learn, since openTSNE draws planes only; it tells nothing on the way.

    The learning rate is scikit-learn's own rule without its lower limit, under which a hundred points flew apart for good.
    """
    return manifold.TSNE(
        3,
        perplexity=projection.perplexity,  # pyright: ignore[reportArgumentType]
        init=projection.start,  # pyright: ignore[reportArgumentType]
        random_state=projection.seed,
        learning_rate=len(codes) / 48,  # pyright: ignore[reportArgumentType]
        max_iter=sum(ITERATIONS),
        n_jobs=1,
    ).fit_transform(codes)


def _umap(codes: Tensor, projection: Projection, progress: Progress) -> Map:
    """With exact neighbours, found by scikit-learn: its own search would first be compiled for a minute."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of TensorFlow, which it can do without, and of new points, which it is not asked to place
        from umap import UMAP

        values = codes.numpy()
        distances, rows = NearestNeighbors(n_neighbors=projection.neighbours + 1).fit(values).kneighbors(values)
        fitted = UMAP(
            projection.neighbours + 1,
            projection.dims,
            min_dist=projection.gap,
            init=projection.start,
            precomputed_knn=(rows, distances.astype(np.float32)),
            random_state=projection.seed,
            n_jobs=1,
            tqdm_kwds={"file": _Told(progress), "disable": False, "bar_format": "{percentage:.0f} ", "mininterval": 0.1},
        ).fit(values)
    return _blended(codes, np.asarray(fitted.embedding_), projection)


class _Told:
    """A file that UMAP's progress bar writes its percentage on."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def write(self, text: str) -> None:
        """Pass a percentage on."""
        if text.strip().isdigit():
            self.progress(min(int(text) / 100, 1.0))

    def flush(self) -> None:
        """Nothing is kept back."""


def _blended(codes: Tensor, points: np.ndarray, projection: Projection) -> Map:
    drawn = torch.from_numpy(points.astype(np.float32))
    return Map(codes, drawn, projection, Blend(codes, drawn))
