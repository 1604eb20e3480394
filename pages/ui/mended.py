"""A picture through the denoiser, and what came of it: the file to take home, and the scores where the clean one is known."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from statistics import fmean

import torch
from PIL import Image
from torch import Tensor

from aecore.denoise import Photo, PhotoDenoiser, classic, pictures, tiles, weights
from aecore.denoise.noise import KINDS
from aecore.jobs.errands import Cancelled
from aecore.metrics import psnr, ssim

CROP = 256  # sides of the middle part on which the classical filters are tried
PIECE = 256  # sides of the pieces in which SSIM is taken: quick, and memory stays small
REACH = 5  # pixels that SSIM looks to each side
MOST_PIECES = 16  # of a picture; about a million pixels
SEED = 0


@dataclass(frozen=True)
class Score:
    """How near a picture is to the clean one: PSNR in dB, structural similarity up to 1; and the seconds spent on it, if any."""

    psnr: float
    ssim: float
    seconds: float | None = None


@dataclass(frozen=True, eq=False)
class Mended:
    """A picture through the denoiser: ``noisy``, ``output`` and, where it is known, ``clean``, all ``(3, H, W)`` in [0, 1].

    ``photo`` is the file that it came from, if from one; ``sigma`` the noise level estimated from the noisy picture;
    ``seconds`` were spent mending it.
    """

    photo: Photo | None
    noisy: Tensor
    clean: Tensor | None
    output: Tensor
    sigma: float
    seconds: float
    _scores: dict[float, Score] = field(default_factory=dict)

    def at(self, strength: float) -> Tensor:
        """From the noisy picture (0) to the mended one (1)."""
        return tiles.blend(self.noisy, self.output, strength)

    def score(self, strength: float) -> Score:
        """How near that is to the clean picture, which must be known. SSIM of large pictures: see :func:`likeness`."""
        assert self.clean is not None
        if strength not in self._scores:
            output = self.at(strength)
            self._scores[strength] = Score(psnr(output, self.clean), likeness(output, self.clean))
        return self._scores[strength]

    @cached_property
    def beside(self) -> dict[str, Score]:
        """The middle of the picture, of which the clean one must be known: as it is, and through the autoencoder and each classical filter."""
        assert self.clean is not None
        clean, noisy = middle(self.clean), middle(self.noisy)
        ways: dict[str, Callable[[], Tensor | None]] = {
            "autoencoder": lambda: tiles.denoise(model(), noisy),
            "eight looks": lambda: tiles.denoise(model(), noisy, careful=True),
        }
        ways |= {name: lambda run=run: run(noisy, self.sigma).clamp(0, 1) for name, run in classic.FILTERS.items()}
        found = {"noisy": Score(psnr(noisy, clean), ssim(noisy, clean))}
        for name, run in ways.items():
            began = time.perf_counter()
            output = run()
            seconds = time.perf_counter() - began
            assert output is not None
            found[name] = Score(psnr(output, clean), ssim(output, clean), seconds)
        return found

    @property
    def lost_depth(self) -> bool:
        """Whether its file had 16 bits for each value, and comes back with 8."""
        return self.photo is not None and self.photo.found_depth > self.photo.depth

    @property
    def nbytes(self) -> int:
        """Memory that it takes; a clean picture may lie in the same memory as the file's colours."""
        held = [each for each in (self.noisy, self.clean, self.output, self.photo and self.photo.colour) if each is not None]
        beside = [each for each in (self.photo.alpha, self.photo.black) if each is not None] if self.photo else []
        return sum({each.data_ptr(): each.untyped_storage().nbytes() for each in held}.values()) + sum(each.nbytes for each in beside)

    def file(self, strength: float = 1.0) -> bytes:
        """The picture at ``strength`` in the format that it came in, or as PNG."""
        output = self.at(strength)
        if self.photo is None:
            return encoded(output, "PNG")
        return pictures.write(self.photo, output.mean(0, keepdim=True) if self.photo.colour.shape[0] == 1 else output)


def mend(
    source: Tensor,
    photo: Photo | None,
    kind: str | None,
    amount: float,
    careful: bool,
    progress: Callable[[float], None],
    stopped: Callable[[], bool],
) -> Mended:
    """Add the damage, cut and rounded as a file would hold it, to ``source`` ``(3, H, W)`` in [0, 1], and mend it; ``careful`` looks eight times.

    May raise Cancelled.
    """
    noisy = source
    if kind:
        damaged = KINDS[kind](source, amount, torch.Generator().manual_seed(SEED))
        noisy = damaged.mul(255).round().clamp(0, 255) / 255
    sigmas = []
    for channel in noisy:  # one at a time, so that whoever cancels need not wait for a large picture
        if stopped():
            raise Cancelled
        sigmas.append(classic.estimate_sigma(channel[None]))
    began = time.perf_counter()
    output = tiles.denoise(model(), noisy, careful=careful, progress=progress, stopped=stopped)
    if output is None:
        raise Cancelled
    return Mended(photo, noisy, source if kind else None, output, fmean(sigmas), time.perf_counter() - began)


@lru_cache(maxsize=1)
def model() -> PhotoDenoiser:
    """The denoiser that comes with the lab."""
    return weights.load()[0]


def likeness(output: Tensor, target: Tensor) -> float:
    """SSIM of pictures ``(C, H, W)`` in [0, 1], piece by piece; of more than about a million pixels, on 16 pieces spread over them."""
    step = PIECE - 2 * REACH
    _, height, width = output.shape
    corners = [(top, left) for top in range(0, max(1, height - 2 * REACH), step) for left in range(0, max(1, width - 2 * REACH), step)]
    if len(corners) > MOST_PIECES:
        corners = [corners[round((place + 0.5) * len(corners) / MOST_PIECES - 0.5)] for place in range(MOST_PIECES)]
    total = count = 0.0
    for top, left in corners:
        piece, wanted = (each[:, top : top + PIECE, left : left + PIECE] for each in (output, target))
        windows = max(1, piece.shape[1] - 2 * REACH) * max(1, piece.shape[2] - 2 * REACH)
        total += windows * ssim(piece, wanted)
        count += windows
    return total / count


def middle(picture: Tensor) -> Tensor:
    """The square of ``CROP`` pixels in the middle, or what there is of it."""
    _, height, width = picture.shape
    top, left = max(0, (height - CROP) // 2), max(0, (width - CROP) // 2)
    return picture[:, top : top + CROP, left : left + CROP]


def encoded(picture: Tensor, kind: str) -> bytes:
    """A picture ``(3, H, W)`` in [0, 1] as a PNG file, or a JPEG one of high quality."""
    image = Image.fromarray(picture.mul(255).round().clamp(0, 255).byte().permute(1, 2, 0).numpy())
    file = io.BytesIO()
    image.save(file, kind, **({"quality": 95, "subsampling": 0} if kind == "JPEG" else {}))
    return file.getvalue()
