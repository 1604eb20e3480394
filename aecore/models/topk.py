"""The autoencoder in whose code exactly k units are active."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from aecore.knobs import knob
from aecore.models.base import Autoencoder, Shape, bodies
from aecore.models.registry import variant
from aecore.models.sparse import WideConfig
from aecore.nn import dense
from aecore.nn.topk import keep_largest

DEAD_AFTER = 5_000  # pictures in a row without winning once


@variant(
    "top-k",
    title="Top-k",
    formula=r"\min_{f,g}\; \mathbb{E}_{x}\; L\big(x,\, g(h)\big), \qquad h_j = \begin{cases} f_j(x) & f_j(x) \text{ among the } k \text{ largest} \\ 0 & \text{otherwise} \end{cases}",
    source="Makhzani and Frey (2013), https://arxiv.org/abs/1312.5663",
)
class TopK(Autoencoder):
    """Only the k largest values of the code survive: for every picture exactly k units speak and all others are silent.

    A unit that never wins gets no slope and would stay dead. So after each step the dead are lifted: the bias of each rises until
    it wins where it came closest, and what it then draws is learnt like all else. Gao et al. (2024), https://arxiv.org/abs/2406.04093,
    teach the dead with a loss of their own instead.
    """

    @dataclass(frozen=True)
    class Config(WideConfig):
        """Knobs of the competition; without hidden layers each unit has one atom, the picture that it adds."""

        depth: int = knob(0, 0, 4, label="Hidden layers", help="Layers between picture and code, on each side. None: one linear step.")
        k: int = knob(
            25, 1, 256, log=True, label="Active units (k)", help="How many units survive in each picture; all, if the code has fewer."
        )
        tied: bool = knob(
            False, label="Tied weights", help="A dense decoder uses the encoder's weights, turned round: half as many numbers to learn."
        )
        revival: float = knob(1.0, 0.0, 1.0, label="Revival", help="How far a dead unit is lifted towards its next win; 0 leaves it dead.")

    config: Config
    silent: Tensor

    def __init__(self, shape: Shape, config: Config) -> None:
        super().__init__(shape, config)
        if config.tied and config.body == "dense":
            self.encoder = dense.encoder(shape, config.code, config.width, config.depth)
            self.decoder = dense.tied_decoder(self.encoder, shape)
        else:
            self.encoder, self.decoder = bodies(shape, config)
        self.register_buffer("silent", torch.zeros(config.code, dtype=torch.int64))  # pictures since each unit last won

    def encode(self, x: Tensor) -> Tensor:
        """Pictures ``(B, C, H, W)`` to codes ``(B, n)`` with exactly min(k, n) values that are not 0."""
        return keep_largest(self.encoder(x), self.config.k)

    def bits(self) -> float:
        """Of each value that is not 0, the number and the place."""
        return min(self.config.k, self.config.code) * (32 + math.log2(self.config.code))

    def after_step(self, x: Tensor, rng: torch.Generator) -> None:
        """Count for how many pictures each unit has been silent, and lift the dead to the lowest bar of the batch."""
        values = self.encoder(x)
        won = keep_largest(values, self.config.k).ne(0).any(0)
        self.silent.add_(len(x)).masked_fill_(won, 0)
        dead = self.silent > DEAD_AFTER
        if dead.any():
            bars = values.topk(min(self.config.k, values.shape[1]), dim=1).values[:, -1:]
            lift = (bars - values).amin(0)
            *_, bias = self.encoder.parameters()  # the last of a body's encoder: one number per unit
            bias.add_(self.config.revival * dead * lift)
