"""The autoencoder whose code hardly moves when the picture does."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aecore.knobs import knob
from aecore.models.base import Autoencoder, BodyConfig, Shape, bodies
from aecore.models.registry import variant
from aecore.nn import jacobian

GAIN = 16.0  # an untrained sigmoid gives 0.5 and little else


@variant(
    "contractive",
    title="Contractive",
    formula=r"\min_{f,g}\; \mathbb{E}_{x}\Big[ L\big(x,\, g(f(x))\big) + \lambda \left\| \frac{\partial f(x)}{\partial x} \right\|_F^2 \Big], \qquad f(x) \in (0, 1)^n",
    source="Rifai, Vincent, Muller, Glorot and Bengio (2011), https://icml.cc/2011/papers/455_icmlpaper.pdf",
)
class Contractive(Autoencoder):
    """The code may hardly move when a pixel does, except along the few directions in which the pictures really differ."""

    @dataclass(frozen=True)
    class Config(BodyConfig):
        """Knobs of the body and of the contraction."""

        code: int = knob(64, 1, 1024, log=True, label="Code size", help="How many numbers, each between 0 and 1, the encoder writes.")
        depth: int = knob(
            0, 0, 4, label="Hidden layers", help="Layers between picture and code, on each side. None: the penalty has its simplest form."
        )
        strength: float = knob(
            1e-3, 1e-7, 1.0, log=True, label="Contraction", help="What the encoder pays for reacting to the picture, in units of the loss."
        )

    config: Config

    def __init__(self, shape: Shape, config: Config) -> None:
        super().__init__(shape, config)
        encoder, decoder = bodies(shape, config)
        self.encoder = nn.Sequential(*encoder.children(), nn.Sigmoid())
        self.decoder = nn.Sequential(Centred(), *decoder.children())

    def loss(self, x: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """How far the picture is, and how much its code moves with it."""
        code, movement = jacobian.code_and_squared_norm(self.encoder, x)
        return {"reconstruction": self.distance(self.decoder(code), x), "contraction": self.config.strength * movement.mean()}


class Centred(nn.Module):
    """A code in (0, 1) as the decoder reads it: around zero and ``GAIN`` times as wide, or learning starts very slowly."""

    def forward(self, code: Tensor) -> Tensor:
        """``(B, n)`` to ``(B, n)``."""
        return GAIN * (code - 0.5)
