"""Teaches an autoencoder of the lab to give short files: the bits of its code are part of its loss."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aecore.codec.context import cost
from aecore.data import Images
from aecore.denoise import training as denoise
from aecore.denoise.training import Pace
from aecore.knobs import knob
from aecore.models import Autoencoder, build


@dataclass(frozen=True)
class Plan(Pace):
    """The knobs of a run on small pictures."""

    steps: int = knob(8_000, 1, 1_000_000, log=True, label="Steps", help="How many batches are learnt from.")
    batch: int = knob(128, 1, 1024, log=True, label="Batch size", help="Pictures per step.")
    price: float = knob(
        10.0, 0.01, 10_000, log=True, label="Price of error", help="Bits that a squared error of 1, summed over a picture, is worth."
    )


class Priced(nn.Module):
    """An autoencoder whose code is rounded to whole numbers, and what each of them costs: a logistic distribution a value.

    Source: Ballé et al. (2017), https://arxiv.org/abs/1611.01704.
    """

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.model = model
        values = model.config.code
        self.means = nn.Parameter(torch.zeros(values))
        self.logs = nn.Parameter(torch.full((values,), 1.0))

    def forward(self, x: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Pictures ``(B, C, H, W)`` in [0, 1] to what the decoder network makes of the rounded code, and bits ``(B,)``."""
        code = self.model.encode(x).float() * CODE
        noise = torch.rand(code.shape, generator=rng).to(code.device) - 0.5
        bits = cost(code + noise - self.means, self.logs.clamp(-4, 7)).sum(1)
        rounded = code + (code.detach().round() - code.detach())
        return self.model.decoder(rounded / CODE), bits


CODE = 8.0
"""Steps in a unit of the code, so that an untaught encoder's values reach over some of them."""


class Small:
    """A data set of the lab as a subject: all pictures of its training part, drawn at random."""

    def __init__(self, images: Images, variant: str, knobs: dict, plan: Plan) -> None:
        self.images, self.variant, self.knobs, self.plan = images, variant, knobs, plan

    def network(self) -> Priced:
        """An untaught autoencoder, its weights drawn from the plan's seed."""
        return Priced(build(self.variant, self.images.shape, seed=self.plan.seed, **self.knobs))

    def batch(self, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Pictures in [0, 1], twice."""
        pictures = self.images.train[torch.randint(len(self.images.train), (self.plan.batch,), generator=rng)].float() / 255
        return pictures, pictures

    @torch.no_grad()
    def measure(self, model: Priced) -> dict[str, float]:
        """Mean bits of a picture and mean squared error on the test pictures, before tables are made."""
        pictures = self.images.test.float() / 255
        output, bits = model(pictures, torch.Generator().manual_seed(0))
        return {"bits": float(bits.mean()), "mse": float((output.clamp(0, 1) - pictures).square().mean())}


class SmallLessons(denoise.Lessons[Priced]):
    """One run: the same loop, another loss."""

    def loss(self, rng: torch.Generator) -> Tensor:
        """Bits of a picture plus the price of its squared error; per pixel, so that steps are of a usual size."""
        pictures, _ = (each.to(self.device) for each in self.subject.batch(rng))
        output, bits = self.model(pictures, rng)
        error = (output - pictures).square().sum((1, 2, 3))
        price: float = self.plan.price  # type: ignore[attr-defined]
        return (bits + price * error).mean() / pictures[0].numel()
