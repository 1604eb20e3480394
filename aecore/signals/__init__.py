"""Noise out of sounds and series of numbers."""

from aecore.signals.network import SignalDenoiser
from aecore.signals.pieces import denoise, denoise_series

__all__ = ["SignalDenoiser", "denoise", "denoise_series"]
