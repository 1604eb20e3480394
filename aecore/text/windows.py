"""Windows of a series: those to learn from, those held out, and what strange ones are made of."""

import math
from collections.abc import Callable

import numpy as np
import pywt
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional

from aecore.metrics import PCA
from aecore.refusal import Refused
from aecore.text.series import SeriesPlan, SeriesRecurrent

TRAIN_SHARE = 2 / 3
"""Of a series, from its beginning, that is learnt from; the rest is held out."""
BEND, LOUDER, NOISE = 0.15, 0.2, 0.05  # how windows are varied: faster or slower, higher or lower, and noise, by the series' spread
HOP = 4
ROUNDS = 5


def ecg() -> Tensor:
    """The built-in electrocardiogram: three heartbeats in 1,024 samples ``(N,)``, as PyWavelets has them (MIT licence), of mean 0 and variance 1."""
    return levelled(torch.from_numpy(np.asarray(pywt.data.ecg(), dtype=np.float32)))


def levelled(values: Tensor) -> Tensor:
    """A series ``(N,)`` at mean 0 and variance 1; ``Refused`` for one without any change or with gaps."""
    if not values.isfinite().all() or values.numel() < 2 or values.std() == 0:
        raise Refused("This series has gaps, or never changes. Choose another column.")
    return (values - values.mean()) / values.std()


class Windows:
    """A series ``(N,)`` of mean 0 and variance 1: its first two thirds are learnt from, the rest is held out."""

    def __init__(self, values: Tensor, plan: SeriesPlan) -> None:
        self.variant, self.plan = "recurrent-series", plan
        parted = round(TRAIN_SHARE * len(values))
        self.train, self.held = values[:parted], values[parted:]
        self.reach = math.ceil(plan.window * (1 + BEND)) + 1
        if len(self.train) < self.reach or len(self.held) < plan.window:
            raise Refused(
                "The series has {count} samples, too few for windows of {window}. Choose a longer series or a smaller window.",
                count=len(values),
                window=plan.window,
            )

    def network(self) -> SeriesRecurrent:
        """An untaught network, its weights drawn from the plan's seed."""
        model = SeriesRecurrent(0, self.plan)
        model.initialise(torch.Generator().manual_seed(self.plan.seed))
        return model

    def batch(self, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Windows ``(batch, window)`` from anywhere, a little faster or slower, higher or lower; noisy as read, clean as they should come out."""
        size = self.plan.window
        starts = torch.randint(len(self.train) - self.reach + 1, (self.plan.batch, 1), generator=rng)
        pace = 1 + BEND * (2 * torch.rand((self.plan.batch, 1), generator=rng) - 1)
        places = starts + pace * torch.arange(size)
        low = places.long().clamp_max(len(self.train) - 2)
        clean = torch.lerp(self.train[low], self.train[low + 1], places - low)
        clean = clean * (1 + LOUDER * torch.randn((self.plan.batch, 1), generator=rng))
        return clean + NOISE * torch.randn(clean.shape, generator=rng), clean

    def measure(self, model: SeriesRecurrent) -> dict[str, float]:
        """Mean squared error of the windows held out, by the series' variance, ours and that of a PCA of equal size; AUC of strange ones, by kind."""
        errors = scores(model, cut(self.held, self.plan.window, HOP))
        pca = PCA.fit(cut(self.train, self.plan.window, 1)[:, None, None] * 255, self.plan.code)
        x = cut(self.held, self.plan.window, HOP)
        found = {"mse": errors.mean().item(), "mse_pca": (pca.encode(x[:, None, None]) @ pca.axes + pca.mean - x).square().mean().item()}
        return found | {f"auc_{kind}": auc(model, self.held, kind) for kind in STRANGE}


def cut(values: Tensor, size: int, hop: int) -> Tensor:
    """Windows ``(B, size)`` of a series ``(N,)``, one every ``hop`` samples."""
    return values.unfold(0, size, hop)


@torch.no_grad()
def scores(model: SeriesRecurrent, windows: Tensor) -> Tensor:
    """How strange each window is ``(B,)``: the mean squared error with which it comes back."""
    return (model(windows) - windows).square().mean(1)


@torch.no_grad()
def rebuilt(model: SeriesRecurrent, values: Tensor) -> tuple[Tensor, Tensor]:
    """A series ``(N,)`` as its windows come back, overlapping ones averaged, and how strange each sample is: the squared error around it."""
    size = model.plan.window
    windows = cut(functional.pad(values, (0, -(len(values) - size) % HOP)), size, HOP)
    total, count = torch.zeros(size + HOP * (len(windows) - 1)), torch.zeros(size + HOP * (len(windows) - 1))
    for place, output in enumerate(model(windows)):
        total[place * HOP : place * HOP + size] += output
        count[place * HOP : place * HOP + size] += 1
    output = (total / count)[: len(values)]
    width = min(2 * (size // 8) + 1, len(values))
    error = (output - values).square()[None, None]
    return output, functional.avg_pool1d(error, width, 1, width // 2, count_include_pad=False)[0, 0]


def auc(model: SeriesRecurrent, held: Tensor, kind: str) -> float:
    """The chance that a window made strange in one of the ways of ``STRANGE`` comes back worse than one left as it is (0.5 is guessing)."""
    windows = cut(held, model.plan.window, HOP)
    rng = torch.Generator().manual_seed(0)
    strange = torch.cat([STRANGE[kind](windows, rng) for _ in range(ROUNDS)])
    both = torch.cat((scores(model, windows), scores(model, strange)))
    return float(roc_auc_score([0] * len(windows) + [1] * len(strange), both.numpy()))


def _extra(windows: Tensor, rng: torch.Generator) -> Tensor:
    """A second spike, as high as the series' highest, at a random place."""
    places = _anywhere(windows, 0, rng)
    peak = torch.exp(-(((torch.arange(windows.shape[1]) - places) / 3.0) ** 2) / 2)
    return windows + windows.max() * peak


def _flat(windows: Tensor, rng: torch.Generator) -> Tensor:
    """A loose contact: a third of the window stays at one level, away from where it was."""
    span = windows.shape[1] // 3
    away = torch.arange(windows.shape[1]) - _anywhere(windows, span, rng)
    level = torch.where(torch.rand((len(windows), 1), generator=rng) < 0.5, -1.5, 1.5)
    return torch.where((away >= 0) & (away < span), level, windows)


def _upside_down(windows: Tensor, rng: torch.Generator) -> Tensor:
    """Electrodes in each other's places: all signs turned."""
    return -windows


def _trembling(windows: Tensor, rng: torch.Generator) -> Tensor:
    """A third of the window with noise half as strong as the whole series."""
    span = windows.shape[1] // 3
    away = torch.arange(windows.shape[1]) - _anywhere(windows, span, rng)
    return windows + ((away >= 0) & (away < span)) * 0.5 * torch.randn(windows.shape, generator=rng)


def _anywhere(windows: Tensor, span: int, rng: torch.Generator) -> Tensor:
    return torch.randint(windows.shape[1] - span, (len(windows), 1), generator=rng)


STRANGE: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "extra_beat": _extra,
    "loose_contact": _flat,
    "upside_down": _upside_down,
    "trembling": _trembling,
}
