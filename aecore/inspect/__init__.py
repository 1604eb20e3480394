"""What a model is held against, and what is found inside it."""

from aecore.inspect.atoms import Atoms, atoms
from aecore.inspect.baselines import MOST_FITTED, Baselines, baselines, pca_model
from aecore.inspect.codes import Health, Statistics, explained_variance, health, statistics
from aecore.inspect.identity import Probe, identity_gap, identity_test
from aecore.inspect.judgement import encode, judge
from aecore.inspect.sensitivity import Sensitivity, along, sensitivity

__all__ = [
    "MOST_FITTED",
    "Atoms",
    "Baselines",
    "Health",
    "Probe",
    "Sensitivity",
    "Statistics",
    "along",
    "atoms",
    "baselines",
    "encode",
    "explained_variance",
    "health",
    "identity_gap",
    "identity_test",
    "judge",
    "pca_model",
    "sensitivity",
    "statistics",
]
