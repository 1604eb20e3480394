"""Trained weights and the card that says what they are: a pair of files, never a pickle.

A pair is ``NAME.safetensors`` (the numbers) and ``NAME.json`` (the card). Pairs may come from strangers, so everything
in them is checked against the variant's own blueprint before memory is set aside for a model.
"""

from aecore.weights.card import Card, card_for, check_name, read_card
from aecore.weights.files import FOLDER, load, read, save, shipped, write
from aecore.weights.pair import Half, half, load_half, pack, unpack

__all__ = [
    "FOLDER",
    "Card",
    "Half",
    "card_for",
    "check_name",
    "half",
    "load",
    "load_half",
    "pack",
    "read",
    "read_card",
    "save",
    "shipped",
    "unpack",
    "write",
]
