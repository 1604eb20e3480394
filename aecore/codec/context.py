"""Guesses each value of a code from those already known: in which order they are told, and how far off the guess may be."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

GROUPS = (16, 32, 64, 144)
"""Channels of the code, told one group after another, strongest first."""
LAST = ((0, 1), (1, 0))
"""The phases that every group ends with."""
LOG2 = math.log(2)
LEAST_SCALE, MOST_SCALE = -4.0, 7.0  # log2 of a logistic distribution's scale, in steps of quantisation


@dataclass(frozen=True)
class Pass:
    """One round of telling: channels ``start`` to ``stop`` at the positions of ``phases``, knowing ``seen`` channels.

    A phase is a position's (row mod 2, column mod 2). Of the group itself other phases are known if ``seen`` is ``stop``.
    """

    start: int
    stop: int
    seen: int
    phases: tuple[tuple[int, int], ...]


def passes(groups: tuple[int, ...] = GROUPS) -> tuple[Pass, ...]:
    """The strongest group in three rounds, each filling the gaps of a coarser grid, the others in two, as on a chessboard.

    Source: He et al. (2021), https://arxiv.org/abs/2103.15306 (chessboard), and (2022), https://arxiv.org/abs/2203.10886 (uneven groups).
    """
    rounds = []
    start = 0
    for size in groups:
        stop = start + size
        opening = [((0, 0),), ((1, 1),)] if start == 0 else [((0, 0), (1, 1))]
        for turn, phases in enumerate((*opening, LAST)):
            rounds.append(Pass(start, stop, stop if turn else start, phases))
        start = stop
    return tuple(rounds)


def features(values: Tensor) -> Tensor:
    """Known values ``(B, C, h, w)`` to what the guess looks at ``(B, 2C, h, w)``: themselves, and their size, which grows like a root."""
    return torch.cat([values / 16, (1 + values.abs()).sqrt() - 1], 1)


class Guess(nn.Module):
    """The network of one round: known values to a mean and the log2 of a scale for each value that comes next.

    Small and plain, because it is evaluated in whole numbers when a file is written or read: a convolution over a position
    and its eight neighbours, two layers at each position, and for the mean a filter on the same channel's neighbours.
    """

    def __init__(self, turn: Pass, levels: int, width: int) -> None:
        super().__init__()
        self.turn = turn
        size = turn.stop - turn.start
        self.first = nn.Conv2d(2 * turn.seen + levels, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 1)
        self.last = nn.Conv2d(width, 2 * size, 1)
        self.near = nn.Conv2d(size, size, 3, padding=1, groups=size, bias=False) if turn.seen == turn.stop else None

    def forward(self, seen: Tensor, own: Tensor | None) -> tuple[Tensor, Tensor]:
        """Features and quality ``(B, 2 seen + levels, h, w)``, and the group's own values, 0 where not yet told, to mean and log2 scale."""
        hidden = functional.relu(self.second(functional.relu(self.first(seen))))
        mean, scale = self.last(hidden).float().chunk(2, 1)
        if self.near is not None and own is not None:
            mean = mean + self.near(own).float()
        return mean, scale.clamp(LEAST_SCALE, MOST_SCALE)


class Context(nn.Module):
    """All rounds. Forward tells a whole code as a file would and says what each value costs, with gradients."""

    def __init__(self, levels: int, groups: tuple[int, ...] = GROUPS, width: int = 64) -> None:
        super().__init__()
        self.guesses = nn.ModuleList(Guess(turn, levels, width) for turn in passes(groups))

    def forward(self, code: Tensor, quality: Tensor, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        """Scaled code ``(B, C, h, w)`` to its quantised copy, gradients as if it were not, and the bits ``(B,)`` that it takes.

        ``quality`` is ``(B, levels)``; ``noise`` in [-0.5, 0.5] takes the place of rounding where the bits are counted.
        Source: Minnen and Singh (2020), https://arxiv.org/abs/2007.08739 (rounding and noise side by side).
        """
        planes = quality[:, :, None, None].expand(-1, -1, *code.shape[2:])
        known: list[Tensor] = []
        means: list[Tensor] = []
        scales: list[Tensor] = []
        seen: list[Tensor] = []
        for guess in self.guesses:
            turn: Pass = guess.turn  # type: ignore[assignment]
            told = code[:, turn.start : turn.stop]
            here = phase_mask(turn, code)
            own = known[-1] if turn.seen == turn.stop else None
            mean, scale = guess(torch.cat([*seen, *([] if own is None else [features(own)]), planes], 1), own)
            error = told - mean
            rounded = (told + (error.detach().round() - error.detach())) * here
            for each, value in ((known, rounded), (means, mean * here), (scales, scale * here)):
                if own is None:
                    each.append(value)
                else:
                    each[-1] = each[-1] + value
            if turn.phases == LAST:
                seen.append(features(known[-1]))
        told = torch.cat(known, 1)
        bits = cost((told if noise is None else code + noise) - torch.cat(means, 1), torch.cat(scales, 1)).sum((1, 2, 3))
        return told, bits


def phase_mask(turn: Pass, code: Tensor) -> Tensor:
    """1 at the positions of a round ``(h, w)``, 0 elsewhere."""
    mask = code.new_zeros(code.shape[2:])
    for row, column in turn.phases:
        mask[row::2, column::2] = 1
    return mask


def cost(error: Tensor, scale: Tensor) -> Tensor:
    """Bits of a value that is ``error`` from its mean, under a logistic distribution of log2 scale ``scale``, rounded to whole steps."""
    width = torch.exp(-LOG2 * scale)
    distance = error.abs()
    upper, lower = (0.5 - distance) * width, (-0.5 - distance) * width
    # sigmoid(upper) - sigmoid(lower), kept from vanishing far out: there it is nearly exp(upper) * (1 - exp(-width))
    log = functional.logsigmoid(upper) + functional.logsigmoid(-lower) + torch.log1p(-torch.exp(-width))
    return -log / LOG2
