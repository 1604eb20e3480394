"""Signals to try the denoisers with; neither has learnt from any of them."""

from pathlib import Path

import numpy as np
import pywt

from aecore.refusal import Refused
from aecore.signals.files import Sound, Table, read_sound, read_table

FOLDER = Path(__file__).parent / "clips"
SAMPLES: dict[str, str] = {"guitar": "guitar.wav", "piano": "piano.wav"}
"""Sounds by name; where they come from stands in clips/README.md."""


def sound(name: str) -> Sound:
    """One of ``SAMPLES``: 16 kHz, mono, 16 bits."""
    if name not in SAMPLES:
        raise Refused("There is no sample called {name}; there are: {names}.", name=name, names=", ".join(SAMPLES))
    return read_sound((FOLDER / SAMPLES[name]).read_bytes(), SAMPLES[name])


def ecg() -> Table:
    """An electrocardiogram, 1,024 points as PyWavelets has them (MIT licence), in a table with their numbers; their unit is not stated there."""
    rows = "".join(f"{place},{value}\n" for place, value in enumerate(np.asarray(pywt.data.ecg())))
    return read_table(f"sample,ecg\n{rows}".encode(), "ecg.csv")
