"""What a model is held against: the floor no model can pass, the line of PCA, and pictures it has never seen the like of."""

from dataclasses import dataclass

import torch
from torch import Tensor

from aecore.data import Images
from aecore.losses import cross_entropy, mse
from aecore.metrics import PCA, entropy_floor, psnr
from aecore.models import Autoencoder

MOST_FITTED = 10_000  # PCA's axes hardly move with more pictures, and a page waits for them
HALF_LEVEL = 0.5 / 255
SHOWN = 256


@dataclass(frozen=True)
class Baselines:
    """What a loss on test pictures is held against: ``floor`` of a perfect copy, ``pca`` at the same code size, ``mean`` picture.

    Under cross-entropy PCA's output is kept half a grey level inside (0, 1), since a certain miss would cost infinitely much.
    """

    floor: float
    pca: float
    mean: float


def baselines(data: Images, code: int, loss: str) -> Baselines:
    """The three losses under ``loss`` "mse" or "cross-entropy", in the loss's unit; PCA is fitted on training pictures."""
    x = _floats(data.test)
    pca = PCA.fit(data.train[:MOST_FITTED], code)
    linear, mean = pca.reconstruct(x), pca.mean.expand(len(x), -1).view_as(x)
    if loss == "mse":
        return Baselines(0.0, mse(linear, x).item(), mse(mean, x).item())
    return Baselines(entropy_floor(data.test), _cross_entropy(linear, x), _cross_entropy(mean, x))


@dataclass(frozen=True)
class Probe:
    """One row of the identity test: the kind of pictures, some of them with their reconstructions, and the PSNR in dB."""

    kind: str
    inputs: Tensor
    outputs: Tensor
    psnr: float


@torch.no_grad()
def identity_test(model: Autoencoder, data: Images, seed: int = 0) -> dict[str, Probe]:
    """Has the model learnt its data, or merely to copy? Pictures of other kinds go in; a copier repeats them all alike.

    Kinds: "own" (test pictures), "inverted", "shuffled" (own pixels, order lost), "noise" (uniform). All from ``seed``.
    """
    rng = torch.Generator().manual_seed(seed)
    own = _floats(data.test[torch.randperm(len(data.test), generator=rng)[:SHOWN]])
    order = torch.randperm(own[0, 0].numel(), generator=rng)
    kinds = {
        "own": own,
        "inverted": 1 - own,
        "shuffled": own.flatten(2)[:, :, order].view_as(own),
        "noise": torch.rand(own.shape, generator=rng),
    }
    return {kind: Probe(kind, x, y := model(x), psnr(y, x)) for kind, x in kinds.items()}


def identity_gap(probes: dict[str, Probe]) -> float:
    """How much better own pictures come back than the same pixels shuffled, in dB: about 0 for a mere copier."""
    return probes["own"].psnr - probes["shuffled"].psnr


def _cross_entropy(output: Tensor, x: Tensor) -> float:
    return cross_entropy(torch.logit(output.clamp(HALF_LEVEL, 1 - HALF_LEVEL)), x).item()


def _floats(pictures: Tensor) -> Tensor:
    return pictures.float() / 255


@dataclass(frozen=True)
class Health:
    """How busy the values of a code are, over many pictures.

    ``active`` counts the values that are not zero, in the mean picture (L0); ``dead`` those that are zero in all pictures;
    ``firing`` ``(n,)`` is the share of pictures in which each is not zero.
    """

    active: float
    dead: int
    firing: Tensor


def health(codes: Tensor) -> Health:
    """The health of codes ``(N, n)``; exact zeros count as silent."""
    awake = codes != 0
    return Health(awake.float().sum(1).mean().item(), int((~awake.any(0)).sum()), awake.float().mean(0))
