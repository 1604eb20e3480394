"""The context model in whole numbers: the same on every machine, because nothing in it is ever rounded by the processor's choice.

Whole numbers are held in float64, which is exact for them up to 2^53; limits on weights, inputs and layers keep every sum
below that, whatever the order in which it is added up. Values and layers count in 1/64, weights in 1/16384.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from aecore.codec.context import GROUPS, LEAST_SCALE, MOST_SCALE, Context, Guess, Pass, passes

UNIT = 64
"""Of values, layers, means and scales."""
WEIGHT = 1 << 14
"""Unit of the weights."""
CLASSES = 64
"""Of scales, even steps of their logarithm."""
LEVEL_STEPS = 20
"""Steps of quality between two levels."""
MOST = 1 << 20
"""Largest size of a value or a layer's output, in 1/64."""
MOST_WEIGHT = 1 << 18


class Round(nn.Module):
    """One round's network in whole numbers, as int32 buffers; see :class:`aecore.codec.context.Guess` for its float original."""

    def __init__(self, turn: Pass, levels: int, width: int) -> None:
        super().__init__()
        self.turn = turn
        size = turn.stop - turn.start
        shapes = {"first": (width, 2 * turn.seen + levels, 3, 3), "second": (width, width, 1, 1), "last": (2 * size, width, 1, 1)}
        for name, shape in shapes.items():
            self.register_buffer(f"{name}_weight", torch.zeros(shape, dtype=torch.int32))
            self.register_buffer(f"{name}_bias", torch.zeros(shape[0], dtype=torch.int32))
        if turn.seen == turn.stop:
            self.register_buffer("near_weight", torch.zeros(size, 1, 3, 3, dtype=torch.int32))

    def freeze(self, guess: Guess) -> None:
        """Take over a learnt network, each weight to the nearest 1/16384."""
        scales: list[float] = []  # of the inputs: values count in 1/64 here and in 16 there, shares of quality in 1/20
        for size in _sizes(self.turn.seen):
            scales += [1 / 16] * size + [1.0] * size
        first = guess.first.weight.detach().double()
        scales += [UNIT / LEVEL_STEPS] * (first.shape[1] - len(scales))
        first = first * torch.tensor(scales, dtype=torch.float64)[:, None, None]
        for name, weight, bias in (
            ("first", first, guess.first.bias),
            ("second", guess.second.weight, guess.second.bias),
            ("last", guess.last.weight, guess.last.bias),
        ):
            self.get_buffer(f"{name}_weight").copy_(_whole(weight))
            assert bias is not None
            self.get_buffer(f"{name}_bias").copy_((bias.detach().double() * UNIT * WEIGHT).round().clamp(-(2**30), 2**30).int())
        if guess.near is not None:
            self.get_buffer("near_weight").copy_(_whole(guess.near.weight))

    def forward(self, inputs: Tensor, own: Tensor | None, phase: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Means in 1/64 and classes of scale ``(size, h', w')`` at the positions of one phase.

        ``inputs`` ``(1, 2 seen + levels, h + 2, w + 2)`` and ``own`` are whole numbers in float64 with a frame of zeros.
        """
        row, column = phase
        weights = {name: value.double() for name, value in self.named_buffers()}
        hidden = inputs[:, :, row:, column:]
        for name, stride in (("first", 2), ("second", 1)):
            hidden = _layer(hidden, weights[f"{name}_weight"], weights[f"{name}_bias"], stride).clamp_(0, MOST)
        mean, scale = _layer(hidden, weights["last_weight"], weights["last_bias"])[0].chunk(2)
        if own is not None:
            near = functional.conv2d(own[:, :, row:, column:], weights["near_weight"], stride=2, groups=own.shape[1])
            mean = mean + (near / WEIGHT).floor_()[0]
        classes = ((scale - LEAST_SCALE * UNIT) * CLASSES / ((MOST_SCALE - LEAST_SCALE) * UNIT)).floor().clamp(0, CLASSES - 1)
        return mean.clamp(-MOST // 2, MOST // 2).long(), classes.to(torch.uint8)


class Rounds(nn.Module):
    """All rounds in whole numbers."""

    def __init__(self, levels: int, groups: tuple[int, ...] = GROUPS, width: int = 64) -> None:
        super().__init__()
        self.rounds = nn.ModuleList(Round(turn, levels, width) for turn in passes(groups))

    def fits(self) -> bool:
        """Whether no weight is so large that a sum might not be exact."""
        return all(bool((value.abs() < MOST_WEIGHT).all()) for name, value in self.named_buffers() if name.endswith("weight"))

    def freeze(self, context: Context) -> None:
        """Take over what was learnt."""
        for mine, guess in zip(self.rounds, context.guesses, strict=True):
            mine.freeze(guess)  # type: ignore[operator, arg-type]


def roots(values: Tensor) -> Tensor:
    """``floor(sqrt(4096 + 64 |y|)) - 64`` of whole numbers in float64: 64 times sqrt(1 + |y| / 64) - 1. IEEE 754 demands exact roots."""
    return (values.abs() * UNIT + UNIT * UNIT).sqrt().floor() - UNIT


def _whole(weight: Tensor) -> Tensor:
    return (weight.detach().double() * WEIGHT).round().clamp(1 - MOST_WEIGHT, MOST_WEIGHT - 1).int()


def _layer(x: Tensor, weight: Tensor, bias: Tensor, stride: int = 1) -> Tensor:
    """Weighted sums, shifted right by 14 bits."""
    return (functional.conv2d(x, weight, bias, stride=stride) / WEIGHT).floor_()


def _sizes(seen: int) -> list[int]:
    """Sizes of the groups that ``seen`` channels are made of."""
    return [size for place, size in enumerate(GROUPS) if sum(GROUPS[: place + 1]) <= seen]
