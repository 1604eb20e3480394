"""The autoencoder whose code is a cloud, not a point, so that new pictures can be drawn from anywhere in it."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from aecore import losses
from aecore.knobs import knob
from aecore.models.base import Autoencoder, BodyConfig, Shape, bodies
from aecore.models.registry import variant

SPREAD = 0.1  # of a pixel around what the decoder says, under MSE: about what a good reconstruction misses


@variant(
    "variational",
    title="Variational",
    formula=r"\min_{f,g}\; \mathbb{E}_{x}\Big[\mathbb{E}_{z \sim \mathcal{N}(\mu(x),\, \sigma^2(x))}\, L\big(x,\, g(z)\big)"
    r" + \beta\; D_{\mathrm{KL}}\big(\mathcal{N}(\mu(x), \sigma^2(x)) \,\|\, \mathcal{N}(0, 1)\big)\Big]",
    source="Kingma and Welling (2014), https://arxiv.org/abs/1312.6114",
)
class Variational(Autoencoder):
    """The encoder names a region instead of a point, and all regions together must look like one round cloud."""

    @dataclass(frozen=True)
    class Config(BodyConfig):
        """Knobs of the cloud."""

        code: int = knob(
            20, 1, 2048, log=True, label="Code size", help="How many numbers describe a picture, each with its own uncertainty."
        )
        beta: float = knob(
            1.0, 0.0, 20.0, label="Beta", help="Weight of the KL divergence; more makes a rounder cloud and blurrier pictures."
        )
        warm_up: int = knob(
            500, 0, 20_000, label="Warm-up steps", help="Steps over which beta grows from 0, so that the code is not given up early."
        )

    config: Config
    steps: Tensor

    def __init__(self, shape: Shape, config: Config) -> None:
        super().__init__(shape, config)
        self.encoder, self.decoder = bodies(shape, config, written=2 * config.code)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def region(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of each picture's code: ``(B, n)`` each."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        return mean, log_variance.clamp(-15, 15)  # beyond, exp overflows before the loss can pull it back

    def encode(self, x: Tensor) -> Tensor:
        """The middle of each picture's region."""
        return self.region(x)[0]

    def loss(self, x: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """The negative ELBO at beta 1, in nats divided by the pixels.

        Under MSE a pixel is normal around the decoded brightness with standard deviation SPREAD; both terms are then that
        many nats times 2 SPREAD^2, less a constant, so that the reconstruction stays a mean squared error.
        """
        unit = 2 * SPREAD**2 if self.config.loss == "mse" else 1.0
        mean, log_variance = self.region(x)
        z = mean + (0.5 * log_variance).exp() * torch.randn(mean.shape, generator=rng, device=mean.device)
        divergence = losses.kl_normal(mean, log_variance).sum(1).mean() / math.prod(self.shape)
        return {"reconstruction": self.distance(self.decoder(z), x), "divergence": self.weight() * unit * divergence}

    def weight(self) -> float | Tensor:
        """Beta: as far as it has grown while the model learns, whole where it is measured."""
        if self.training and self.config.warm_up:
            return self.config.beta * (self.steps / self.config.warm_up).clamp(max=1)
        return self.config.beta

    def after_step(self, x: Tensor, rng: torch.Generator) -> None:
        """Count, for the warm-up."""
        self.steps += 1
