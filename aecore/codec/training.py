"""Teaches the photo codec on patches of photographs. A run goes on from its checkpoint to the same numbers."""

from dataclasses import dataclass

import torch
from torch import Tensor

from aecore.codec.photo import PhotoCodec, weight
from aecore.denoise import training as denoise
from aecore.knobs import knob
from aecore.metrics import psnr

QUALITIES = (10, 50, 90)


@dataclass(frozen=True)
class Plan(denoise.Plan):
    """The knobs of a run on photographs."""

    steps: int = knob(36_000, 1, 1_000_000, log=True, label="Steps", help="How many batches are learnt from.")
    batch: int = knob(4, 1, 256, log=True, label="Batch size", help="Patches per step.")
    patch: int = knob(128, 64, 512, label="Patch", help="Sides of a patch in pixels.")


class Photos(denoise.Photos):
    """Photographs ``(3, H, W)`` uint8 in memory: eight are held out, the others give patches, undamaged."""

    def network(self) -> PhotoCodec:
        """An untaught codec, its weights drawn from the plan's seed."""
        model = PhotoCodec()
        model.initialise(torch.Generator().manual_seed(self.plan.seed))
        return model

    def batch(self, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Patches ``(batch, 3, patch, patch)`` in [0, 1], and a quality ``(batch,)`` for each, spread from 0 to 100."""
        patches = self.patches(rng)
        return patches, (torch.arange(len(patches)) + torch.rand(len(patches), generator=rng)) * (100 / len(patches))

    @torch.no_grad()
    def measure(self, model: PhotoCodec) -> dict[str, float]:
        """Mean bits per pixel, as estimated, and PSNR in dB over the middles of the photographs held out, at three qualities."""
        found = {}
        for quality in QUALITIES:
            scores = [estimate(model, _middle(each), quality) for each in self.held_out]
            for name, values in zip(("bits_per_pixel", "psnr"), zip(*scores, strict=True), strict=True):
                found[f"{name}_quality_{quality}"] = sum(values) / len(values)
        return found


class Lessons(denoise.Lessons[PhotoCodec]):
    """One run of the codec: the same loop, another loss."""

    def loss(self, rng: torch.Generator) -> Tensor:
        """Bits per pixel plus weighted squared error, each patch at its quality; divided so that all qualities matter alike."""
        patches, quality = (each.to(self.device) for each in self.subject.batch(rng))
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            output, bits = self.model(patches, quality, rng)
        error = (output.float() - patches).square().mean((1, 2, 3)) * 255**2
        loss = bits / patches[0, 0].numel() + weight(quality) * error
        return (loss / (weight(quality) / weight(torch.tensor(50.0))).sqrt()).mean()


@torch.no_grad()
def estimate(model: PhotoCodec, photo: Tensor, quality: float) -> tuple[float, float]:
    """Bits per pixel and PSNR in dB that a photograph ``(3, H, W)`` uint8 would get, sides multiples of 16, without writing a file."""
    clean = photo.float()[None] / 255
    output, bits = model(clean, torch.tensor([float(quality)]), None)
    return bits.item() / photo[0].numel(), psnr((output.clamp(0, 1) * 255).round() / 255, clean)


def _middle(photo: Tensor, most: int = 320) -> Tensor:
    """The middle of a photograph, at most ``most`` pixels on a side, sides multiples of 32."""
    top, left = ((side - min(side, most) // 32 * 32) // 2 for side in photo.shape[1:])
    height, width = (min(side, most) // 32 * 32 for side in photo.shape[1:])
    return photo[:, top : top + height, left : left + width]
