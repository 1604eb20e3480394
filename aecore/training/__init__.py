"""Training: a plan, a loop, and the events it gives."""

from aecore.training.device import choose_device
from aecore.training.events import Event, Finished, Reported, Started, Stepped
from aecore.training.loop import Training, measure, train
from aecore.training.plan import Plan

__all__ = ["Event", "Finished", "Plan", "Reported", "Started", "Stepped", "Training", "choose_device", "measure", "train"]
