"""The autoencoder whose code is written in symbols, with an alphabet that it learns."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from aecore.knobs import knob
from aecore.models.base import Autoencoder, BodyConfig, Shape, bodies
from aecore.models.registry import variant

DEAD_AFTER = 10  # turns without being used; a turn is as many symbols as there are entries


@variant(
    "vector-quantised",
    title="Vector-quantised",
    formula=r"\min_{f,g,e}\; \mathbb{E}_{x}\Big[ L\big(x,\, g(q)\big) + \|\mathrm{sg}[f(x)] - q\|^2 + \beta\, \|f(x) - \mathrm{sg}[q]\|^2 \Big],"
    r" \qquad q_i = e_{s_i},\; s_i = \arg\min_{k} \|f_i(x) - e_k\|",
    source="van den Oord, Vinyals and Kavukcuoglu (2017), https://arxiv.org/abs/1711.00937",
)
class VectorQuantised(Autoencoder):
    """The code is cut into pieces, and each gives way to the nearest entry of a learnt codebook: a picture becomes a few symbols.

    Choosing an entry has no slope, so the encoder is given the slope that the decoder asks of the entry, as if it had written that.
    An entry that is never chosen learns nothing either: at the start, and when it has been silent for long, it is moved onto a
    piece that the encoder writes just then.
    """

    @dataclass(frozen=True)
    class Config(BodyConfig):
        """Knobs of the codebook."""

        piece: int = knob(
            4,
            1,
            256,
            log=True,
            label="Numbers per symbol",
            help="How many numbers of the code each symbol stands for; if the code size cannot be divided by it, what divides both.",
        )
        entries: int = knob(256, 2, 1024, log=True, label="Codebook entries", help="How many different symbols there are; 256 fill a byte.")
        commitment: float = knob(
            1.0, 0.0, 10.0, label="Commitment", help="What the encoder pays for straying from the entries; the entries follow it anyway."
        )
        revival: bool = knob(True, label="Revive unused entries", help="Move entries that no picture uses to where they are needed.")

    config: Config
    silent: Tensor

    def __init__(self, shape: Shape, config: Config) -> None:
        super().__init__(shape, config)
        self.encoder, self.decoder = bodies(shape, config)
        self.codebook = nn.Parameter(torch.empty(config.entries, math.gcd(config.code, config.piece)))  # (K, d)
        self.register_buffer("silent", torch.empty(config.entries, dtype=torch.int64))  # symbols since each entry was last one

    def initialise(self, rng: torch.Generator) -> None:
        """Draw entries from -1 to 1; all begin as dead, so that revival puts them onto data in the first step."""
        super().initialise(rng)
        nn.init.uniform_(self.codebook, -1, 1, generator=rng)
        self.silent.fill_(DEAD_AFTER * len(self.silent))

    def nearest(self, z: Tensor) -> Tensor:
        """Numbers ``(B, n)`` to the index of the entry nearest to each piece: ``(B, n / d)``."""
        pieces = z.unflatten(1, (-1, self.codebook.shape[1]))
        return (self.codebook.square().sum(1) - 2 * pieces @ self.codebook.T).argmin(2)  # |z - e|^2 less |z|^2

    def read(self, symbols: Tensor) -> Tensor:
        """Symbols ``(B, n / d)`` to the code that they stand for: ``(B, n)``."""
        return functional.embedding(symbols, self.codebook).flatten(1)

    def symbols(self, x: Tensor) -> Tensor:
        """Pictures ``(B, C, H, W)`` to whole numbers from 0 to K - 1: ``(B, n / d)``."""
        return self.nearest(self.encoder(x))

    def encode(self, x: Tensor) -> Tensor:
        """Pictures ``(B, C, H, W)`` to codes ``(B, n)`` put together from entries."""
        return self.read(self.symbols(x))

    def loss(self, x: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """How far the picture is, how far the entries are from the encoder, and the encoder from them; both summed and divided by the pixels."""
        z = self.encoder(x)
        q = self.read(self.nearest(z))
        copied = z + (q - z).detach()  # q, with the slope of z
        unit = self.config.code / math.prod(self.shape)
        return {
            "reconstruction": self.distance(self.decoder(copied), x),
            "codebook": unit * functional.mse_loss(q, z.detach()),
            "commitment": self.config.commitment * unit * functional.mse_loss(z, q.detach()),
        }

    def after_step(self, x: Tensor, rng: torch.Generator) -> None:
        """Count for how many symbols each entry has been silent, and move the dead onto pieces drawn from the batch."""
        z = self.encoder(x)
        symbols = self.nearest(z).flatten()
        self.silent.add_(len(symbols))[symbols] = 0
        if self.config.revival:
            dead = self.silent > DEAD_AFTER * len(self.silent)
            pieces = z.view(-1, self.codebook.shape[1])
            drawn = torch.randint(len(pieces), (len(dead),), generator=rng, device=z.device)
            self.codebook.copy_(pieces[drawn].where(dead[:, None], self.codebook))
            self.silent.masked_fill_(dead, 0)

    def bits(self) -> float:
        """Bits that the symbols of one picture fill, each stored plainly."""
        return self.config.code / self.codebook.shape[1] * math.log2(self.config.entries)
