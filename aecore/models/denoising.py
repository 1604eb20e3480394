"""The autoencoder that is shown damage and asked for the original."""

from dataclasses import dataclass

import torch
from torch import Tensor

from aecore.corruption import CORRUPTIONS
from aecore.knobs import knob
from aecore.models.base import Autoencoder, BodyConfig, Shape, bodies
from aecore.models.registry import variant


@variant(
    "denoising",
    title="Denoising",
    formula=r"\min_{f,g}\; \mathbb{E}_{x}\, \mathbb{E}_{\tilde{x} \sim q(\tilde{x} \mid x)}\; L\big(x,\, g(f(\tilde{x}))\big)",
    source="Vincent, Larochelle, Bengio and Manzagol (2008), https://doi.org/10.1145/1390156.1390294",
)
class Denoising(Autoencoder):
    """It sees a damaged picture and must draw the clean one: a copy of what it sees would be wrong."""

    @dataclass(frozen=True)
    class Config(BodyConfig):
        """Knobs of the damage."""

        code: int = knob(128, 1, 2048, log=True, label="Code size", help="How many numbers the encoder may keep of each picture.")
        noise: str = knob("gaussian", options=tuple(CORRUPTIONS), label="Noise", help="How pictures are damaged while it learns.")
        level: float = knob(0.5, 0.0, 1.0, label="Noise level", help="How strong the damage is: 0 leaves pictures as they are.")

    config: Config

    def __init__(self, shape: Shape, config: Config) -> None:
        super().__init__(shape, config)
        self.encoder, self.decoder = bodies(shape, config)

    def loss(self, x: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """How far the picture drawn from a damaged ``x`` is from the clean one."""
        return {"reconstruction": self.distance(self.decoder(self.encode(self.damage(x, rng))), x)}

    def damage(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Pictures ``(B, C, H, W)`` as the encoder sees them while it learns."""
        return CORRUPTIONS[self.config.noise](x, self.config.level, rng)
