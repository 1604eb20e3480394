"""The lines and tests that a model is held against, checked on models whose answers are known."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import r2_score
from torch import Tensor, nn

from aecore import inspect
from aecore.data import load
from aecore.metrics import PCA
from aecore.models import VARIANTS, Autoencoder, build
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


def test_another_data_set_is_one_more_kind_and_leaves_the_others_as_they_were() -> None:
    without, with_it = (inspect.identity_test(Copier(), load("digits"), other=other) for other in (None, load("clothes")))
    assert set(with_it) == {*without, "other"}
    assert all(torch.equal(without[kind].inputs, with_it[kind].inputs) for kind in without)
    clothes = {picture.numpy().tobytes() for picture in load("clothes").test}
    assert all((255 * picture).round().to(torch.uint8).numpy().tobytes() in clothes for picture in with_it["other"].inputs[:20])


def test_statistics_against_numpy() -> None:
    codes = np.random.default_rng(0).normal(size=(300, 6)) @ np.random.default_rng(1).normal(size=(6, 6)) + 3
    codes[:, 4] = 0.5  # a value that never changes
    codes[:, 5] = -2 * codes[:, 0] + 1  # and one that says nothing new
    found = inspect.statistics(torch.from_numpy(codes).float())
    eigenvalues = np.linalg.eigvalsh(np.cov(codes.T))
    assert found.dimension == pytest.approx(eigenvalues.sum() ** 2 / (eigenvalues**2).sum(), rel=1e-4)
    assert found.mean.numpy() == pytest.approx(codes.mean(0), rel=1e-4)
    assert found.spread.numpy() == pytest.approx(codes.std(0, ddof=1), rel=1e-4, abs=1e-6)
    assert found.correlation == pytest.approx(1, abs=1e-5)
    assert (found.lowest, found.highest) == (pytest.approx(codes.min()), pytest.approx(codes.max()))
    others = np.corrcoef(codes[:, :4].T) - np.eye(4)
    assert inspect.statistics(torch.from_numpy(codes[:, :4])).correlation == pytest.approx(abs(others).max())


def test_statistics_of_codes_that_never_change() -> None:
    found = inspect.statistics(torch.ones(5, 3))
    assert (found.dimension, found.correlation) == (0, 0)


def test_independent_values_have_full_dimension() -> None:
    codes = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert inspect.statistics(codes).dimension == pytest.approx(2)


def test_explained_variance_against_scikit_learn() -> None:
    rng = torch.Generator().manual_seed(0)
    target = torch.rand(50, 1, 6, 6, generator=rng) ** 2
    output = target + 0.1 * torch.randn(target.shape, generator=rng)
    score = r2_score(target.flatten(1).numpy(), output.flatten(1).numpy(), multioutput="variance_weighted")
    assert inspect.explained_variance(output, target) == pytest.approx(score, abs=1e-5)
    assert inspect.explained_variance(target.mean(0).expand_as(target), target) == pytest.approx(0, abs=1e-6)
    assert inspect.explained_variance(target, target) == 1


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("shape", [(1, 12, 12), (3, 12, 12)])
def test_sensitivity_against_a_jacobian_by_autograd(name: str, shape: tuple[int, int, int]) -> None:
    model = build(name, shape, seed=3, code=10).eval()
    x = torch.rand(3, *shape, generator=torch.Generator().manual_seed(1))
    found = inspect.sensitivity(model, x, directions=2)
    tables = [torch.autograd.functional.jacobian(lambda x: model.encode(x[None])[0], each).flatten(1).numpy() for each in x]
    values = np.mean([np.linalg.svd(table, compute_uv=False) for table in tables], axis=0)
    assert found.exact
    assert found.squared_norm == pytest.approx(np.mean([(table**2).sum() for table in tables]), rel=1e-4, abs=1e-12)
    assert found.values.numpy() == pytest.approx(values, rel=1e-3, abs=1e-5 * float(values[0]))
    assert found.felt() == (values > 0.1 * values[0]).sum()
    if found.squared_norm:
        right = np.linalg.svd(tables[0])[2][:2]
        assert abs(np.sum(found.directions.flatten(1).numpy() * right, axis=1)) == pytest.approx(1, abs=1e-3)
        assert found.directions.flatten(1).max(1).values.equal(found.directions.flatten(1).abs().max(1).values)


def test_a_code_that_jumps_has_no_sensitivity() -> None:
    class Stepping(Copier):
        def encode(self, x: Tensor) -> Tensor:
            code = super().encode(x)
            return code + (code.round() - code).detach()  # learns as if it did not round

    found = inspect.sensitivity(Stepping(), torch.full((1, 1, 28, 28), 0.2))
    assert found.squared_norm == 0
    assert not found.values.any() and not found.directions.any()


@pytest.mark.parametrize("name", ["contractive", "top-k", "convolutional"])
def test_a_large_jacobian_is_measured_without_being_written_down(name: str) -> None:
    model = build(name, (1, 16, 16), seed=0, code=150).eval()
    x = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    whole = inspect.sensitivity(model, x)
    parts = inspect.sensitivity(model, torch.cat([x, 1 - x]), most=1000)
    assert whole.exact and not parts.exact
    assert parts.squared_norm == pytest.approx(whole.squared_norm, rel=1e-4)
    assert len(parts.values) == 64
    assert parts.values[:8].numpy() == pytest.approx(whole.values[:8].numpy(), rel=0.05)
    assert (parts.values <= whole.values[:64] * 1.0001 + 1e-6).all()


def test_the_share_of_a_direction_along_the_pictures() -> None:
    pca = PCA(torch.zeros(4), torch.eye(4)[:2])
    directions = torch.tensor([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, 3, 0, 4]]).view(3, 1, 2, 2)
    assert inspect.along(directions[:1], pca) == 1
    assert inspect.along(directions[1:2], pca) == 0
    assert inspect.along(directions[2:], pca) == pytest.approx(9 / 25)


@pytest.mark.parametrize("name", ["undercomplete", "overcomplete", "sparse-kl", "top-k"])
def test_atoms_of_a_linear_decoder_are_its_columns(name: str) -> None:
    knobs = {} if name == "overcomplete" else {"depth": 0}
    model = build(name, (1, 12, 12), seed=0, code=20, **knobs).eval()
    codes = inspect.encode(model, torch.randint(256, (50, 1, 12, 12), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)))
    weight = model.get_parameter("decoder.0.weight").detach().numpy()
    values = codes.numpy()
    change = values.std(0) * np.linalg.norm(weight, axis=0)
    units = [unit for unit in np.argsort(-change) if change[unit] > 0][:7]
    found = inspect.atoms(model, codes, 7)
    assert found.units.tolist() == units
    for unit, picture in zip(units, found.pictures, strict=True):
        size = np.sqrt(np.mean(values[values[:, unit] != 0, unit] ** 2))
        assert picture.flatten().numpy() == pytest.approx(size * weight[:, unit], rel=1e-3, abs=1e-5)


def test_atoms_of_a_deep_decoder_are_differences_and_dead_units_have_none() -> None:
    model = build("sparse", (1, 12, 12), seed=0, code=6, depth=1).eval()
    codes = torch.rand(30, 6, generator=torch.Generator().manual_seed(0))
    codes[:, 2] = 0
    codes[::2, 3] = 0
    found = inspect.atoms(model, codes, 60)
    assert sorted(found.units.tolist()) == [0, 1, 3, 4, 5]
    without = codes.mean(0).clone()
    without[3] = 0
    with_it = without.clone()
    with_it[3] = codes[1::2, 3].square().mean().sqrt()
    difference = (model.decoder(with_it[None]) - model.decoder(without[None]))[0]
    assert torch.allclose(found.pictures[found.units.tolist().index(3)], difference, atol=1e-5)
