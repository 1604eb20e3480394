"""One tile of a photograph's code, to a stream of bytes and back: both walk the same rounds."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from aecore.codec.entropy import Models, Reader, Writer
from aecore.codec.integers import LEVEL_STEPS, UNIT, Rounds, roots
from aecore.codec.photo import LEVELS
from aecore.codec.tables import LARGEST

THRESHOLD = 0.55
"""From where on a value is rounded away from its mean: a little late, since what lies near the mean costs least."""
Ask = Callable[[slice, tuple[int, int], Tensor, Tensor], Tensor]


@torch.no_grad()
def write(rounds: Rounds, models: Models, code: Tensor, quality: int) -> tuple[bytes, float]:
    """A scaled code ``(C, h, w)`` to its stream, and the bits that the tables promise."""
    writer = Writer(models)

    def tell(channels: slice, phase: tuple[int, int], mean: Tensor, classes: Tensor) -> Tensor:
        error = code[channels, phase[0] :: 2, phase[1] :: 2].double() - mean / UNIT
        values = rounded(error)
        writer.tell(values.numpy().ravel(), classes.numpy().ravel())
        return values

    walk(rounds, code.shape[1], code.shape[2], quality, tell)
    return writer.finish(), writer.bits


@torch.no_grad()
def read(rounds: Rounds, models: Models, stream: bytes, height: int, width: int, quality: int) -> Tensor:
    """The code in 1/64, int32 ``(C, h, w)``, of a stream; ``Refused`` if it ends too soon or too late."""
    reader = Reader(models, stream)

    def ask(channels: slice, phase: tuple[int, int], mean: Tensor, classes: Tensor) -> Tensor:
        return torch.from_numpy(reader.ask(classes.numpy().ravel())).view(mean.shape)

    code = walk(rounds, height, width, quality, ask)
    reader.finish()
    return code


def walk(rounds: Rounds, height: int, width: int, quality: int, ask: Ask) -> Tensor:
    """Go through all rounds; ``ask`` gives the quantised values for means and classes. Returns the code in 1/64, int32 ``(C, h, w)``."""
    frame = (1, 1, 1, 1)
    shares = (LEVEL_STEPS - (quality - LEVEL_STEPS * torch.arange(LEVELS)).abs()).clamp_min(0).double()
    planes = torch.nn.functional.pad(shares[:, None, None].expand(-1, height, width), frame)[None]
    seen: list[Tensor] = []
    told: list[Tensor] = []
    for each in rounds.rounds:
        turn = each.turn
        start: int = turn.start  # type: ignore[assignment, union-attr]
        stop: int = turn.stop  # type: ignore[assignment, union-attr]
        first = turn.seen == start  # type: ignore[union-attr]
        if first:
            told.append(torch.zeros(1, stop - start, height + 2, width + 2, dtype=torch.float64))
        own = told[-1]
        inputs = torch.cat([*seen, *([] if first else [own, roots(own)]), planes], 1)
        found = []
        for phase in turn.phases:  # type: ignore[union-attr]
            if phase[0] < height and phase[1] < width:
                mean, classes = each(inputs, None if first else own, phase)
                found.append((phase, ask(slice(start, stop), phase, mean, classes) * UNIT + mean))
        for (row, column), values in found:
            own[0, :, 1 + row : 1 + height : 2, 1 + column : 1 + width : 2] = values.double()
        if not first and (1, 0) in turn.phases:  # type: ignore[union-attr]
            seen += [own, roots(own)]
    return torch.cat(told, 1)[0, :, 1:-1, 1:-1].to(torch.int32)


def rounded(error: Tensor) -> Tensor:
    """Distances from the mean to whole steps, int64."""
    return (error.sign() * (error.abs() + (1 - THRESHOLD)).floor()).clamp(-LARGEST, LARGEST).long()


def counts(sizes: np.ndarray, values: np.ndarray, classes: np.ndarray) -> list[np.ndarray]:
    """How often each place of each class's table was met; ``sizes`` are the tables'."""
    reaches = (sizes - 2) // 2
    most = reaches[classes]
    places = np.where(np.abs(values) > most, 2 * most + 1, values + most)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    met = np.bincount(offsets[classes] + places, minlength=offsets[-1])
    return np.split(met, offsets[1:-1])
