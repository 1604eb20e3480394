"""A code with more room than the picture needs, and what keeps it from copying."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from aecore import losses
from aecore.knobs import knob
from aecore.models.base import Autoencoder, PictureConfig, Shape
from aecore.models.registry import variant

HALF_LEVEL = 0.5 / 255
STEEPNESS = 5.0  # of the straight line that a sigmoid bends least on its way from black to white
TOLL, STIFFNESS = 2e-3, 1e-4  # of the l1 and contraction cures at strength 1, found by trial on digits


@variant(
    "overcomplete",
    title="Overcomplete",
    formula=r"\min_{W,V,b,c}\; \mathbb{E}_{x}\; L\big(x,\, V(Wx + c) + b\big) + \Omega_{\mathrm{cure}}, \qquad Wx + c \in \mathbb{R}^{n},\; n \ge \dim x,\; VW = I \text{ at the start}",
    source="Goodfellow, Bengio and Courville (2016), Deep Learning, chapter 14, https://www.deeplearningbook.org",
)
class Overcomplete(Autoencoder):
    """The code has more room than the picture: the network may copy everything, noise included, unless a cure forbids it.

    It starts as a copier, which weights drawn by chance do not become, since they only ever meet pictures that are alike: the
    encoder is the decoder's inverse wherever the code is at least as large as the picture. Without a cure nothing asks it to change.
    """

    @dataclass(frozen=True)
    class Config(PictureConfig):
        """Knobs of the wide linear code and of its cures."""

        code: int = knob(1024, 1, 2048, log=True, label="Code size", help="From the number of pixels upwards, the network can copy.")
        loss: str = knob(
            "mse",
            options=("cross-entropy", "mse"),
            label="Loss",
            help="Only with mean squared error (MSE) is the start an exact copy; cross-entropy bends it.",
        )
        cure: str = knob(
            "none",
            options=("none", "l1", "top-k", "noise", "contraction"),
            label="Cure",
            help="What keeps the network from copying: a toll on active units, few units at a time, noisy inputs, or a stiff encoder.",
        )
        strength: float = knob(
            0.5,
            0.0,
            1.0,
            label="Strength of the cure",
            help="Weight of the toll or of the stiffness; the noise's standard deviation; top-k keeps the code size to the power of 1 minus this.",
        )

    config: Config

    def __init__(self, shape: Shape, config: Config) -> None:
        super().__init__(shape, config)
        pixels = math.prod(shape)
        inward, outward = nn.Linear(pixels, config.code), nn.Linear(config.code, pixels)
        self.encoder = nn.Sequential(nn.Flatten(), inward)
        self.decoder = nn.Sequential(outward, nn.Unflatten(1, shape))
        self.matrices = (inward, outward)  # in a tuple, so that they are not registered twice

    def encode(self, x: Tensor) -> Tensor:
        """Pictures to codes; the top-k cure leaves only the units furthest from zero."""
        code = self.encoder(x)
        if self.config.cure == "top-k":
            kept = code.abs().topk(round(self.config.code ** (1 - self.config.strength)), sorted=False).indices
            code = torch.zeros_like(code).scatter(1, kept, code.gather(1, kept))
        return code

    def loss(self, x: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """Reconstruction, and the cure's penalty: zero for those that change what is seen or kept instead."""
        cure, strength = self.config.cure, self.config.strength
        seen = x + strength * torch.randn(x.shape, generator=rng, device=x.device) if cure == "noise" else x
        code = self.encode(seen)
        penalty = x.new_zeros(())
        if cure == "l1":
            penalty = strength * TOLL * losses.l1(code)
        elif cure == "contraction":  # the Jacobian of a linear encoder is its matrix, for every picture
            penalty = strength * STIFFNESS * self.matrices[0].weight.square().sum()
        return {"reconstruction": self.distance(self.decoder(code), x), "cure": penalty}

    def distance(self, output: Tensor, x: Tensor) -> Tensor:
        """As everywhere, but a miss under half a grey level, which nobody can see, counts as none.

        Adam makes full steps of the smallest slope, so mere rounding errors would otherwise carry an exact copy away from its solution.
        """
        if self.config.loss == "mse":
            return losses.mse(functional.softshrink(output - x, HALF_LEVEL), torch.zeros_like(x))
        return super().distance(output, x)

    @torch.no_grad()
    def initialise(self, rng: torch.Generator) -> None:
        """Draw all weights anew, then turn the encoder into the decoder's inverse; of a smaller code, the nearest there is."""
        super().initialise(rng)
        inward, outward = self.matrices
        weight, bias = outward.weight.double(), outward.bias.double()
        wide = weight.shape[1] >= weight.shape[0]
        inverse = weight.T @ torch.linalg.inv(weight @ weight.T) if wide else torch.linalg.solve(weight.T @ weight, weight.T)
        slope, middle = (1.0, 0.0) if self.config.loss == "mse" else (STEEPNESS, STEEPNESS / 2)
        inward.weight.copy_(slope * inverse)
        inward.bias.copy_(inverse @ (-middle - bias))
