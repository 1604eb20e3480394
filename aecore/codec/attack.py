"""Why a code is no cipher: an eavesdropper who knows some pictures and their codes learns a decoder of their own.

They have N pictures and the whole numbers that these pictures' files hold. They lack the decoder, and how the numbers came about.
That they can read the numbers is granted, as everything but the key usually is (Kerckhoffs, 1883,
https://www.petitcolas.net/kerckhoffs/crypto_militaire_1.pdf): the format is public, and the tables that it needs are no key.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.nn import functional

from aecore.codec.fixed import FixedEncoder
from aecore.codec.tables import LARGEST
from aecore.metrics import ssim
from aecore.nn import start

STEPS, BATCH, RATE = 600, 64, 4e-3
LOOKS = 30
"""How often the thief's progress is looked at."""
DITHER = 0.3
"""Standard deviation of noise on the numbers that are learnt from, in steps: rounding has hidden as much."""
WIDTHS = (32, 24)
"""Channels at a quarter of the picture's sides, and at half."""


@dataclass(frozen=True, eq=False)
class Look:
    """The thief at one moment: ``share`` of the steps done, training ``loss``, what they see of the secrets, and its mean SSIM."""

    share: float
    loss: float
    pictures: Tensor
    ssim: float


class Thief(nn.Module):
    """A decoder guessed from outside: numbers ``(B, n)`` to logits of pictures ``(B, C, H, W)``, whose sides are multiples of four."""

    def __init__(self, numbers: Tensor, shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, height, width = shape
        wide, narrow = WIDTHS
        self.register_buffer("mean", numbers.mean(0))
        self.register_buffer("spread", (numbers - numbers.mean(0)).square().mean().sqrt().clamp_min(1))
        self.layers = nn.Sequential(
            nn.Linear(numbers.shape[1], wide * (height // 4) * (width // 4)),
            nn.Unflatten(1, (wide, height // 4, width // 4)),
            nn.SiLU(),
            nn.Conv2d(wide, 4 * narrow, 3, padding=1),
            nn.PixelShuffle(2),
            nn.SiLU(),
            nn.Conv2d(narrow, 4 * channels, 3, padding=1),
            nn.PixelShuffle(2),
        )

    def forward(self, numbers: Tensor) -> Tensor:
        """What the numbers mean, by what was learnt so far."""
        return self.layers((numbers - self.get_buffer("mean")) / self.get_buffer("spread"))

    @torch.no_grad()
    def reveal(self, numbers: Tensor) -> Tensor:
        """Numbers ``(B, n)`` to pictures in [0, 1]."""
        return torch.cat([self(each).sigmoid() for each in numbers.split(500)])


def learn(numbers: Tensor, pictures: Tensor, secrets: Tensor, truth: Tensor, steps: int = STEPS, seed: int = 0) -> Iterator[Look]:
    """Teach a thief N known pairs, ``(N, n)`` and ``(N, C, H, W)`` in [0, 1]; now and then they look at the secrets ``(M, n)``.

    ``truth`` ``(M, C, H, W)`` only judges what they see. The loss is cross-entropy in nats per pixel, which makes black quite black;
    Adam's rate stays level and falls in the second half. All randomness comes from ``seed``.
    """
    rng = torch.Generator().manual_seed(seed)
    thief = Thief(numbers, (truth.shape[1], truth.shape[2], truth.shape[3]))
    start.uniform(thief, torch.Generator().manual_seed(seed))
    optimiser = torch.optim.Adam(thief.parameters(), RATE)
    for step in range(1, steps + 1):
        optimiser.param_groups[0]["lr"] = RATE * min(1.0, 2 - 2 * (step - 1) / steps)
        chosen = torch.randint(len(numbers), (BATCH,), generator=rng)
        noisy = numbers[chosen] + DITHER * torch.randn(BATCH, numbers.shape[1], generator=rng)
        loss = functional.binary_cross_entropy_with_logits(thief(noisy), pictures[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % max(1, steps // LOOKS) == 0 or step == steps:
            seen = thief.reveal(secrets)
            yield Look(step / steps, loss.item(), seen, likeness(seen, truth))


@torch.no_grad()
def numbers_of(encoder: FixedEncoder, pictures: Tensor) -> Tensor:
    """The whole numbers that the files of pictures ``(N, C, H, W)`` uint8 hold, as float32 ``(N, n)``."""
    codes = torch.cat([encoder.network(each.float() / 255).flatten(1) for each in pictures.split(500)]).double()
    return (codes / encoder.scale.step).round().clamp(-LARGEST, LARGEST).float()


def likeness(pictures: Tensor, truth: Tensor) -> float:
    """Mean SSIM of pictures ``(N, C, H, W)`` in [0, 1]."""
    return ssim(pictures.flatten(0, 1), truth.flatten(0, 1))


def distances(numbers: Tensor, pictures: Tensor, pairs: int, seed: int = 0) -> tuple[Tensor, Tensor, float]:
    """How far apart two codes and two pictures are, ``(pairs,)`` each, for pairs drawn from a seed; and their rank correlation.

    Euclidean distances, of numbers in steps and of pixels in [0, 1]. Source: Spearman (1904), https://doi.org/10.2307/1412159.
    """
    rng = torch.Generator().manual_seed(seed)
    first = torch.randint(len(numbers), (pairs,), generator=rng)
    second = (first + torch.randint(1, len(numbers), (pairs,), generator=rng)) % len(numbers)
    codes, pixels = ((each[first] - each[second]).flatten(1).norm(dim=1) for each in (numbers, pictures))
    return codes, pixels, float(spearmanr(codes, pixels).statistic)  # type: ignore[attr-defined]


def nearest(secrets: Tensor, known: Tensor) -> Tensor:
    """For each secret code ``(M, n)`` the place of the closest of the known ones ``(N, n)``."""
    return torch.cdist(secrets, known).argmin(1)
