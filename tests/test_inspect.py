"""The lines and tests that a model is held against, checked on models whose answers are known."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aecore import inspect
from aecore.data import load
from aecore.models import Autoencoder
from aecore.models.base import PictureConfig


class Copier(Autoencoder):
    """Gives back what it is given."""

    def __init__(self) -> None:
        super().__init__((1, 28, 28), PictureConfig(code=784))
        self.encoder = nn.Flatten()
        self.decoder = nn.Unflatten(1, (1, 28, 28))

    def decode(self, code: Tensor) -> Tensor:
        return self.decoder(code) * 0.999 + 0.0005


class Stubborn(Copier):
    """Draws the same average digit, whatever it is given."""

    def decode(self, code: Tensor) -> Tensor:
        return self.mean.expand(len(code), 1, 28, 28)

    mean = load("digits").train.float().mean(0, keepdim=True) / 255


def test_a_copier_has_no_identity_gap_and_is_found_out() -> None:
    probes = inspect.identity_test(Copier(), load("digits"))
    assert set(probes) == {"own", "inverted", "shuffled", "noise"}
    assert abs(inspect.identity_gap(probes)) < 1
    assert min(probe.psnr for probe in probes.values()) > 50


def test_a_model_of_its_data_has_a_gap() -> None:
    probes = inspect.identity_test(Stubborn(), load("digits"))
    assert inspect.identity_gap(probes) > 1
    assert torch.equal(probes["shuffled"].inputs.flatten(1).sort(1).values, probes["own"].inputs.flatten(1).sort(1).values)
    assert torch.allclose(probes["inverted"].inputs, 1 - probes["own"].inputs)


def test_the_identity_test_is_repeatable() -> None:
    first, second = (inspect.identity_test(Copier(), load("digits"), seed=4) for _ in range(2))
    assert all(torch.equal(first[kind].inputs, second[kind].inputs) for kind in first)


@pytest.mark.parametrize("loss", ["mse", "cross-entropy"])
def test_baselines_against_numpy(loss: str) -> None:
    data = load("digits")
    train, test = (part.flatten(1).numpy() / 255.0 for part in (data.train, data.test))
    mean = train.mean(0)
    axes = np.linalg.svd(train - mean, full_matrices=False)[2][:8]
    drawn = ((test - mean) @ axes.T @ axes + mean).clip(0, 1)
    average = np.broadcast_to(mean, test.shape)

    def score(output: np.ndarray) -> float:
        if loss == "mse":
            return float(((output - test) ** 2).mean())
        p = output.clip(0.5 / 255, 1 - 0.5 / 255)
        return float(-(test * np.log(p) + (1 - test) * np.log(1 - p)).mean())

    lines = inspect.baselines(data, 8, loss)
    assert lines.pca == pytest.approx(score(drawn), rel=1e-4)
    assert lines.mean == pytest.approx(score(average), rel=1e-4)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.nansum(np.where(test > 0, test * np.log(test), 0) + np.where(test < 1, (1 - test) * np.log(1 - test), 0)) / test.size
    assert lines.floor == pytest.approx(0 if loss == "mse" else entropy, abs=1e-6)
    assert lines.floor < lines.pca < lines.mean
    assert math.isfinite(lines.mean)
