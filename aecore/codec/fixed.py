"""Any autoencoder of the lab as a codec: its code in whole steps, by tables of how often each came on the training pictures."""

import math
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
import torch
from safetensors import torch as safetensors
from torch import Tensor, nn

from aecore.codec import container
from aecore.codec.container import FIXED, Parcel
from aecore.codec.entropy import Models, Reader, Writer
from aecore.codec.halves import check
from aecore.codec.tables import LARGEST, Tables, logistic, reach
from aecore.models import Autoencoder
from aecore.refusal import Refused
from aecore.weights.tensors import check_file, misfit, read_header, read_tensors

FINENESS = 3.0
"""Steps in one standard deviation of the code, over all its values."""
TRUST = 20.0
"""Observations that a logistic distribution of the same spread is worth."""


@dataclass(frozen=True)
class Scale:
    """How a code becomes whole numbers: ``step`` between two of them, and each value's middle ``(n,)``, int32, and tables."""

    step: float
    middles: Tensor
    tables: Tables

    @cached_property
    def models(self) -> Models:
        """The tables, made ready once."""
        return Models(self.tables.each())

    def pack(self) -> bytes:
        """In safetensors format."""
        return safetensors.save(
            {
                "step": torch.tensor([self.step], dtype=torch.float32),
                "middles": self.middles,
                "reaches": torch.tensor(self.tables.reaches, dtype=torch.int32),
                "frequencies": self.tables.get_buffer("frequencies"),
            }
        )


def measured(model: Autoencoder, pictures: Tensor, fineness: float = FINENESS, step: float | None = None) -> Scale:
    """The scale for a model, from the codes of its training pictures ``(N, C, H, W)`` uint8.

    The step is the same for all values: the decoder weighs them alike only by chance, but a wider value carries more.
    A value's table is what was counted, leaning on a logistic distribution where little was seen.
    """
    codes = torch.cat([encoded(model, each.float() / 255) for each in pictures.split(500)]).double()
    step = float(np.float32(step or max(float(codes.var(0).mean().sqrt()) / fineness, 1e-6)))
    numbers = (codes / step).round().clamp(-LARGEST, LARGEST).long()
    middles = numbers.double().mean(0).round().int()
    around = (numbers - middles).numpy()
    scales = [math.log2(max(float(each.std()), 0.05) * math.sqrt(3) / math.pi) for each in around.T]
    reaches = tuple(reach(min(each, 6.0)) for each in scales)
    tables = Tables(reaches)
    shares = []
    for values, scale, most in zip(around.T, scales, reaches, strict=True):
        places = np.where(np.abs(values) > most, 2 * most + 1, values + most)
        shares.append(np.bincount(places, minlength=2 * most + 2) + TRUST * logistic(scale, most))
    tables.fill(shares)
    return Scale(step, middles, tables)


@torch.no_grad()
def encoded(model: Autoencoder, pictures: Tensor) -> Tensor:
    """Pictures ``(B, C, H, W)`` in [0, 1] to codes ``(B, n)``."""
    return model.encode(pictures).flatten(1)


class FixedEncoder:
    """Pictures of one size to files of a dozen bytes or a few dozen."""

    def __init__(self, network: nn.Module, shape: tuple[int, int, int], scale: Scale, digest: bytes) -> None:
        self.network, self.shape, self.scale, self.digest = network, shape, scale, digest[:4]

    @torch.no_grad()
    def write(self, picture: Tensor) -> tuple[bytes, float]:
        """A picture of the model's shape in [0, 1] to a file, and the bits that the tables promised."""
        if picture.shape != self.shape:
            raise Refused("The picture has the shape {shape}, and this model reads {known}.", shape=tuple(picture.shape), known=self.shape)
        code = self.network(picture[None]).flatten().double()
        numbers = (code / self.scale.step).round().clamp(-LARGEST, LARGEST).long() - self.scale.middles
        writer = Writer(self.scale.models)
        writer.tell(numbers.numpy(), np.arange(len(numbers)))
        return container.write(Parcel(FIXED, self.digest, (writer.finish(),))), writer.bits


class FixedDecoder:
    """Files back to pictures; ``decode`` turns codes ``(B, n)`` into pictures in [0, 1]."""

    def __init__(self, decode: nn.Module, scale: Scale, digest: bytes) -> None:
        self.decode, self.scale, self.digest = decode, scale, digest[:4]

    @torch.no_grad()
    def read(self, content: bytes) -> Tensor:
        """The picture ``(C, H, W)`` uint8 of a file that may come from a stranger; ``Refused`` for what was not written for this model."""
        return (self.decode(self.numbers(content)[None] * self.scale.step)[0].clamp(0, 1) * 255).round().to(torch.uint8)

    def numbers(self, content: bytes) -> Tensor:
        """The code in whole steps, float32 ``(n,)``; it is the same on every machine."""
        parcel = container.read(content)
        check(parcel, FIXED, self.digest)
        reader = Reader(self.scale.models, parcel.streams[0])
        values = reader.ask(np.arange(len(self.scale.middles)))
        reader.finish()
        return torch.from_numpy(values + self.scale.middles.numpy()).float()


class Decoding(nn.Module):
    """A model's way from codes to pictures in [0, 1], as its loss reads them."""

    def __init__(self, decoder: nn.Module, loss: str) -> None:
        super().__init__()
        self.decoder, self.squash = decoder, loss != "mse"

    def forward(self, code: Tensor) -> Tensor:
        """``(B, n)`` to ``(B, C, H, W)``."""
        output = self.decoder(code)
        return torch.sigmoid(output) if self.squash else output.clamp(0, 1)


def codec(model: Autoencoder, scale: Scale) -> tuple[FixedEncoder, FixedDecoder]:
    """Both halves; a file names the model's decoder and the scale it was written with, by their digest."""
    weights = safetensors.save({name: value.contiguous() for name, value in model.decoder.state_dict().items()})
    digest = sha256(weights + scale.pack()).digest()
    return FixedEncoder(Encoding(model), model.shape, scale, digest), FixedDecoder(
        Decoding(model.decoder, model.config.loss), scale, digest
    )


class Encoding(nn.Module):
    """A model's way from pictures to plain codes."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, n)``."""
        return self.model.encode(x)


def unpack(content: bytes, values: int) -> Scale:
    """The scale that ``Scale.pack`` wrote, for a code of ``values``; ``Refused`` for what does not fit or is damaged."""
    check_file(content)
    header = read_header(content)
    try:
        frequencies = int(header["frequencies"]["shape"][0])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise misfit() from error
    if not 4 * values <= frequencies <= 2002 * values:
        raise misfit()
    expected = {
        "step": torch.empty(1, device="meta"),
        "middles": torch.empty(values, dtype=torch.int32, device="meta"),
        "reaches": torch.empty(values, dtype=torch.int32, device="meta"),
        "frequencies": torch.empty(frequencies, dtype=torch.int32, device="meta"),
    }
    tensors = read_tensors(content, expected)
    reaches = tuple(tensors["reaches"].tolist())
    step = float(tensors["step"])
    if (
        min(reaches) < 1
        or sum(2 * each + 2 for each in reaches) != frequencies
        or step <= 0
        or int(tensors["middles"].abs().max()) > LARGEST
    ):
        raise misfit()
    tables = Tables(reaches)
    tables.get_buffer("frequencies").copy_(tensors["frequencies"])
    tables.each()
    return Scale(step, tensors["middles"], tables)
