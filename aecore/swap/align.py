"""From a picture with one face in it to the frame that networks know: upright, as large and in the same place as the two built-in people."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from torch import Tensor
from torch.nn import functional

from aecore.data import faces
from aecore.refusal import Refused
from aecore.swap.detect import Found, detect
from aecore.swap.pipeline import carry, inverse, similarity

EYES = tuple(tuple(f"eye_{side}_{part}" for part in ("out", "in", "top", "bottom")) for side in "rl")
FIVE = (*EYES, ("nose_tip",), ("mouth_r",), ("mouth_l",))
"""Landmarks whose middles are the five points of the detector. Right and left are the person's own in both."""
LEAST_PICTURE, LEAST_FACE = 64, 24
"""Pixels of the shorter side of a picture, and of the width of the face in it."""
SMALL, CERTAIN = 0.4, 0.95
"""A second face counts if it is this wide against the largest, or its score this high; others are ears and shadows."""
TURNED, NARROW = 0.6, 0.5
"""How far the nose may be off the middle between the eyes, in distances of the eyes; and that distance against the face's height."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where a face is: as it was ``found``, the ``transform`` ``(2, 3)`` that carries it into a frame, its ``landmarks`` there ``(30, 2)``."""

    found: Found
    transform: np.ndarray
    landmarks: np.ndarray


def place(picture: Tensor, size: int) -> Place:
    """Where the face of a picture, uint8 ``(3, H, W)``, is, for a frame of ``size`` pixels.

    Raises ``Refused`` where there is no face or several, or where it is too small or turned too far.
    """
    if min(picture.shape[1:]) < LEAST_PICTURE:
        raise Refused("A picture must have at least {least} pixels on each side. Use a larger one.", least=LEAST_PICTURE)
    found = detect(picture)
    if not found:
        raise Refused("No face was found. Use a picture in which a face is seen from the front, in good light.")
    if count := sum(_counts(each, found[0]) for each in found[1:]):
        raise Refused("{count} faces were found. Cut out the one you mean, then try again.", count=count + 1)
    return placed(found[0], size)


def placed(found: Found, size: int) -> Place:
    """The same for a face that was found; ``Refused`` where it is too small or turned too far."""
    if (width := found.box[2] - found.box[0]) < LEAST_FACE:
        raise Refused(
            "The face is only {width} pixels wide. Use a picture in which it has at least {least}.", width=round(width), least=LEAST_FACE
        )
    right, left, nose, *mouth = found.points
    eyes, middle = left - right, (left + right) / 2
    apart = math.hypot(*eyes)
    height = math.hypot(*(sum(mouth) / 2 - middle))
    if apart < NARROW * height or abs((nose - middle) @ eyes) > TURNED * apart**2:
        raise Refused("The face is turned too far to the side. Use a picture in which both eyes are seen well.")
    usual, slopes = shape()
    upright = _moved(found.points, similarity(found.points, usual * size)) / size
    landmarks = (np.append(upright.ravel(), 1) @ slopes).reshape(-1, 2) * size
    return Place(found, similarity(found.points, five(landmarks[None])[0]), landmarks.astype(np.float32))


def cut(picture: Tensor, transform: np.ndarray, size: int) -> Tensor:
    """The frame ``(3, size, size)`` that a picture ``(3, H, W)`` in [0, 1] holds, without aliasing."""
    times = max(1, int(math.hypot(*inverse(transform)[:, 0])))
    if times > 1:
        picture, transform = functional.avg_pool2d(picture, times, ceil_mode=True), transform * np.array([times, times, 1])
    return carry(picture, transform, size, size)


def five(landmarks: np.ndarray) -> np.ndarray:
    """The detector's points ``(N, 5, 2)`` of landmarks ``(N, 30, 2)``."""
    columns = [[faces.LANDMARK_NAMES.index(name) for name in names] for names in FIVE]
    return np.stack([landmarks[:, each].mean(1) for each in columns], 1)


@lru_cache(maxsize=1)
def shape() -> tuple[np.ndarray, np.ndarray]:
    """Where the five points usually are ``(5, 2)``, and the map ``(11, 60)`` from such points, made upright, to all landmarks; a frame is 1 wide.

    Fitted by least squares to the landmarks of the built-in people's training frames: a head that turns moves its points in known ways.
    """
    known = np.concatenate([faces.landmarks("train", each) for each in faces.PEOPLE]).astype(np.float64) / faces.SIDE
    points = five(known)
    usual = points.mean(0)
    upright = np.stack([_moved(each, similarity(each, usual)) for each in points]).reshape(len(points), -1)
    slopes = np.linalg.lstsq(np.column_stack((upright, np.ones(len(upright)))), known.reshape(len(known), -1), rcond=None)[0]
    return usual, slopes


def _counts(other: Found, largest: Found) -> bool:
    return other.score > CERTAIN or other.box[2] - other.box[0] > SMALL * (largest.box[2] - largest.box[0])


def _moved(points: np.ndarray, transform: np.ndarray) -> np.ndarray:
    return points @ transform[:, :2].T + transform[:, 2]
