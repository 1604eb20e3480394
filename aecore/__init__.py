"""Autoencoders to learn from: variants, data, training, weights. Knows nothing of any user interface."""

from aecore.data import DATASETS
from aecore.models import VARIANTS, build
from aecore.training import Plan, train
from aecore.weights import Card, load, save

__all__ = ["DATASETS", "VARIANTS", "Card", "Plan", "build", "load", "save", "train"]
