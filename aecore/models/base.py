"""What every autoencoder is: an encoder, a decoder, and an objective."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from aecore import losses
from aecore.knobs import Config, knob
from aecore.nn import conv, dense, start

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class PictureConfig(Config):
    """The knobs that every autoencoder of pictures has."""

    code: int = knob(32, 1, 2048, log=True, label="Code size", help="How many numbers the encoder may keep of each picture.")
    loss: str = knob(
        "cross-entropy",
        options=("cross-entropy", "mse"),
        label="Loss",
        help="Cross-entropy reads a pixel as a probability; mean squared error (MSE) as a brightness.",
    )


@dataclass(frozen=True)
class BodyConfig(PictureConfig):
    """The knobs of a variant whose encoder and decoder may be dense or convolutional."""

    body: str = knob(
        "dense",
        options=("dense", "convolutional"),
        label="Body",
        help="Dense: every pixel is wired to every unit. Convolutional: small filters slide over the picture.",
    )
    depth: int = knob(
        1, 0, 4, label="Hidden layers", help="Layers between picture and code, on each side; a convolutional one halves the sides."
    )
    width: int = knob(
        256,
        16,
        1024,
        log=True,
        label="Width",
        help="Units in each hidden layer; a convolutional body begins with a sixteenth as many filters.",
    )


def bodies(shape: Shape, config: BodyConfig, written: int | None = None, read: int | None = None) -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder of the chosen body; the encoder writes ``written`` values, the decoder reads ``read``: both the code's size unless said."""
    written, read = written or config.code, read or config.code
    if config.body == "convolutional":
        filters = max(4, config.width // 16)
        return conv.encoder(shape, written, filters, config.depth), conv.decoder(shape, read, filters, config.depth)
    return dense.encoder(shape, written, config.width, config.depth), dense.decoder(shape, read, config.width, config.depth)


class Autoencoder(nn.Module):
    """An encoder that writes a short code and a decoder that reads it back into a picture.

    A variant sets ``encoder`` and ``decoder`` and may add terms to ``loss``. Pictures ``(B, C, H, W)`` are floats in
    [0, 1]; codes are ``(B, n)``. What the decoder network returns is read as the ``loss`` knob says: as logits, which
    ``decode`` squashes into [0, 1], or under MSE as brightness itself, which it cuts to [0, 1]. Squared error behind a
    squashing function has no slope far out, and a convolutional decoder that once gets there stays black.
    """

    Config: ClassVar[type[PictureConfig]] = PictureConfig
    encoder: nn.Module
    decoder: nn.Module

    def __init__(self, shape: Shape, config: PictureConfig) -> None:
        super().__init__()
        self.shape = shape
        self.config = config

    def encode(self, x: Tensor) -> Tensor:
        """Pictures ``(B, C, H, W)`` to plain codes ``(B, n)``."""
        return self.encoder(x)

    def decode(self, code: Tensor) -> Tensor:
        """Codes ``(B, n)`` to pictures ``(B, C, H, W)`` in [0, 1]."""
        output = self.decoder(code)
        return output.clamp(0, 1) if self.config.loss == "mse" else torch.sigmoid(output)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures through the code and back, shape kept."""
        return self.decode(self.encode(x))

    def loss(self, x: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """Named, weighted terms whose sum is minimised; ``rng`` is where a variant's randomness comes from."""
        return {"reconstruction": self.distance(self.decoder(self.encode(x)), x)}

    def distance(self, output: Tensor, x: Tensor) -> Tensor:
        """The reconstruction loss chosen by the ``loss`` knob, a scalar; ``output`` is the decoder network's."""
        return losses.mse(output, x) if self.config.loss == "mse" else losses.cross_entropy(output, x)

    def after_step(self, x: Tensor, rng: torch.Generator) -> None:
        """Called after each training step on its batch, without gradients: where a variant counts, warms up or revives.

        What must outlive a checkpoint belongs in a buffer.
        """

    def initialise(self, rng: torch.Generator) -> None:
        """Draw all weights anew from ``rng``; buffers begin at 0."""
        for buffer in self.buffers():
            buffer.zero_()
        start.uniform(self, rng)

    def bits(self) -> float:
        """What it takes to store one code as it is: 32 for each value, a float32."""
        return 32.0 * self.config.code

    def parameter_count(self) -> int:
        """How many numbers training may change."""
        return sum(each.numel() for each in self.parameters())
