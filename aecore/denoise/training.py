"""Teaches a denoiser, on photographs or whatever else gives batches. A run goes on from its checkpoint to the same numbers."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.nn import functional

from aecore.denoise.network import PhotoDenoiser
from aecore.denoise.noise import damage
from aecore.knobs import Config, knob
from aecore.metrics import psnr
from aecore.training.checkpoint import Progress, moments, pack, restore_moments, unpack
from aecore.training.muon import Muon

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
HELD_OUT = 8
SIGMAS = (15, 25, 50)  # grey levels
MEMORY = 0.999  # of the running mean of the weights, which is what is kept
CLIP = 0.5
TINY = 1e-6
DECAY = 0.5  # the share of the steps at whose end the rate falls
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Pace(Config):
    """The knobs that every run has."""

    steps: int = knob(16_000, 1, 1_000_000, log=True, label="Steps", help="How many batches are learnt from.")
    batch: int = knob(8, 1, 256, log=True, label="Batch size", help="Patches per step.")
    rate: float = knob(1e-3, 1e-6, 1e-1, log=True, label="Learning rate", help="The largest step size of the optimiser.")
    seed: int = knob(0, 0, 2**31 - 1, label="Seed", help="Where all randomness starts. Same seed, same numbers.")


@dataclass(frozen=True)
class Plan(Pace):
    """The knobs of a run on photographs."""

    patch: int = knob(96, 32, 256, label="Patch", help="Sides of a patch in pixels.")


class Subject(Protocol[Network]):
    """What is taught: a network not yet taught, batches to learn from, and figures of what has been learnt."""

    @property
    def plan(self) -> Pace:
        """How long and how fast."""
        ...

    def network(self) -> Network:
        """An untaught network, its weights drawn from the plan's seed."""
        ...

    def batch(self, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """What goes in, noisy, and what should come out."""
        ...

    def measure(self, model: Network) -> dict[str, float]:
        """Figures in dB, by name, on what is never learnt from."""
        ...


class Lessons(Generic[Network]):
    """One run: a subject, and perhaps the checkpoint of an earlier part."""

    def __init__(self, subject: Subject[Network], checkpoint: bytes = b"", device: str = "cpu") -> None:
        self.subject = subject
        self.plan = subject.plan
        self.device = torch.device(device)
        self.model = subject.network()
        self.model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = self.choose()
        self.progress = Progress(best={name: value.clone() for name, value in self.model.state_dict().items()})
        if checkpoint:
            self._restore(checkpoint)

    def steps(self) -> Iterator[int]:
        """Learn; gives the number of each step that is done."""
        rng = torch.Generator()
        while self.progress.step < self.plan.steps:
            began = time.perf_counter()
            rng.manual_seed(self.plan.seed * 1_000_003 + self.progress.step)
            for group in self.optimiser.param_groups:
                group["lr"] = self.plan.rate * _pace(self.progress.step, self.plan.steps)
            loss = self.loss(rng)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
            self.optimiser.step()
            with torch.no_grad():
                for name, value in self.model.state_dict().items():
                    self.progress.best[name].lerp_(value, 1 - min(MEMORY, (self.progress.step + 1) / (self.progress.step + 10)))
            self.progress.step += 1
            self.progress.seconds += time.perf_counter() - began
            yield self.progress.step

    def begin(self, model: Network) -> None:
        """Take over another model's weights wherever shapes agree; what a network has only noted, its buffers, stays."""
        own, noted = self.model.state_dict(), dict(self.model.named_buffers())
        fits = {name: value for name, value in model.state_dict().items() if name in own and own[name].shape == value.shape}
        self.model.load_state_dict(own | {name: value for name, value in fits.items() if name not in noted})
        self.progress.best = {name: value.clone() for name, value in self.model.state_dict().items()}

    def choose(self) -> torch.optim.Optimizer:
        """What moves the weights."""
        return torch.optim.Adam(self.model.parameters(), lr=self.plan.rate, fused=True)

    def loss(self, rng: torch.Generator) -> Tensor:
        """Of one batch: the root of each item's mean squared error, averaged."""
        noisy, clean = (each.to(self.device) for each in self.subject.batch(rng))
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            output = self.model(noisy)
        axes = tuple(range(1, clean.ndim))
        return (functional.mse_loss(output.float(), clean, reduction="none").mean(axes) + TINY).sqrt().mean()

    def learnt(self) -> Network:
        """The denoiser with the running mean of the weights."""
        model = self.subject.network()
        model.load_state_dict({name: value.cpu() for name, value in self.progress.best.items()})
        return model.eval()

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """The subject's figures of what has been learnt."""
        return self.subject.measure(self.learnt())

    def checkpoint(self) -> bytes:
        """The run as it stands."""
        return pack(self.model.state_dict(), moments(self.model, self.optimiser), self.progress)

    def _restore(self, checkpoint: bytes) -> None:
        weights, optimiser, self.progress = unpack(checkpoint)
        self.model.load_state_dict(weights)
        restore_moments(self.model, self.optimiser, optimiser)


class Photos:
    """Photographs ``(3, H, W)`` uint8 in memory: eight are held out, the others give patches."""

    def __init__(self, photos: Sequence[Tensor], plan: Plan) -> None:
        self.plan = plan
        order = torch.randperm(len(photos), generator=torch.Generator().manual_seed(plan.seed)).tolist()
        self.held_out = [photos[place] for place in order[:HELD_OUT]]
        self.photos = [each for place in order[HELD_OUT:] if min((each := photos[place]).shape[1:]) >= plan.patch]
        self.sizes = torch.tensor([each.shape[1] * each.shape[2] for each in self.photos], dtype=torch.float32)

    def network(self) -> PhotoDenoiser:
        """An untaught denoiser, its weights drawn from the plan's seed."""
        model = PhotoDenoiser()
        model.initialise(torch.Generator().manual_seed(self.plan.seed))
        return model

    def batch(self, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Patches ``(batch, 3, patch, patch)`` in [0, 1]: noisy and clean."""
        noisy, clean = damage(self.patches(rng), rng)
        return noisy.contiguous(memory_format=torch.channels_last), clean.contiguous(memory_format=torch.channels_last)

    def patches(self, rng: torch.Generator) -> Tensor:
        """Patches ``(batch, 3, patch, patch)`` in [0, 1] from all over the photographs, turned and mirrored at random."""
        side = self.plan.patch
        patches = []
        for place in torch.multinomial(self.sizes, self.plan.batch, replacement=True, generator=rng).tolist():
            photo = self.photos[place]
            top, left, turns, mirror = (
                int(torch.randint(limit, (), generator=rng)) for limit in (photo.shape[1] - side + 1, photo.shape[2] - side + 1, 4, 2)
            )
            patch = photo[:, top : top + side, left : left + side].rot90(turns, (1, 2))
            patches.append(patch.flip(2) if mirror else patch)
        return (torch.stack(patches).float() / 255).contiguous(memory_format=torch.channels_last)

    def measure(self, model: PhotoDenoiser) -> dict[str, float]:
        """Mean PSNR in dB over the photographs held out, at each of three noise levels; the noise is always the same."""
        return {
            f"psnr_sigma_{sigma}": sum(_score(model, each, sigma, place) for place, each in enumerate(self.held_out)) / HELD_OUT
            for sigma in SIGMAS
        }


class PhotoLessons(Lessons[PhotoDenoiser]):
    """A run on photographs, with an optimiser that needs fewer steps."""

    def choose(self) -> torch.optim.Optimizer:
        """Muon: after 900 steps 0.7 to 0.9 dB ahead of Adam, in the same time."""
        return Muon(self.model.parameters(), self.plan.rate)


def read_photos(folders: Sequence[Path]) -> list[Tensor]:
    """All pictures below ``folders`` as uint8 ``(3, H, W)``, in the order of their names."""
    paths = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    photos = []
    for path in paths:
        with Image.open(path) as file:
            photos.append(torch.from_numpy(np.array(ImageOps.exif_transpose(file).convert("RGB"))).permute(2, 0, 1).contiguous())
    return photos


def noisy_version(clean: Tensor, sigma: float, seed: int) -> Tensor:
    """``(3, H, W)`` in [0, 1] with normal noise of ``sigma`` grey levels, drawn from ``seed``, not cut."""
    return clean + sigma / 255 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed))


def _score(model: PhotoDenoiser, photo: Tensor, sigma: int, seed: int) -> float:
    clean = photo.float() / 255
    return psnr(model(noisy_version(clean, sigma, seed)[None])[0].clamp(0, 1), clean)


def _pace(step: int, steps: int) -> float:
    """Share of the largest rate: a rise over 200 steps, then level, then a straight fall to a hundredth."""
    return min((step + 1) / 200, 1.0, 0.01 + 0.99 * (steps - step) / (DECAY * steps))
