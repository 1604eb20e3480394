"""Long signals made small enough for a page: spectrograms as pictures, outlines and points of waves."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

COLUMNS, ROWS = 400, 112
LEVELS = 48  # shades; fewer make a smaller file
RANGE = 70.0  # dB from the loudest shown to black
FRAMES = 4  # pieces of sound behind each column, at most
STOPS = ("#000004", "#3b0f70", "#8c2981", "#de4968", "#fe9f6d", "#fcfdbf")  # Magma, by van der Walt and Smith (CC0)


@dataclass(frozen=True)
class Spectrogram:
    """How loud each pitch is when: ``power`` ``(ROWS, COLUMNS)`` or smaller, low pitches first, up to ``top`` kHz, over ``seconds``."""

    power: np.ndarray
    top: float
    seconds: float


def spectrogram(values: np.ndarray, rate: int) -> Spectrogram:
    """The power of pieces of about 25 ms under a Hann window, their channels ``(C, N)`` averaged.

    Of a long sound, a few pieces stand for each column, so that the work does not grow with it.
    """
    size = min(2 ** round(np.log2(rate * 0.025)), values.shape[1])
    starts = np.unique(np.linspace(0, values.shape[1] - size, FRAMES * COLUMNS).astype(int))
    window = np.hanning(size + 1)[:size]
    pieces = values[:, starts[:, None] + np.arange(size)] * window
    power = np.square(np.abs(np.fft.rfft(pieces, axis=-1))).mean(0).T / max(np.square(window).sum(), 1e-12)
    return Spectrogram(_fewer(_fewer(power, ROWS, 0), COLUMNS, 1), rate / 2000, values.shape[1] / rate)


def loudest(*shown: Spectrogram) -> float:
    """The level in dB that is drawn brightest: the loudest of all."""
    return 10 * float(np.log10(max(max(each.power.max() for each in shown), 1e-12)))


def address(shown: Spectrogram, loudest: float) -> str:
    """A spectrogram as a picture of a few kilobytes, from ``loudest`` down to RANGE below it, the lowest pitch at the bottom."""
    level = (10 * np.log10(np.maximum(shown.power, 1e-12)) - loudest) / RANGE + 1
    picture = Image.fromarray((level.clip(0, 1) * (LEVELS - 1)).round().astype(np.uint8)[::-1], "P")
    stops = np.array([[int(each[at : at + 2], 16) for at in (1, 3, 5)] for each in STOPS], float)
    places = np.linspace(0, len(STOPS) - 1, LEVELS)
    palette = np.stack([np.interp(places, range(len(STOPS)), stops[:, channel]) for channel in range(3)], 1)
    picture.putpalette(palette.round().astype(np.uint8).tobytes())
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def outline(values: np.ndarray, columns: int = COLUMNS) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest value ``(columns,)`` in each of as many equal pieces of a wave ``(C, N)``."""
    edges = np.linspace(0, values.shape[1], min(columns, values.shape[1]) + 1).astype(int)[:-1]
    return np.minimum.reduceat(values.min(0), edges), np.maximum.reduceat(values.max(0), edges)


def thinned(values: np.ndarray, most: int) -> np.ndarray:
    """Indices of at most ``most`` points that keep the look of a curve ``(N,)``: the lowest and the highest of each piece, in order."""
    if len(values) <= most:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), most // 2 + 1).astype(int)
    pieces = zip(edges[:-1], np.split(values, edges[1:-1]), strict=True)
    pairs = [(first + int(piece.argmin()), first + int(piece.argmax())) for first, piece in pieces]
    return np.unique(np.array(pairs))


def _fewer(power: np.ndarray, most: int, axis: int) -> np.ndarray:
    """Means of neighbours, so that at most ``most`` remain along an axis."""
    length = power.shape[axis]
    if length <= most:
        return power
    edges = np.linspace(0, length, most + 1).astype(int)
    counts = np.diff(edges)
    return np.add.reduceat(power, edges[:-1], axis) / (counts[:, None] if axis == 0 else counts)
