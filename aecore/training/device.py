"""Where to compute."""

import torch


def choose_device() -> torch.device:
    """The fastest device at hand: an NVIDIA card (cuda), Apple's (mps), else the processor (cpu)."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
