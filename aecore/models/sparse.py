"""The autoencoder whose active units pay a toll."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aecore import losses
from aecore.knobs import knob
from aecore.models.base import Autoencoder, BodyConfig, Shape, bodies
from aecore.models.registry import variant


@dataclass(frozen=True)
class WideConfig(BodyConfig):
    """The knobs of a code with many units, of which few are to be active."""

    code: int = knob(256, 1, 2048, log=True, label="Code size", help="How many units the code has; of these only a few are to be active.")


@variant(
    "sparse",
    title="Sparse (L1)",
    formula=r"\min_{f,g}\; \mathbb{E}_{x}\Big[ L\big(x,\, g(h)\big) + \lambda \sum_{j} |h_j| \Big], \qquad h = \mathrm{ReLU}\big(f(x)\big),\; \|g_j\| \le 1",
    source="Olshausen and Field (1996), https://doi.org/10.1038/381607a0",
)
class Sparse(Autoencoder):
    """The code is wide, but every active unit pays a toll, so each picture uses only the few it needs.

    A small code read by large decoder weights would draw the same picture and pay less. So no decoder column, the weights
    that one input is read by, may be longer than 1, in any layer: after each step longer ones are cut.
    """

    @dataclass(frozen=True)
    class Config(WideConfig):
        """Knobs of the toll."""

        toll: float = knob(
            1e-4, 1e-6, 1e-1, log=True, label="Toll", help="What a unit pays for each 1 of its activation, in units of the loss."
        )

    config: Config

    def __init__(self, shape: Shape, config: Config) -> None:
        super().__init__(shape, config)
        self.encoder, self.decoder = bodies(shape, config)

    def encode(self, x: Tensor) -> Tensor:
        """Pictures ``(B, C, H, W)`` to codes ``(B, n)``, none negative, most exactly 0."""
        return self.encoder(x).relu()

    def loss(self, x: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """How far the picture is, and the toll."""
        code = self.encode(x)
        return {"reconstruction": self.distance(self.decoder(code), x), "toll": self.config.toll * losses.l1(code)}

    def after_step(self, x: Tensor, rng: torch.Generator) -> None:
        """Cut decoder columns to length 1 at most."""
        for module in self.decoder.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                module.weight.renorm_(2, 1, 1.0)
