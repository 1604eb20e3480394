"""The same pictures as raw pixels, as principal components, and as a code: what a code must beat to be worth its training."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from aecore.data import Images
from aecore.inspect import MOST_FITTED
from aecore.metrics import PCA
from aecore.models import Autoencoder

AT_ONCE = 500


@dataclass(frozen=True)
class Writing:
    """One way to write pictures ``(N, C, H, W)`` in [0, 1] down as numbers ``(N, d)``, and to read them again."""

    encode: Callable[[Tensor], Tensor]
    decode: Callable[[Tensor], Tensor]


def writings(model: Autoencoder, data: Images) -> dict[str, Writing]:
    """The three ways: "pixels", "pca" of the code's size fitted on training pictures, and the model's "code"."""
    shape = data.shape
    model.eval()
    pca = PCA.fit(data.train[:MOST_FITTED], model.encode(data.train[:1].float() / 255).shape[1])

    def drawn(flat: Tensor) -> Tensor:
        return flat.view(-1, *shape)

    return {
        "pixels": Writing(lambda x: x.flatten(1), drawn),
        "pca": Writing(pca.encode, lambda code: drawn((code @ pca.axes + pca.mean).clamp(0, 1))),
        "code": Writing(lambda x: in_parts(model.encode, x), lambda code: in_parts(model.decode, code)),
    }


@torch.no_grad()
def in_parts(network: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``network`` over the rows of ``x``, 500 at a time, so that memory stays small; without slopes."""
    return torch.cat([network(part) for part in x.split(AT_ONCE)])


def pictures(some: Tensor) -> Tensor:
    """uint8 pictures as floats in [0, 1]."""
    return some.float() / 255
