"""Two synthetic people, A and B, who do not exist: the same poses, expressions and lights on both faces.

Frame i of A and frame i of B share every parameter (head turn, gaze, expression, light, background), which a photograph
of two real people could never do. Splits: ``train`` 600, ``held`` 60 and ``clip`` 90 frames of each person; the clip is
a short continuous performance.
"""

from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from aecore.data.registry import Dataset, Images, Progress, register
from aecore.refusal import Refused

Split = Literal["train", "held", "clip"]
Person = Literal["A", "B"]

FILES = Path(__file__).parent / "files"
SPLITS: tuple[Split, ...] = ("train", "held", "clip")
PEOPLE: tuple[Person, ...] = ("A", "B")
SIDE = 128
"""Height and width in pixels of a stored frame."""
COLUMNS = 10
"""Frames side by side on a sheet, which is filled row by row."""
SIZES = (64, 128)

# fmt: off
LANDMARK_NAMES = (
    "chin", "jaw_l", "jaw_r", "cheek_l", "cheek_r", "temple_l", "temple_r", "forehead",
    "brow_l_in", "brow_l_mid", "brow_l_out", "brow_r_in", "brow_r_mid", "brow_r_out",
    "eye_l_out", "eye_l_in", "eye_l_top", "eye_l_bottom", "eye_r_out", "eye_r_in", "eye_r_top", "eye_r_bottom",
    "nose_bridge", "nose_tip", "nostril_l", "nostril_r", "mouth_l", "mouth_r", "lip_top", "lip_bottom",
)
# fmt: on


def frames(split: Split, person: Person, size: int = SIDE) -> Tensor:
    """One person's frames in order, uint8 ``(N, 3, size, size)``; raises ``Refused`` for an unknown split, person or size."""
    check(split, person, size)
    with Image.open(FILES / f"faces-{person}-{split}.webp", formats=("WEBP",)) as sheet:
        # The smaller frames are means of 2 x 2 pixels, and no such square reaches into the next frame.
        pixels = torch.from_numpy(np.array(sheet.convert("RGB").reduce(SIDE // size)))
    rows = pixels.shape[0] // size
    return pixels.view(rows, size, COLUMNS, size, 3).permute(0, 2, 4, 1, 3).reshape(-1, 3, size, size)


def clip(size: int = SIDE) -> tuple[Tensor, Tensor]:
    """The performance, played by A and by B: two uint8 ``(90, 3, size, size)``."""
    return frames("clip", "A", size), frames("clip", "B", size)


def parameters(split: Split) -> tuple[tuple[str, ...], np.ndarray]:
    """What each frame shows, for both people: names of the parameters, float64 ``(N, P)``.

    ``yaw``, ``pitch``, ``roll``, ``gaze_x``, ``gaze_y`` and the light's direction are in degrees; expressions go from 0 to
    about 1; ``background`` is the number from which the background was drawn.
    """
    check(split, "A", SIDE)
    with np.load(FILES / "faces-frames.npz", allow_pickle=False) as packed:
        return tuple(str(name) for name in packed["parameter_names"]), packed[f"parameters_{split}"]


def landmarks(split: Split, person: Person, size: int = SIDE) -> np.ndarray:
    """Where the points ``LANDMARK_NAMES`` lie in each frame, float32 ``(N, 30, 2)``.

    Each is (x, y) in pixels of a ``size`` x ``size`` picture, counted from the top left corner of the first pixel. They follow
    the head, so a point can fall just outside the picture.
    """
    check(split, person, size)
    with np.load(FILES / "faces-frames.npz", allow_pickle=False) as packed:
        hundredths = packed[f"landmarks_{person}_{split}"]
    return hundredths.astype(np.float32) * np.float32(size / SIDE / 100)


def check(split: str, person: str, size: int) -> None:
    """Raise ``Refused`` unless these frames exist."""
    if split not in SPLITS:
        raise Refused("The faces have no split {split}. Choose one of: {choices}.", split=split[:60], choices=", ".join(SPLITS))
    if person not in PEOPLE:
        raise Refused("There is no face of {person}. Choose one of: {choices}.", person=person[:60], choices=", ".join(PEOPLE))
    if size not in SIZES:
        raise Refused("Faces cannot be {size} pixels wide. Choose one of: {choices}.", size=size, choices=", ".join(map(str, SIZES)))


def read(size: int, progress: Progress | None = None) -> Images:
    """Both people's training frames, and the held ones as the test; A's first, then B's, each in order."""
    sheets: list[Tensor] = []
    for split in ("train", "held"):
        for person in PEOPLE:
            sheets.append(frames(split, person, size))
            if progress:
                progress(len(sheets) / 4)
    labels = [torch.full((len(sheet),), place % 2, dtype=torch.int64) for place, sheet in enumerate(sheets)]
    return Images(
        train=torch.cat(sheets[:2]),
        train_labels=torch.cat(labels[:2]),
        test=torch.cat(sheets[2:]),
        test_labels=torch.cat(labels[2:]),
        classes=PEOPLE,
    )


def describe(size: int) -> Dataset:
    """The faces at one size, as a data set."""
    return Dataset(
        name=f"faces-{size}",
        title=f"Two faces ({size} pixels)",
        about="Two computer-made people who do not exist, A and B, in the same poses, expressions and lights, in colour.",
        licence="CC0 1.0",
        source="Autoencoder Lab (2026), rendered from MakeHuman's CC0 geometry, https://static.makehumancommunity.org/",
        shape=(3, size, size),
        classes=PEOPLE,
        built_in=True,
        load=partial(read, size),
    )


register(describe(64))
register(describe(128))
