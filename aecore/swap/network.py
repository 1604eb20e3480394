"""Autoencoders of faces that can be cut and joined: any encoder's code fits any decoder, though it need not mean the same."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from aecore.refusal import Refused
from aecore.swap.closeup import Closeup, Residual

GRID = 16
"""Sides of the map that a picture is folded into before any convolution."""
WIDTHS = (64, 96, 128)
BLOCKS = (2, 2, 1)
TRUNK = 256
POINTS = 30
"""Landmarks of a frame of the built-in people."""


class Encoder(nn.Module):
    """A picture to a dense code.

    Space is folded into channels until 16 x 16 places are left, so that a picture of 128 pixels costs hardly more than one of 64.
    """

    def __init__(self, size: int, code: int, landmarks: int) -> None:
        super().__init__()
        top, middle, bottom = WIDTHS
        self.fold = nn.PixelUnshuffle(_fold(size))
        self.first = nn.Conv2d(3 * _fold(size) ** 2, top, 3, padding=1)
        self.body = nn.Sequential(
            *_blocks(top, BLOCKS[0]),
            nn.Conv2d(top, middle, 2, stride=2),
            *_blocks(middle, BLOCKS[1]),
            nn.Conv2d(middle, bottom, 2, stride=2),
            *_blocks(bottom, BLOCKS[2]),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.last = nn.Linear(bottom * (GRID // 4) ** 2, code)
        close = landmarks == POINTS and code > 2 * POINTS
        self.close = Closeup((16, 40), (32, 32), (40, 56, 72), code - 2 * POINTS) if close else None
        """What a close look at eyes and mouth adds to the code after its landmarks."""

    def forward(self, x: Tensor) -> Tensor:
        """``(B, 3, size, size)``, colours normalised, to codes ``(B, code)``, as seen from afar."""
        return self.last(self.body(self.first(self.fold(x))))


class Body(nn.Module):
    """What decoders may share: a code to a map of features, and that map, spread by a person's own layer, to 16 x 16 places."""

    def __init__(self, code: int) -> None:
        super().__init__()
        top, middle, bottom = WIDTHS
        self.trunk = nn.Sequential(nn.Linear(code, TRUNK), nn.ReLU(), nn.Linear(TRUNK, TRUNK), nn.ReLU())
        self.body = nn.Sequential(
            nn.Unflatten(1, (bottom, GRID // 4, GRID // 4)),
            *_blocks(bottom, BLOCKS[2]),
            *_enlarge(bottom, middle),
            *_blocks(middle, BLOCKS[1]),
            *_enlarge(middle, top),
            *_blocks(top, BLOCKS[0]),
            nn.ReLU(),
        )


class Decoder(nn.Module):
    """A person's own part of drawing: where a code's features go on the face, and what colours they have."""

    def __init__(self, size: int) -> None:
        super().__init__()
        top, _, bottom = WIDTHS
        self.first = nn.Linear(TRUNK, bottom * (GRID // 4) ** 2)
        self.last = nn.Conv2d(top, 3 * _fold(size) ** 2, 3, padding=1)
        self.unfold = nn.PixelShuffle(_fold(size))

    def forward(self, code: Tensor, body: Body) -> Tensor:
        """Codes ``(B, code)`` to ``(B, 3, size, size)``, colours normalised."""
        return self.unfold(self.last(body.body(self.first(body.trunk(code)))))


class Swapper(nn.Module):
    """An encoder shared by all people and a decoder for each, whose middle is shared too: a code means the same for everybody.

    Each person's colours are normalised by ``means`` and ``deviations`` ``(P, 3)`` of that person's face, or the encoder could not
    tell dark skin in good light from light skin in dim light. A code may begin with where ``landmarks`` points are, each from the
    person's usual place in units of its deviation: ``usual`` and ``spread``, ``(P, landmarks, 2)``, in -1 to 1 over a frame.
    Sources: the face swapping software of 2017 as its successors describe it, and the shared middle of its variant LIAE,
    https://arxiv.org/abs/2005.05535 (Perov et al., 2020).
    """

    def __init__(self, people: Sequence[str], size: int, code: int, landmarks: int = 0) -> None:
        super().__init__()
        if code < 2 * landmarks:
            raise Refused(
                "A code of {code} numbers cannot tell {count} landmarks. Choose {least} or more.",
                code=code,
                count=landmarks,
                least=2 * landmarks,
            )
        self.size, self.people = size, tuple(people)
        groups = dict.fromkeys(map(self.group, people))
        self.encoders = nn.ModuleDict({name: Encoder(size, code, landmarks) for name in groups})
        self.bodies = nn.ModuleDict({name: Body(code) for name in groups})
        self.decoders = nn.ModuleDict({name: Decoder(size) for name in people})
        self.register_buffer("means", torch.full((len(people), 3), 0.5))
        self.register_buffer("deviations", torch.full((len(people), 3), 0.25))
        self.register_buffer("usual", torch.zeros(len(people), landmarks, 2))
        self.register_buffer("spread", torch.ones(len(people), landmarks, 2))
        self.means: Tensor
        self.deviations: Tensor
        self.usual: Tensor
        self.spread: Tensor

    def group(self, person: str) -> str:
        """Whom a person shares an encoder and the middle of the decoder with."""
        return "everybody"

    def encoder(self, person: str) -> Encoder:
        """The encoder that reads this person's face."""
        return cast(Encoder, self.encoders[self.group(person)])

    def encode(self, pictures: Tensor, person: str) -> Tensor:
        """Pictures of ``person``, ``(B, 3, size, size)`` in [0, 1], to codes ``(B, code)``; ``Refused`` for somebody unknown."""
        seen, encoder = self.normalised(pictures, person), self.encoder(person)
        code = encoder(seen).float()
        if encoder.close is None:
            return code
        more = encoder.close(seen, self.landmarks(code, person).detach(), self.usual.mean(0)).float()
        return code + functional.pad(more, (2 * POINTS, 0))

    def landmarks(self, code: Tensor, person: str) -> Tensor:
        """Where a code says that the landmarks are, ``(B, landmarks, 2)``, in -1 to 1 over a frame."""
        usual, spread = self.usual[self._place(person)], self.spread[self._place(person)]
        return usual + spread * code[:, : usual.numel()].unflatten(1, tuple(usual.shape))

    def decode(self, code: Tensor, person: str) -> Tensor:
        """Codes to pictures of ``person`` in [0, 1], not cut."""
        mean, deviation = self.colours(person)
        return self.decoders[person](code, self.bodies[self.group(person)]).float() * deviation + mean

    def normalised(self, pictures: Tensor, person: str) -> Tensor:
        """Pictures in [0, 1] with this person's mean colour taken off, in units of its deviation."""
        mean, deviation = self.colours(person)
        return (pictures - mean) / deviation

    def colours(self, person: str) -> tuple[Tensor, Tensor]:
        """Mean and deviation of a person's face, ``(3, 1, 1)`` each; ``Refused`` for somebody unknown."""
        place = self._place(person)
        return self.means[place, :, None, None], self.deviations[place, :, None, None]

    def _place(self, person: str) -> int:
        if person not in self.people:
            raise Refused(
                "This model knows nobody called {name}. Choose one of: {choices}.", name=person[:60], choices=", ".join(self.people)
            )
        return self.people.index(person)


class Separate(Swapper):
    """An encoder and a decoder for each person that have never met: joined crosswise, no code means what the other half thinks."""

    def group(self, person: str) -> str:
        """Nobody shares anything."""
        return person


def _fold(size: int) -> int:
    if size % GRID or not 32 <= size <= 256:
        raise Refused("Faces cannot be {size} pixels wide here. Choose a multiple of {step} from 32 to 256.", size=size, step=GRID)
    return size // GRID


def _blocks(channels: int, count: int) -> list[nn.Module]:
    return [Residual(channels) for _ in range(count)]


def _enlarge(inputs: int, outputs: int) -> list[nn.Module]:
    """Twice the sides, by convolving to four times the channels and unfolding them."""
    return [nn.Conv2d(inputs, 4 * outputs, 1), nn.PixelShuffle(2)]
