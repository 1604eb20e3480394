"""How near a swap is to the truth: inside the face and on the whole, over time, and against simple yardsticks."""

from dataclasses import dataclass

import torch
from torch import Tensor

from aecore.metrics import ssim, ssim_map


@dataclass(frozen=True)
class Nearness:
    """Pictures against others: PSNR in dB and SSIM, the mean over pictures, inside the face and on the whole frame."""

    psnr_face: float
    ssim_face: float
    psnr: float
    ssim: float


def nearness(output: Tensor, target: Tensor, masks: Tensor) -> Nearness:
    """Of two uint8 ``(N, 3, H, W)``; ``masks`` ``(N, 1, H, W)`` are 1 inside the face."""
    a, b = output.float() / 255, target.float() / 255
    maps = [ssim_map(x, y).mean(0) for x, y in zip(a, b, strict=True)]
    margin = (a.shape[-1] - maps[0].shape[-1]) // 2
    inner = masks[:, 0, margin : a.shape[2] - margin, margin : a.shape[3] - margin]
    faces = [float((each * mask).sum() / mask.sum()) for each, mask in zip(maps, inner, strict=True)]
    return Nearness(
        psnr_face=float(inside(a, b, masks).mean()),
        ssim_face=sum(faces) / len(faces),
        psnr=float(inside(a, b, torch.ones_like(masks)).mean()),
        ssim=sum(ssim(x, y) for x, y in zip(a, b, strict=True)) / len(a),
    )


def inside(output: Tensor, target: Tensor, masks: Tensor) -> Tensor:
    """PSNR in dB of each picture ``(N, 3, H, W)`` in [0, 1], over the pixels where ``masks`` ``(N, 1, H, W)`` are 1; 120 at most."""
    errors = (output - target).double().square().mean(1, keepdim=True)
    return -10 * ((errors * masks).sum((1, 2, 3)) / masks.sum((1, 2, 3))).clamp_min(1e-12).log10()


def closer(output: Tensor, target: Tensor, source: Tensor, masks: Tensor) -> float:
    """Share of pictures that are nearer to the true ``target`` than to the ``source`` inside the face; all uint8 ``(N, 3, H, W)``."""
    a, b, c = (each.float() / 255 for each in (output, target, source))
    return float((inside(a, b, masks) > inside(a, c, masks)).float().mean())


def flicker(clip: Tensor, truth: Tensor, masks: Tensor) -> float:
    """How far the change from frame to frame differs from that of the true clip, inside the face: the mean of absolute grey levels.

    Both are uint8 ``(N, 3, H, W)`` in order. A still picture scores what the true clip changes by.
    """
    changes = (clip.float().diff(dim=0) - truth.float().diff(dim=0)).abs().mean(1, keepdim=True)
    return float((changes * masks[1:]).sum() / masks[1:].sum())


def correlations(output: Tensor, truth: Tensor) -> Tensor:
    """Pearson's correlation of each column of two ``(N, T)``: 1 where they rise and fall together."""
    a, b = (each.double() - each.double().mean(0) for each in (output, truth))
    return (a * b).sum(0) / (a.square().sum(0) * b.square().sum(0)).sqrt().clamp_min(1e-12)


def nearest(frames: Tensor, masks: Tensor, album: Tensor) -> Tensor:
    """For each of ``frames``, uint8 ``(N, 3, H, W)``, the picture of ``album`` that is nearest inside the face."""
    pool = album.float()
    found = [((pool - each.float()).square() * mask).sum((1, 2, 3)).argmin() for each, mask in zip(frames, masks, strict=True)]
    return album[torch.stack(found)]
