"""The space of codes: maps of it and back, ways through it, what it is worth, what can be taken home."""

from aecore.latent.anomaly import Anomaly, anomaly
from aecore.latent.export import metadata, page, projector, sheet, sprite, table
from aecore.latent.measures import Faithfulness, faithfulness, few, few_label_accuracy, neighbour_accuracy, probe_accuracy, silhouette
from aecore.latent.panels import SEEDS, Figure, Lesson, Panel, denoised, downstream, reduction, separability
from aecore.latent.projection import METHODS, Map, Projection, check, needed, project, sample
from aecore.latent.walk import Gathered, arithmetic, decode, gather, linear, plane, spherical
from aecore.latent.ways import Writing, writings

__all__ = [
    "METHODS",
    "SEEDS",
    "Anomaly",
    "Faithfulness",
    "Figure",
    "Gathered",
    "Lesson",
    "Map",
    "Panel",
    "Projection",
    "Writing",
    "anomaly",
    "arithmetic",
    "check",
    "decode",
    "denoised",
    "downstream",
    "faithfulness",
    "few",
    "few_label_accuracy",
    "gather",
    "linear",
    "metadata",
    "needed",
    "neighbour_accuracy",
    "page",
    "plane",
    "probe_accuracy",
    "project",
    "projector",
    "reduction",
    "sample",
    "separability",
    "sheet",
    "silhouette",
    "spherical",
    "sprite",
    "table",
    "writings",
]
