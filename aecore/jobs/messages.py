"""How a worker's news travels: dictionaries of plain values and bytes, which is what Dask's events carry."""

from typing import Any

import numpy as np

from aecore.refusal import Refused

Message = dict[str, Any]


def array(values: np.ndarray) -> Message:
    """An array as plain values."""
    return {"dtype": values.dtype.str, "shape": list(values.shape), "data": values.tobytes()}


def as_array(message: Message) -> np.ndarray:
    """What :func:`array` was given; read-only."""
    return np.frombuffer(message["data"], dtype=message["dtype"]).reshape(message["shape"])


def refusal(error: Refused) -> Message:
    """A refusal as plain values; what is not a number or a text becomes one."""
    details = {name: value if isinstance(value, int | float | str) else str(value) for name, value in error.details.items()}
    return {"sentence": error.sentence, "details": details}


def as_refusal(message: Message) -> Refused:
    """What :func:`refusal` was given."""
    return Refused(message["sentence"], **message["details"])
