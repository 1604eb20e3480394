"""Small convolutional networks, and a close look at eyes and mouth: most of an expression is in few of a frame's pixels."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

RIGID = (14, 15, 18, 19, 22, 23, 24, 25)
"""Those of the 30 landmarks that expressions hardly move: corners of the eyes, nose."""
PLACES = {"eyes": (-0.16, 0.56), "mouth": (0.4, 0.42)}
"""The middle's height and half the width, in the coordinates of the average frame, -1 to 1 over its sides."""


class Residual(nn.Module):
    """Two 3x3 convolutions whose result is added to what went in; shape kept."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to the same."""
        return x + self.second(functional.relu(self.first(functional.relu(x))))


class Look(nn.Module):
    """Pictures ``(B, 3, height, width)`` to ``(B, outputs)``: folded by ``fold``, then halved twice, then dense."""

    def __init__(self, fold: int, height: int, width: int, widths: tuple[int, int, int], outputs: int) -> None:
        super().__init__()
        first, middle, last = widths
        self.fold = nn.PixelUnshuffle(fold)
        self.first = nn.Conv2d(3 * fold**2, first, 3, padding=1)
        self.body = nn.Sequential(
            Residual(first),
            nn.Conv2d(first, middle, 2, stride=2),
            Residual(middle),
            nn.Conv2d(middle, last, 2, stride=2),
            Residual(last),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.last = nn.Linear(last * (height // fold // 4) * (width // fold // 4), outputs)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, 3, height, width)`` to ``(B, outputs)``."""
        return self.last(self.body(self.first(self.fold(x))))


class Closeup(nn.Module):
    """Eyes and mouth, cut out upright and to one size by the landmarks that stay where they are, each seen by a network of its own."""

    def __init__(self, eyes: tuple[int, int], mouth: tuple[int, int], widths: tuple[int, int, int], outputs: int) -> None:
        super().__init__()
        self.sides = {"eyes": eyes, "mouth": mouth}
        self.parts = nn.ModuleDict({name: Look(2, *sides, widths, 64) for name, sides in self.sides.items()})
        self.last = nn.Linear(64 * len(self.sides), outputs)

    def forward(self, frames: Tensor, landmarks: Tensor, usual: Tensor) -> Tensor:
        """Frames ``(B, 3, S, S)``, their landmarks ``(B, 30, 2)`` and the average's ``(30, 2)``, -1 to 1 over a frame, to ``(B, outputs)``."""
        seen = [part(self.cut(frames, landmarks, usual, name)) for name, part in self.parts.items()]
        return self.last(functional.relu(torch.cat(seen, 1)))

    def cut(self, frames: Tensor, landmarks: Tensor, usual: Tensor, name: str) -> Tensor:
        """The eyes or the mouth of each frame, ``(B, 3, height, width)``."""
        (height, width), (middle, half) = self.sides[name], PLACES[name]
        across, down = (torch.linspace(-half, half, side, device=frames.device) for side in (width, height))
        x, y = torch.meshgrid(across, down * height / width + middle, indexing="xy")
        turn, shift = similarity(usual[list(RIGID)], landmarks[:, list(RIGID)])
        places = turn[:, None, None] * torch.complex(x, y) + shift[:, None, None]
        return functional.grid_sample(frames.float(), torch.view_as_real(places), padding_mode="border", align_corners=False)


def similarity(points: Tensor, goal: Tensor) -> tuple[Tensor, Tensor]:
    """Turn and scale, and shift, as complex numbers ``(B,)``, that bring ``(K, 2)`` nearest to each of ``(B, K, 2)``, by least squares."""
    w, z = torch.view_as_complex(points.float().contiguous()), torch.view_as_complex(goal.float().contiguous())
    middle, centre = w.mean(), z.mean(1)
    turn = ((w - middle).conj() * (z - centre[:, None])).sum(1) / (w - middle).abs().square().sum()
    return turn, centre - turn * middle


def ends(network: nn.Module) -> Iterator[Tensor]:
    """The weights of each part's first and last layers, which an optimiser may treat apart; a block has a first layer of its own."""
    for module in network.modules():
        if not isinstance(module, Residual):
            for name, child in module.named_children():
                if name in ("first", "last") and isinstance(child, nn.Conv2d | nn.Linear):
                    yield child.weight


def initialise(network: nn.Module, rng: torch.Generator) -> None:
    """Draw all weights from ``rng``; the second convolution of each block and the last layers begin small."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=rng)
            module.weight.data.mul_({"second": 0.1, "last": 0.5}.get(name.split(".")[-1], 1.0))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
