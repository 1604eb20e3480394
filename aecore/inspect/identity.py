"""Has a model learnt its data, or merely to copy? Pictures of other kinds than its own tell."""

from dataclasses import dataclass

import torch
from torch import Tensor

from aecore.data import Images
from aecore.metrics import psnr
from aecore.models import Autoencoder

SHOWN = 256


@dataclass(frozen=True)
class Probe:
    """One row of the identity test: the kind of pictures, some of them with their reconstructions, and the PSNR in dB."""

    kind: str
    inputs: Tensor
    outputs: Tensor
    psnr: float


@torch.no_grad()
def identity_test(model: Autoencoder, data: Images, seed: int = 0, other: Images | None = None) -> dict[str, Probe]:
    """Has the model learnt its data, or merely to copy? Pictures of other kinds go in; a copier repeats them all alike.

    Kinds: "own" (test pictures), "inverted", "shuffled" (own pixels, order lost), "noise" (uniform), and "other" (test pictures of
    ``other``, a set of the same shape, if given). All from ``seed``.
    """
    rng = torch.Generator().manual_seed(seed)
    own = data.test[torch.randperm(len(data.test), generator=rng)[:SHOWN]].float() / 255
    order = torch.randperm(own[0, 0].numel(), generator=rng)
    kinds = {
        "own": own,
        "inverted": 1 - own,
        "shuffled": own.flatten(2)[:, :, order].view_as(own),
        "noise": torch.rand(own.shape, generator=rng),
    }
    if other:
        kinds["other"] = other.test[torch.randperm(len(other.test), generator=rng)[:SHOWN]].float() / 255
    return {kind: Probe(kind, x, y := model(x), psnr(y, x)) for kind, x in kinds.items()}


def identity_gap(probes: dict[str, Probe]) -> float:
    """How much better own pictures come back than the same pixels shuffled, in dB: about 0 for a mere copier."""
    return probes["own"].psnr - probes["shuffled"].psnr
