"""The face models on disk: those that come with the lab, by size and kind, and any other with its card."""

from pathlib import Path

from aecore.data import faces
from aecore.denoise.weights import Card, read_card, restore
from aecore.swap.network import POINTS, Swapper
from aecore.swap.training import NETWORKS, Plan
from aecore.weights import FOLDER, read
from aecore.weights.card import MOST_CARD_BYTES


def shipped(size: int, encoders: str = "shared") -> Path:
    """Where the weights that come with the lab lie; there may be none."""
    return FOLDER / f"faces-swap-{size}{'' if encoders == 'shared' else f'-{encoders}'}.safetensors"


def load(path: Path) -> tuple[Swapper, Card]:
    """A model of the two built-in people, ready to be used, and its card. ``Refused`` for what does not fit."""
    plan = Plan.of(**read_card(read(path.with_suffix(".card.json"), MOST_CARD_BYTES), Plan).plan)
    landmarks = 0 if plan.known == "none" else POINTS
    return restore(path, lambda: NETWORKS[plan.encoders](faces.PEOPLE, plan.size, plan.code, landmarks), Plan)
