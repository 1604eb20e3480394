"""Recurrent autoencoders on disk: a safetensors file, and a card that also says variant and vocabulary."""

import json
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from torch import nn

from aecore.denoise import weights as denoise
from aecore.denoise.weights import Card
from aecore.refusal import Refused
from aecore.text.series import SeriesRecurrent
from aecore.text.tokens import Vocabulary
from aecore.text.uses import Taught
from aecore.text.variants import find
from aecore.weights import FOLDER, read, write
from aecore.weights.tensors import MOST_WEIGHTS_BYTES, Bits, misfit, serialise

NAMES = (
    "text-pt",
    "text-en",
    "text-pt-mend",
    "text-en-mend",
    "text-pt-variational",
    "text-en-variational",
    "text-pt-bag",
    "text-en-bag",
    "series-ecg",
)
SHIPPED = {name: FOLDER / f"{name}.safetensors" for name in NAMES}
CARD = ".card.json"
"""What a card's name ends in."""
MOST_CARD_BYTES = 4_000_000  # a vocabulary takes room: some thousand words of up to 200 characters
MOST_PARAMETERS = 30_000_000


def save(model: nn.Module, card: Card, variant: str, vocabulary: Vocabulary | None, path: Path, bits: Bits = 8) -> None:
    """Write ``path``, a .safetensors file in which a weight takes as many ``bits``, and its card. ``Refused`` for weights that are not finite."""
    weights, words = pack(model, card, variant, vocabulary, bits)
    write(path, weights)
    write(path.with_suffix(CARD), words)


def pack(model: nn.Module, card: Card, variant: str, vocabulary: Vocabulary | None, bits: Bits = 32) -> tuple[bytes, bytes]:
    """The same pair as bytes: weights, and the card with their digest, the variant and the vocabulary."""
    weights = serialise(model, bits)
    words = asdict(replace(card, sha256=sha256(weights).hexdigest()))
    words |= {"variant": variant, "vocabulary": vocabulary.card() if vocabulary else None}
    return weights, (json.dumps(words, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def load(name: str) -> tuple[Taught, Card]:
    """A recurrent autoencoder of sentences that comes with the lab, ready to be used, and its card; ``Refused`` for what is not there."""
    model, variant, vocabulary, card = restore(_shipped(name))
    if vocabulary is None:
        raise Refused("{name} reads numbers, not sentences. Choose another.", name=name)
    return Taught(variant, model, vocabulary), card


def load_series(name: str = "series-ecg") -> tuple[SeriesRecurrent, Card]:
    """A recurrent autoencoder of series that comes with the lab, ready to be used, and its card; ``Refused`` for what is not there."""
    model, _, _, card = restore(_shipped(name))
    if not isinstance(model, SeriesRecurrent):
        raise Refused("{name} reads sentences, not numbers. Choose another.", name=name)
    return model, card


def restore(path: Path) -> tuple[nn.Module, str, Vocabulary | None, Card]:
    """Network in float32, variant, vocabulary and card of a pair of files; ``Refused`` for whatever does not fit."""
    return unpack(read(path, MOST_WEIGHTS_BYTES), read(path.with_suffix(CARD), MOST_CARD_BYTES))


def unpack(weights: bytes, words: bytes) -> tuple[nn.Module, str, Vocabulary | None, Card]:
    """The same from the bytes of weights and card, which may come from a stranger."""
    variant, vocabulary, card = read_card(words)
    kind = find(variant).model
    if not 0 < card.parameters <= MOST_PARAMETERS:
        raise misfit()
    size = len(vocabulary) if vocabulary else 0
    model = denoise.filled_with(weights, card, lambda: kind(size, kind.Plan.of(**card.plan)))  # type: ignore[arg-type]
    return model, variant, vocabulary, card


def read_card(data: bytes) -> tuple[str, Vocabulary | None, Card]:
    """Variant, vocabulary and the rest of a card from JSON, every field checked; ``Refused`` naming the first that is wrong."""
    if len(data) > MOST_CARD_BYTES:
        raise Refused("The card has more than {most} kB. Choose the .json file saved with the weights.", most=MOST_CARD_BYTES // 1000)
    try:
        values: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Refused("The card cannot be read as JSON. Choose the .json file saved with the weights.") from error
    if not isinstance(values, dict) or not isinstance(values.get("variant"), str) or "vocabulary" not in values:
        raise Refused("This JSON file is not a model's card. Choose the .json file saved with the weights.")
    variant, vocabulary = values.pop("variant"), values.pop("vocabulary")
    kind = find(variant)
    card = denoise.read_card(json.dumps(values).encode(), kind.model.Plan)
    if (vocabulary is None) != (kind.reads == "numbers"):
        raise misfit()
    return variant, None if vocabulary is None else Vocabulary.read(vocabulary), card


def _shipped(name: str) -> Path:
    if name not in SHIPPED:
        raise Refused("There are no weights called {name}; there are: {names}.", name=name[:60], names=", ".join(SHIPPED))
    return SHIPPED[name]
