"""More frames of the two built-in people, in a folder as the renderer leaves it: too many to come with the lab."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from aecore.data import faces
from aecore.refusal import Refused


@dataclass(frozen=True)
class Rendered:
    """Frames uint8 ``(N, 3, size, size)``, landmarks ``(N, 30, 2)``, (x, y) in pixels, and parameters ``(N, P)``, named as the built-in ones."""

    frames: Tensor
    landmarks: np.ndarray
    parameters: np.ndarray


def read_rendered(folder: Path, person: faces.Person, size: int) -> Rendered:
    """One person's frames: ``A/*.png`` of 128 pixels in the order of their names, ``landmarks_A.json`` and ``params_A.json``.

    ``Refused`` for a folder in which they are not, or are not as many of one as of the other.
    """
    names, _ = faces.parameters("train")
    try:
        points, scenes = (json.loads((folder / f"{kind}_{person}.json").read_text(encoding="utf-8")) for kind in ("landmarks", "params"))
        parameters = np.array([[float(scene[name]) for name in names] for scene in scenes])
        landmarks = np.array(points, np.float32).reshape(len(scenes), len(faces.LANDMARK_NAMES), 2)
        frames = [_read(path, size) for path in sorted((folder / person).glob("*.png"))[: len(scenes)]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(
            "There are no rendered frames of {person} in {path}: {reason}.", person=person, path=str(folder), reason=str(error)
        ) from None
    if not frames or len(frames) < len(scenes):
        raise Refused(
            "{path} has {count} frames of {person}, but parameters of {more}.",
            path=str(folder),
            count=len(frames),
            person=person,
            more=len(scenes),
        )
    return Rendered(torch.stack(frames), landmarks * np.float32(size / faces.SIDE), parameters)


def _read(path: Path, size: int) -> Tensor:
    with Image.open(path, formats=("PNG",)) as file:
        if file.size != (faces.SIDE, faces.SIDE):
            raise ValueError(f"{path.name} is not {faces.SIDE} x {faces.SIDE} pixels")
        return torch.from_numpy(np.array(file.convert("RGB").reduce(faces.SIDE // size))).permute(2, 0, 1).contiguous()
