"""The codecs of Compress: for photographs, for digits, for faces, and any autoencoder of the shelf."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from math import prod

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from aecore.codec import fixed, small_weights
from aecore.codec import weights as photo_weights
from aecore.codec.context import GROUPS
from aecore.codec.fixed import FixedDecoder, FixedEncoder
from aecore.codec.halves import PhotoDecoder, PhotoEncoder
from aecore.codec.transform import BLOCK
from aecore.data import DATASETS
from aecore.data.picture import squared
from aecore.jobs.errands import Cancelled
from aecore.models import VARIANTS, Autoencoder
from aecore.weights import FOLDER, Card
from pages.ui import cache, shelf
from pages.ui.i18n import Translator, marked

PHOTO = "photo"
TITLES = {PHOTO: marked("For photographs"), "digits": marked("For digits"), "faces": marked("For faces")}
SMALL = tuple(name for name in small_weights.NAMES if (FOLDER / f"{name}-codec.safetensors").exists())
COUNTED = 5000  # training pictures on which the tables of a model of the shelf are counted
Progress = Callable[[float], None]
Stopped = Callable[[], bool]


@dataclass(frozen=True)
class Codec:
    """Two halves that belong together."""

    encoder: PhotoEncoder | FixedEncoder
    decoder: PhotoDecoder | FixedDecoder

    @property
    def digest(self) -> bytes:
        """What its files are known by."""
        return self.encoder.digest

    @property
    def shape(self) -> tuple[int, int, int] | None:
        """Of its pictures; None where any size will do."""
        return self.encoder.shape if isinstance(self.encoder, FixedEncoder) else None

    def numbers(self, picture: Tensor) -> int:
        """How many numbers the code of a picture ``(C, H, W)`` has."""
        if isinstance(self.encoder, FixedEncoder):
            return len(self.encoder.scale.middles)
        return sum(GROUPS) * -(-picture.shape[1] // BLOCK) * -(-picture.shape[2] // BLOCK)

    def write(self, picture: Tensor, quality: int, progress: Progress, stopped: Stopped) -> tuple[bytes, float]:
        """A picture ``(C, H, W)`` uint8, already of its shape, to a file and the bits that the tables promised. May raise Cancelled."""
        scaled = picture.float() / 255
        if isinstance(self.encoder, FixedEncoder):
            return self.encoder.write(scaled)
        written = self.encoder.write(scaled, quality, progress, stopped)
        if written is None:
            raise Cancelled
        return written

    def read(self, content: bytes, progress: Progress, stopped: Stopped) -> Tensor:
        """A stranger's file to the picture ``(C, H, W)`` uint8; Refused, or Cancelled."""
        if isinstance(self.decoder, FixedDecoder):
            return self.decoder.read(content)
        picture = self.decoder.read(content, progress, stopped)
        if picture is None:
            raise Cancelled
        return picture


Ready = Callable[[], Codec]
"""Gets a codec, in the errand's thread: some must be read or measured first."""


def choices(visitor: str, t: Translator) -> dict[str, tuple[str, Ready]]:
    """All codecs that a visitor may use, by the name that a link has for them: what they are called, and what gets them.

    Of the shelf's models those count whose code is shorter than the picture, and whose pictures are at hand to count on.
    """
    found: dict[str, tuple[str, Ready]] = {name: (t(TITLES[name]), partial(shipped, name)) for name in (PHOTO, *SMALL)}
    for name, (model, card) in shelf.models(visitor).items():
        if model.config.code < prod(model.shape) and cache.has(card.data):
            found[name] = (_title(card, t), partial(of_model, model, card.data))
    return found


@lru_cache(maxsize=1 + len(small_weights.NAMES))
def shipped(name: str) -> Codec:
    """A codec that comes with the lab."""
    encoder, decoder, _ = photo_weights.load() if name == PHOTO else small_weights.load(name)
    return Codec(encoder, decoder)


@lru_cache(maxsize=4)  # models of up to 120 MB
def of_model(model: Autoencoder, data: str) -> Codec:
    """A model of the shelf as a codec, by tables counted on the pictures that it learnt from."""
    return Codec(*fixed.codec(model, fixed.measured(model, cache.data(data).train[:COUNTED])))


def fitted(picture: Tensor, shape: tuple[int, int, int] | None) -> Tensor:
    """A picture ``(C, H, W)`` uint8, made grey or coloured, its middle square shrunk to ``shape``; as it is where that is None."""
    if shape in (None, tuple(picture.shape)):
        return picture
    pixels = np.ascontiguousarray(picture.permute(1, 2, 0).numpy())
    image = Image.fromarray(pixels[..., 0] if len(picture) == 1 else pixels)
    return torch.from_numpy(squared(image, "", shape[1], shape[0] == 3).copy())


def _title(card: Card, t: Translator) -> str:
    data = t(DATASETS[card.data].title) if card.data in DATASETS else t("Own pictures")
    return f"{t(VARIANTS[card.variant].title)} · {data}"
