"""The photo codec on disk: whole, with its card, or either half alone, which is enough to write files or to read them."""

from hashlib import sha256
from pathlib import Path
from typing import Literal, get_args

import torch
from safetensors import torch as safetensors
from torch import Tensor, nn

from aecore.codec.halves import PhotoDecoder, PhotoEncoder, Photos, halves
from aecore.codec.training import Plan
from aecore.denoise.weights import Card, read_card
from aecore.refusal import Refused
from aecore.weights import FOLDER, read
from aecore.weights.card import MOST_CARD_BYTES
from aecore.weights.tensors import MOST_WEIGHTS_BYTES, check_file, misfit, read_header, read_tensors

SHIPPED = FOLDER / "photos-codec.safetensors"
Which = Literal["encoder", "decoder"]


def load(path: Path | None = None) -> tuple[PhotoEncoder, PhotoDecoder, Card]:
    """Both halves, ready to be used, and the card; without a path, of the codec that comes with the lab. ``Refused`` for what does not fit."""
    path = path or SHIPPED
    card = read_card(read(path.with_suffix(".card.json"), MOST_CARD_BYTES), Plan)
    weights = read(path, MOST_WEIGHTS_BYTES)
    check_file(weights)
    if sha256(weights).hexdigest() != card.sha256:
        raise Refused("These weights are not the ones that the card describes. Choose the two files that were saved together.")
    whole = Photos()
    if sum(each.numel() for each in whole.parameters()) != card.parameters:
        raise misfit()
    whole.load_state_dict(read_tensors(weights, stored(whole)))
    return *halves(whole, bytes.fromhex(card.sha256)), card


def half(path: Path, which: Which) -> bytes:
    """One half's tensors, as they are in the file of the whole; the metadata tell which half, and of which whole."""
    weights = read(path, MOST_WEIGHTS_BYTES)
    check_file(weights)
    wanted = stored(PhotoEncoder() if which == "encoder" else PhotoDecoder())
    tensors = {name: value for name, value in read_tensors(weights, stored(Photos())).items() if name in wanted}
    return safetensors.save(tensors, {"half": which, "whole": sha256(weights).hexdigest()})


def load_half(weights: bytes) -> PhotoEncoder | PhotoDecoder:
    """The half that :func:`half` wrote, ready to be used; it may come from a stranger. ``Refused`` for what does not fit."""
    check_file(weights)
    metadata = read_header(weights).get("__metadata__")
    metadata = metadata if isinstance(metadata, dict) else {}
    digest = str(metadata.get("whole"))
    if metadata.get("half") not in get_args(Which) or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise Refused("This file is not half a model. Choose an encoder or decoder file that was saved here.")
    result = PhotoEncoder() if metadata["half"] == "encoder" else PhotoDecoder()
    result.load_state_dict(read_tensors(weights, stored(result)))
    result.digest = bytes.fromhex(digest)[:4]
    return result.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]


def stored(model: nn.Module) -> dict[str, Tensor]:
    """A model's tensors as a file has them: networks in half precision, the entropy stage in whole numbers."""
    return {name: value.half() if value.is_floating_point() else value for name, value in model.state_dict().items()}
