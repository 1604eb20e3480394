"""The autoencoder whose units are held to a rate."""

from dataclasses import dataclass

import torch
from torch import Tensor

from aecore import losses
from aecore.knobs import knob
from aecore.models.base import Autoencoder, Shape, bodies
from aecore.models.registry import variant
from aecore.models.sparse import WideConfig


@variant(
    "sparse-kl",
    title="Sparse (target rate)",
    formula=r"\min_{f,g}\; \mathbb{E}_{x}\; L\big(x,\, g(h)\big) + \beta \sum_{j} \mathrm{KL}\big(\rho \,\big\|\, \hat\rho_j\big), \qquad h = \sigma\big(f(x)\big),\; \hat\rho_j = \mathbb{E}_{x}\, h_j",
    source="Ng (2011), https://web.stanford.edu/class/cs294a/sparseAutoencoder_2011new.pdf",
)
class SparseKL(Autoencoder):
    """Every unit, between 0 and 1, has to be active at the same small rate over the pictures: none idle, none always on.

    The rate of a unit is its mean over the batch, so pictures share a loss but never a code. A sigmoid is never exactly 0:
    an inactive unit is merely close to it.
    """

    @dataclass(frozen=True)
    class Config(WideConfig):
        """Knobs of the rate."""

        target: float = knob(0.05, 0.005, 0.5, log=True, label="Target rate", help="The mean activation that each unit is pulled to.")
        pull: float = knob(1e-3, 1e-5, 1.0, log=True, label="Pull", help="How much a nat of difference from the target rate costs.")

    config: Config

    def __init__(self, shape: Shape, config: Config) -> None:
        super().__init__(shape, config)
        self.encoder, self.decoder = bodies(shape, config)

    def encode(self, x: Tensor) -> Tensor:
        """Pictures ``(B, C, H, W)`` to codes ``(B, n)`` in [0, 1]."""
        return self.encoder(x).sigmoid()

    def loss(self, x: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """How far the picture is, and how far the units are from their rate."""
        code = self.encode(x)
        rates = losses.kl_bernoulli(self.config.target, code.mean(0))
        return {"reconstruction": self.distance(self.decoder(code), x), "rate": self.config.pull * rates}
