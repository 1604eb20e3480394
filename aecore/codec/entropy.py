"""Values to bits and back with asymmetric numeral systems, by tables of whole numbers. FORMAT.md has the arithmetic.

Source: Duda et al. (2015), https://doi.org/10.1109/PCS.2015.7170048; Bamler (2022), https://arxiv.org/abs/2201.01741 (the library).
"""

from collections.abc import Sequence

import numpy as np
from constriction import stream  # pyright: ignore[reportAttributeAccessIssue]  # compiled, without type stubs

from aecore.refusal import Refused

PAIR = np.full(256, 1 << 16, dtype=np.int64)
"""The table of a byte that may be anything."""


def damaged() -> Refused:
    """What is said of streams that end too soon or too late."""
    return Refused("This file's content is damaged or incomplete. Ask for it again.")


class Models:
    """Tables made ready for the coder."""

    def __init__(self, tables: Sequence[np.ndarray]) -> None:
        self.sizes = np.array([len(each) for each in tables])
        self.reaches = (self.sizes - 2) // 2
        self.bits = [np.log2((1 << 24) / each) for each in tables]
        self.models = [_model(each) for each in tables]
        self.byte = _model(PAIR)


class Writer:
    """Collects rounds of values; ``finish`` turns them into bytes. ``bits`` adds up what they should take."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self.pieces: list[tuple[np.ndarray, stream.model.Categorical]] = []
        self.bits = 0.0

    def tell(self, values: np.ndarray, classes: np.ndarray) -> None:
        """Values, flat int64, class by class; then those that their tables do not reach, in two bytes each."""
        most = self.models.reaches[classes]
        out = np.abs(values) > most
        places = np.where(out, 2 * most + 1, values + most).astype(np.int32)
        order = np.argsort(classes, kind="stable")
        for kind, piece in zip(*_runs(classes[order], places[order]), strict=True):
            self.pieces.append((piece, self.models.models[kind]))
            self.bits += float(self.models.bits[kind][piece].sum())
        if out.any():
            far = values[order][out[order]]
            codes = 2 * (np.abs(far) - most[order][out[order]] - 1) + (far < 0)
            self.pieces.append((np.stack([codes >> 8, codes & 255], 1).astype(np.int32).ravel(), self.models.byte))
            self.bits += 16 * len(far)

    def finish(self) -> bytes:
        """The stream: 32-bit words, least byte first, without the zeros at the end."""
        coder = stream.stack.AnsCoder()
        for piece, model in reversed(self.pieces):
            coder.encode_reverse(piece, model)
        return coder.get_compressed().astype("<u4").tobytes().rstrip(b"\0")


class Reader:
    """Gives values back, round by round, if it is told the same classes."""

    def __init__(self, models: Models, content: bytes) -> None:
        self.models = models
        if content.endswith(b"\0"):
            raise damaged()
        padded = content + bytes(-len(content) % 4)
        self.coder = stream.stack.AnsCoder(np.frombuffer(padded, dtype="<u4").astype(np.uint32))

    def ask(self, classes: np.ndarray) -> np.ndarray:
        """The values of classes, flat, as int64."""
        order = np.argsort(classes, kind="stable")
        most = self.models.reaches[classes[order]]
        told = np.empty(len(classes), dtype=np.int64)
        at = 0
        kinds, counts = np.unique(classes, return_counts=True)
        for kind, count in zip(kinds, counts, strict=True):
            told[at : at + count] = self.coder.decode(self.models.models[kind], int(count))
            at += count
        values = told - most
        out = told == 2 * most + 1
        if out.any():
            pairs = self.coder.decode(self.models.byte, 2 * int(out.sum())).reshape(-1, 2).astype(np.int64)
            codes = pairs[:, 0] << 8 | pairs[:, 1]
            values[out] = ((codes >> 1) + most[out] + 1) * np.where(codes & 1, -1, 1)
        result = np.empty_like(values)
        result[order] = values
        return result

    def finish(self) -> None:
        """``Refused`` if anything is left, since nothing that was written would leave it."""
        if not self.coder.is_empty():
            raise damaged()


def _model(table: np.ndarray) -> stream.model.Categorical:
    """The coder adds 1 to each share and scales the others to 2^24 less their number: these sum to just that, so nothing is rounded."""
    return stream.model.Categorical((table - 1).astype(np.float64), perfect=False)


def _runs(kinds: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Sorted kinds to each kind once, and the values of each."""
    found, starts = np.unique(kinds, return_index=True)
    return found, np.split(values, starts[1:]) if len(found) else []
