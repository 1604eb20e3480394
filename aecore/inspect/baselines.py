"""What a loss is held against: the floor that no model can pass, the line of PCA, the average picture."""

from dataclasses import dataclass

import torch
from torch import Tensor

from aecore.data import Images
from aecore.losses import cross_entropy, mse
from aecore.metrics import PCA, entropy_floor
from aecore.models import Autoencoder, build

MOST_FITTED = 10_000  # PCA's axes hardly move with more pictures, and a page waits for them
HALF_LEVEL = 0.5 / 255


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
    x = data.test.float() / 255
    pca = PCA.fit(data.train[:MOST_FITTED], code)
    linear, mean = pca.reconstruct(x), pca.mean.expand(len(x), -1).view_as(x)
    if loss == "mse":
        return Baselines(0.0, mse(linear, x).item(), mse(mean, x).item())
    return Baselines(entropy_floor(data.test), _cross_entropy(linear, x), _cross_entropy(mean, x))


def _cross_entropy(output: Tensor, x: Tensor) -> float:
    return cross_entropy(torch.logit(output.clamp(HALF_LEVEL, 1 - HALF_LEVEL)), x).item()


@torch.no_grad()
def pca_model(data: Images, code: int) -> Autoencoder:
    """PCA as what it is: a linear autoencoder, with the axes as its weights and without learning by steps.

    Its reconstructions are those of :meth:`PCA.reconstruct`. Source: Baldi and Hornik (1989), https://doi.org/10.1016/0893-6080(89)90014-2
    """
    pca = PCA.fit(data.train[:MOST_FITTED], code)
    model = build("undercomplete", data.shape, code=len(pca.axes), depth=0, loss="mse")
    (inward, inward_bias), (outward, outward_bias) = model.encoder.parameters(), model.decoder.parameters()
    inward.copy_(pca.axes)
    inward_bias.copy_(-pca.axes @ pca.mean)
    outward.copy_(pca.axes.T)
    outward_bias.copy_(pca.mean)
    return model.eval()
