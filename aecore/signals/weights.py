"""The two signal denoisers that come with the lab."""

from aecore.denoise.weights import Card, restore
from aecore.refusal import Refused
from aecore.signals.network import SignalDenoiser
from aecore.signals.spectral import SpectralDenoiser
from aecore.signals.training import Plan
from aecore.weights import FOLDER

SHIPPED = {name: FOLDER / f"{name}-denoiser.safetensors" for name in ("sound", "series")}
NETWORKS: dict[str, type[SpectralDenoiser | SignalDenoiser]] = {"sound": SpectralDenoiser, "series": SignalDenoiser}


def load(name: str) -> tuple[SpectralDenoiser | SignalDenoiser, Card]:
    """The denoiser for "sound" or "series", ready to be used, and its card; ``Refused`` where there is none of that name."""
    if name not in SHIPPED:
        raise Refused("There is no denoiser called {name}; there are: {names}.", name=name, names=", ".join(SHIPPED))
    return restore(SHIPPED[name], NETWORKS[name], Plan)
