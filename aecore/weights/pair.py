"""A model and its card as bytes: whole, as a pair, or by half."""

import json
from dataclasses import asdict, replace
from hashlib import sha256
from typing import Literal, get_args

from safetensors import torch as safetensors
from torch import nn

from aecore.models import Autoencoder, blueprint
from aecore.refusal import Refused
from aecore.weights.card import Card, read_card
from aecore.weights.tensors import Bits, check_file, misfit, read_header, read_tensors, serialise, state

Half = Literal["encoder", "decoder"]


def pack(model: Autoencoder, card: Card, bits: Bits = 32) -> tuple[bytes, bytes]:
    """The pair as bytes: weights in safetensors format, and the card as JSON with the weights' digest written into it.

    A weight takes as many ``bits``. Raises ``Refused`` for weights that are not finite.
    """
    weights = serialise(model, bits)
    stamped = replace(card, sha256=sha256(weights).hexdigest())
    return weights, (json.dumps(asdict(stamped), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def unpack(weights: bytes, card: bytes) -> tuple[Autoencoder, Card]:
    """The model and card of a pair that may come from a stranger; raises ``Refused`` for whatever does not fit.

    Its digest is that of the weights in full, also where the file has fewer bits for each.
    """
    read = read_card(card)
    plan = _blueprint(read)
    if plan.parameter_count() != read.parameters:
        raise misfit()
    check_file(weights)
    if sha256(weights).hexdigest() != read.sha256:
        raise Refused("These weights are not the ones that the card describes. Choose the two files that were saved together.")
    tensors = read_tensors(weights, plan.state_dict())
    model = plan.to_empty(device="cpu")
    model.load_state_dict(tensors)
    return model.eval(), replace(read, sha256=sha256(serialise(model)).hexdigest())


def half(model: Autoencoder, which: Half) -> bytes:
    """One half's weights in safetensors format, names as in the whole; its metadata tell which half, and of which whole."""
    whole = serialise(model)
    tensors = {name: value for name, value in state(model).items() if name.startswith(f"{which}.")}
    return safetensors.save(tensors, {"half": which, "whole": sha256(whole).hexdigest()})


def load_half(weights: bytes, card: bytes) -> nn.Module:
    """The encoder or decoder network that :func:`half` wrote, by the card of its whole; raises ``Refused`` for what does not fit."""
    read = read_card(card)
    check_file(weights)
    metadata = read_header(weights).get("__metadata__")
    metadata = metadata if isinstance(metadata, dict) else {}
    which = str(metadata.get("half"))
    if which not in get_args(Half):
        raise Refused("This file is not half a model. Choose an encoder or decoder file that was saved here.")
    if metadata.get("whole") != read.sha256:
        raise Refused("This half belongs to another model than the card does. Choose files that were saved together.")
    plan = _blueprint(read).get_submodule(which)
    tensors = read_tensors(weights, plan.state_dict(prefix=f"{which}."))
    network = plan.to_empty(device="cpu")
    network.load_state_dict({name.removeprefix(f"{which}."): value for name, value in tensors.items()})
    return network.eval()


def _blueprint(card: Card) -> Autoencoder:
    return blueprint(card.variant, card.shape, **card.knobs)
