"""Strange pictures are found by how badly they come back: one class is kept from the model, and then shown to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from sklearn.metrics import roc_auc_score, roc_curve
from torch import Tensor

from aecore.data import Images
from aecore.data.registry import Progress
from aecore.inspect import MOST_FITTED
from aecore.latent.panels import SEEDS, Figure
from aecore.latent.projection import sample
from aecore.latent.ways import in_parts, pictures
from aecore.metrics import PCA
from aecore.models import build
from aecore.refusal import Refused
from aecore.training import Plan, train

MOST = 5_000  # pictures to learn from
SHOWN = 10  # of the worst
PLAN = Plan(epochs=10, batch=64, rate=3e-3)


@dataclass(frozen=True)
class Curve:
    """How often strangers are found, ``hits``, at each share of false alarms, ``alarms``: both rise from 0 to 1, point by point."""

    alarms: tuple[float, ...]
    hits: tuple[float, ...]


@dataclass(frozen=True)
class Anomaly:
    """What the error of each picture tells: ``auc``, the chance that a stranger comes back worse than a test picture of a known class
    (0.5 is guessing), and the ROC ``curve`` of the first seed; both for the "code" and for "pca" of equal size. ``worst`` ``(n,)``: positions of
    the test pictures that come back worst from the model of the first seed, worst first; ``drawn`` ``(n, C, H, W)`` in [0, 1], what it makes of them."""

    left_out: int
    auc: dict[str, Figure]
    curve: dict[str, Curve]
    worst: Tensor
    drawn: Tensor


def anomaly(
    data: Images,
    left_out: int,
    variant: str,
    knobs: Mapping[str, object],
    plan: Plan = PLAN,
    seeds: Sequence[int] = SEEDS,
    progress: Progress | None = None,
) -> Anomaly:
    """Train without class ``left_out`` once for each seed, then ask which test pictures come back badly.

    The score of a picture is its mean squared error. A seed draws the first weights and at most 5,000 pictures to learn from.
    """
    known = (data.train_labels != left_out).nonzero().flatten()
    strange = data.test_labels == left_out
    if not strange.any() or strange.all() or len(known) < 2:
        raise Refused("To leave a class out there must be pictures of it, and of others. Choose data with labels.")
    x = pictures(data.test)
    aucs: dict[str, list[float]] = {"code": [], "pca": []}
    curves: dict[str, Curve] = {}
    worst = drawn = torch.empty(0)
    for place, seed in enumerate(seeds):
        learnt = data.train[known[sample(len(known), MOST, seed)]]
        given = Images(learnt, torch.zeros(len(learnt), dtype=torch.int64), data.test[:1], data.test_labels[:1] * 0, ("known",))
        model = build(variant, data.shape, seed=seed, **knobs)
        settings = Plan(**{**plan.values(), "seed": seed})  # pyright: ignore[reportArgumentType]
        steps = 1
        for event in train(model, given, settings, device=torch.device("cpu")):
            steps = getattr(event, "steps", steps)
            if progress:
                progress((place + min(getattr(event, "step", 0) / steps, 1.0)) / len(seeds))
        pca = PCA.fit(learnt[:MOST_FITTED], model.encode(x[:1]).shape[1])
        for way, outputs in (("code", in_parts(model.eval(), x)), ("pca", pca.reconstruct(x))):
            errors = (outputs - x).square().flatten(1).mean(1)
            if place == 0 and way == "code":
                worst = errors.argsort(descending=True)[:SHOWN]
                drawn = outputs[worst]
            auc, curve = receiver(errors, strange)
            aucs[way].append(auc)
            curves.setdefault(way, curve)
    if progress:
        progress(1.0)
    return Anomaly(left_out, {way: Figure(tuple(values)) for way, values in aucs.items()}, curves, worst, drawn)


def receiver(errors: Tensor, strange: Tensor) -> tuple[float, Curve]:
    """Area under the ROC curve, and the curve, of scores ``(N,)`` for strangers (True) and others.

    Source: Fawcett (2006), https://doi.org/10.1016/j.patrec.2005.10.010
    """
    if not errors.isfinite().all():
        raise Refused("The model's training went astray: its pictures are not numbers. Choose a smaller learning rate.")
    alarms, hits, _ = roc_curve(strange.numpy(), errors.numpy())
    return float(roc_auc_score(strange.numpy(), errors.numpy())), Curve(tuple(alarms.tolist()), tuple(hits.tolist()))
