"""Metrics against numpy in float64, and against the published figures of MNIST."""

import math

import numpy as np
import pytest
import torch

import aecore
from aecore.metrics import PCA, entropy_floor, psnr


def bytes_of(seed: int, *shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def test_psnr_in_decibels() -> None:
    assert psnr(torch.full((2, 1, 3, 3), 0.6), torch.full((2, 1, 3, 3), 0.5)) == pytest.approx(20, abs=1e-4)
    assert psnr(torch.ones(4), torch.zeros(4)) == pytest.approx(0)
    assert psnr(torch.ones(4), torch.ones(4)) == math.inf


def test_psnr_takes_the_mean_error_first_and_the_logarithm_after() -> None:
    output, target = torch.tensor([0.1, 0.01]), torch.zeros(2)
    assert psnr(output, target) == pytest.approx(-10 * math.log10((0.1**2 + 0.01**2) / 2), rel=1e-6)


def test_entropy_floor_is_the_mean_binary_entropy() -> None:
    x = bytes_of(0, 3, 2, 5, 4)
    p = x.double().numpy() / 255
    with np.errstate(divide="ignore", invalid="ignore"):
        each = -np.nan_to_num(p * np.log(p)) - np.nan_to_num((1 - p) * np.log(1 - p))
    assert entropy_floor(x) == pytest.approx(float(each.mean()), rel=1e-9)
    assert entropy_floor(x.float() / 255) == pytest.approx(float(each.mean()), rel=1e-6)


def test_entropy_floor_of_black_and_white_is_nothing_and_of_grey_is_one_bit() -> None:
    assert entropy_floor(torch.tensor([[[[0, 255, 255, 0]]]], dtype=torch.uint8)) == 0
    assert entropy_floor(torch.full((1, 1, 2, 2), 0.5)) == pytest.approx(math.log(2))


def test_nothing_scores_below_the_floor() -> None:
    x = bytes_of(1, 4, 1, 6, 6)
    p = x.double() / 255
    copied = torch.logit(p.clamp(1e-9, 1 - 1e-9))
    floor = entropy_floor(x)
    assert aecore.losses.cross_entropy(copied, p).item() == pytest.approx(floor, rel=1e-6)
    assert aecore.losses.cross_entropy(copied + 0.1, p).item() > floor


@pytest.mark.parametrize(("count", "k"), [(200, 1), (200, 7), (30, 7), (20, 19)], ids=["one", "tall", "wide", "all"])
def test_pca_is_the_truncated_singular_value_decomposition(count: int, k: int) -> None:
    x = bytes_of(2, count, 1, 6, 8)
    flat = x.flatten(1).double().numpy() / 255
    mean = flat.mean(0)
    left, values, right = np.linalg.svd(flat - mean, full_matrices=False)
    expected = (left[:, :k] * values[:k]) @ right[:k] + mean
    pca = PCA.fit(x, k)
    assert pca.axes.shape == (k, 48)
    np.testing.assert_allclose(pca.axes @ pca.axes.T, np.eye(k), atol=1e-4)
    np.testing.assert_allclose(np.abs(np.sum(pca.axes.numpy() * right[:k], axis=1)), 1, atol=1e-3)
    ours = pca.reconstruct(x.float() / 255)
    assert ours.shape == x.shape
    np.testing.assert_allclose(ours.flatten(1), np.clip(expected, 0, 1), atol=1e-4)


@pytest.mark.parametrize("k", [4, 9, 10, 500])
def test_pca_asked_for_more_than_there_is_copies_what_it_has_seen(k: int) -> None:
    x = bytes_of(3, 5, 1, 6, 6).repeat(2, 1, 1, 1)  # ten pictures, five different ones: four directions
    pca = PCA.fit(x, k)
    assert bool(pca.axes.isfinite().all())
    np.testing.assert_allclose(pca.reconstruct(x.float() / 255), x.float() / 255, atol=1e-3)
    other = bytes_of(4, 20, 1, 6, 6).float() / 255
    flat, mean = (x.flatten(1).double() / 255).numpy(), (x.flatten(1).double() / 255).numpy().mean(0)
    plane = np.linalg.svd(flat - mean, full_matrices=False)[2][:4]
    expected = (other.flatten(1).numpy() - mean) @ plane.T @ plane + mean
    np.testing.assert_allclose(pca.reconstruct(other).flatten(1), np.clip(expected, 0, 1), atol=1e-2)


def test_digits_have_the_published_floor_and_pca_line() -> None:
    """All of MNIST's test pictures: floor 0.0581, PCA at 32 clipped 0.0152, mean picture 0.0675; ours are 2,000 of them."""
    digits = aecore.data.load("digits")
    x = digits.test.float() / 255
    pca = PCA.fit(digits.train, 32)
    assert entropy_floor(digits.test) == pytest.approx(0.0581, abs=0.001)
    assert (pca.reconstruct(x) - x).square().mean().item() == pytest.approx(0.0152, abs=0.0003)
    assert (pca.mean.view(1, 1, 28, 28) - x).square().mean().item() == pytest.approx(0.0675, abs=0.001)
