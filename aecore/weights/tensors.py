"""Tensors as safetensors bytes, compared with what a model expects before any memory is set aside for them."""

import json
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor, nn

from aecore.refusal import Refused

MOST_WEIGHTS_BYTES = 128_000_000
MOST_HEADER_BYTES = 1_000_000
DTYPES = {
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
"""Types by the names that a safetensors header has for them."""


def state(model: nn.Module) -> dict[str, Tensor]:
    """A model's tensors by name, as safetensors wants them."""
    return {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}


def serialise(model: nn.Module) -> bytes:
    """A model's tensors in safetensors format; raises ``Refused`` for weights that are not finite."""
    tensors = state(model)
    if not _are_finite(tensors):
        raise Refused("The model's weights are not finite, so there is nothing to keep. Train it again with a lower learning rate.")
    return safetensors.save(tensors)


def check_file(weights: bytes) -> None:
    """Refuse what cannot be safetensors before anything reads it."""
    # The first eight bytes of safetensors are a length, which may look like anything; its header's "{" follows them.
    if weights.startswith((b"PK", b"\x80")) and weights[8:9] != b"{":
        raise Refused("This is a pickle, which can run code when it is opened, so it is never read here. Save the weights as .safetensors.")
    if len(weights) > MOST_WEIGHTS_BYTES:
        raise Refused("The weights file has more than {most} MB. Choose a smaller model.", most=MOST_WEIGHTS_BYTES // 1_000_000)


def read_header(weights: bytes) -> dict[str, Any]:
    """The JSON header of a safetensors file: its length in 8 bytes, then itself."""
    length = int.from_bytes(weights[:8], "little")
    if len(weights) < 8 or length > min(MOST_HEADER_BYTES, len(weights) - 8):
        raise _damaged()
    try:
        header = json.loads(weights[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise _damaged() from error
    if not isinstance(header, dict):
        raise _damaged()
    return header


def read_tensors(weights: bytes, expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a safetensors file, their names, types and sizes compared with ``expected`` before any is made.

    ``expected`` may be without memory. Raises ``Refused`` for what does not fit, is damaged or is not finite.
    """
    found = {name: entry for name, entry in read_header(weights).items() if name != "__metadata__"}
    if found.keys() != expected.keys():
        raise misfit()
    for name, value in expected.items():
        entry = found[name]
        if not isinstance(entry, dict) or (entry.get("dtype"), entry.get("shape")) != (DTYPES[value.dtype], list(value.shape)):
            raise misfit()
    try:
        tensors = safetensors.load(weights)
    except (SafetensorError, ValueError) as error:
        raise _damaged() from error
    if not _are_finite(tensors):
        raise Refused(
            "These weights hold numbers that are not finite, so the model cannot work. Train it again with a lower learning rate."
        )
    return tensors


def misfit() -> Refused:
    """What is said of weights that belong to another model."""
    return Refused("These weights do not fit the model that the card describes. Choose the two files that were saved together.")


def _damaged() -> Refused:
    return Refused("The weights file is damaged or incomplete. Save or download it again.")


def _are_finite(tensors: dict[str, Tensor]) -> bool:
    return all(bool(value.isfinite().all()) for value in tensors.values())
