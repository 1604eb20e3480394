"""The same network for series of numbers: windows of an electrocardiogram or a sensor, a few samples at each step."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from aecore.knobs import knob
from aecore.text import network
from aecore.text.network import CELLS, Cells, encoder, last


@dataclass(frozen=True)
class SeriesPlan(Cells):
    """The knobs of a recurrent autoencoder of windows."""

    width: int = knob(96, 8, 1024, log=True, label="Width", help="Units in each recurrent layer.")
    code: int = knob(8, 1, 1024, log=True, label="Code size", help="How many numbers stand for a whole window.")
    window: int = knob(64, 8, 1024, log=True, label="Window", help="Samples that are read together.")
    stride: int = knob(2, 1, 64, label="Samples per step", help="How many samples go in and come out at each step.")


class SeriesRecurrent(nn.Module):
    """Numbers instead of words: a window of a series goes into one code, sample after sample, and comes back from it.

    Windows are ``(B, window)``. The decoder hears the code at each step and nothing else, so that all there is to know is in the code.
    Source: Srivastava, Mansimov and Salakhutdinov (2015), https://arxiv.org/abs/1502.04681; Malhotra et al. (2016),
    https://arxiv.org/abs/1607.00148 (anomalies).
    """

    Plan: ClassVar[type[SeriesPlan]] = SeriesPlan

    def __init__(self, words: int, plan: SeriesPlan) -> None:
        super().__init__()
        self.plan = plan
        self.encoder, read = encoder(plan, plan.stride)
        self.code = nn.Linear(read, plan.code)
        self.always = nn.Linear(plan.code, plan.width)
        self.decoder = CELLS[plan.cell](plan.width, plan.width, plan.layers, batch_first=True)
        self.output = nn.Linear(plan.width, plan.stride)

    def encode(self, windows: Tensor) -> Tensor:
        """Windows ``(B, N)`` to codes ``(B, n)``."""
        filled = functional.pad(windows, (0, -windows.shape[1] % self.plan.stride))
        steps = filled.view(len(windows), -1, self.plan.stride)
        if self.plan.backwards:
            steps = steps.flip(1)
        return self.code(last(self.encoder(steps)[1], self.plan.both_ways))

    def decode(self, code: Tensor) -> Tensor:
        """Codes ``(B, n)`` to windows ``(B, window)``."""
        steps = -(-self.plan.window // self.plan.stride)
        outputs, _ = self.decoder(self.always(code)[:, None].expand(-1, steps, -1))
        return self.output(outputs).flatten(1)[:, : self.plan.window]

    def forward(self, windows: Tensor) -> Tensor:
        """Windows through the code and back."""
        return self.decode(self.encode(windows))

    def loss(self, given: Tensor, target: Tensor, rng: torch.Generator, step: int) -> dict[str, Tensor]:
        """Mean squared error, in units of the series' variance."""
        return {"reconstruction": (self(given).float() - target).square().mean()}

    def initialise(self, rng: torch.Generator) -> None:
        """Draw all weights from ``rng``."""
        network.initialise(self, rng)
