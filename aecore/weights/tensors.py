"""Tensors as safetensors bytes, compared with what a model expects before any memory is set aside for them."""

import json
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor, nn
from torch.nn import functional

from aecore.refusal import Refused

MOST_WEIGHTS_BYTES = 128_000_000
MOST_HEADER_BYTES = 1_000_000
DTYPES = {
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
"""Types by the names that a safetensors header has for them."""
SCALE = ".scale"
"""What the name of a tensor ends in that holds another's scales."""
Bits = Literal[32, 16, 8, 4]
"""How many a weight takes on disk."""


def state(model: nn.Module) -> dict[str, Tensor]:
    """A model's tensors by name, as safetensors wants them."""
    return {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}


def serialise(model: nn.Module, bits: Bits = 32) -> bytes:
    """A model's tensors in safetensors format, numbers with 32 ``bits`` each, or fewer; raises ``Refused`` for weights that are not finite.

    With 8, each row of a matrix (or filter of a convolution) is whole numbers from -127 to 127 and one scale, with 4 from -7 to 7, two in
    a byte; what has no rows or is not learnt keeps 16.
    """
    tensors = state(model)
    if bits < 32:
        tensors = {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}
    if bits < 16:
        tensors |= _in_rows(
            bits, {name: value.detach().cpu() for name, value in model.named_parameters() if value.ndim > 1 and value.numel()}
        )
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

    Numbers may be stored with fewer bits than expected, as :func:`serialise` does it: with 16 they come back so, with 8 or 4 as float32.
    ``expected`` may be without memory. Raises ``Refused`` for what does not fit, is damaged or is not finite.
    """
    found = {name: entry for name, entry in read_header(weights).items() if name != "__metadata__"}
    scaled = {name for name in expected if name + SCALE in found and name + SCALE not in expected}
    if found.keys() != expected.keys() | {name + SCALE for name in scaled}:
        raise misfit()
    for name, value in expected.items():
        if name in scaled:
            _check_rows(found[name], found[name + SCALE], value)
        else:
            narrower = {"F16"} if value.is_floating_point() else set[str]()
            _check(found[name], {DTYPES[value.dtype]} | narrower, list(value.shape))
    try:
        tensors = safetensors.load(weights)
    except (SafetensorError, ValueError) as error:
        raise _damaged() from error
    if not _are_finite(tensors):
        raise Refused(
            "These weights hold numbers that are not finite, so the model cannot work. Train it again with a lower learning rate."
        )
    return {
        name: _from_rows(tensors[name], tensors[name + SCALE], value.shape) if name in scaled else tensors[name]
        for name, value in expected.items()
    }


def misfit() -> Refused:
    """What is said of weights that belong to another model."""
    return Refused("These weights do not fit the model that the card describes. Choose the two files that were saved together.")


def _check(entry: Any, types: set[str], shape: list[int]) -> None:
    if not isinstance(entry, dict) or entry.get("dtype") not in types or entry.get("shape") != shape:
        raise misfit()


def _check_rows(entry: Any, scales: Any, value: Tensor) -> None:
    """Refuse 8 or 4 bits that are not those of a matrix like ``value``."""
    if not value.is_floating_point() or value.ndim < 2:
        raise misfit()
    two_in_a_byte = isinstance(entry, dict) and entry.get("dtype") == "U8"
    _check(entry, {"U8", "I8"}, [-(-value.numel() // 2)] if two_in_a_byte else list(value.shape))
    _check(scales, {"F32"}, [len(value)] + [1] * (value.ndim - 1))


def _in_rows(bits: Bits, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Each tensor as whole numbers of 8 or 4 bits, and their scales: one for each row."""
    found, most = {}, 2 ** (bits - 1) - 1
    for name, value in tensors.items():
        scale = (value.float().flatten(1).abs().amax(1) / most).clamp_min(1e-12).view(-1, *[1] * (value.ndim - 1))
        whole = (value / scale).round().to(torch.int8).contiguous()
        if bits == 4:
            pairs = functional.pad(whole.flatten() + 8, (0, whole.numel() % 2)).to(torch.uint8)
            whole = pairs[::2] * 16 + pairs[1::2]
        found |= {name: whole, name + SCALE: scale}
    return found


def _from_rows(whole: Tensor, scale: Tensor, shape: torch.Size) -> Tensor:
    """The way back."""
    if whole.dtype == torch.uint8:
        whole = torch.stack((whole // 16, whole % 16), 1).flatten()[: shape.numel()].view(shape).to(torch.int8) - 8
    return whole * scale


def _damaged() -> Refused:
    return Refused("The weights file is damaged or incomplete. Save or download it again.")


def _are_finite(tensors: dict[str, Tensor]) -> bool:
    return all(bool(value.isfinite().all()) for value in tensors.values())
