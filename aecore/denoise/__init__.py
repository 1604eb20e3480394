"""Noise out of photographs."""

from aecore.denoise.network import PhotoDenoiser
from aecore.denoise.pictures import Photo
from aecore.denoise.tiles import blend, denoise

__all__ = ["Photo", "PhotoDenoiser", "blend", "denoise"]
