"""Filters without training: each takes noise away from a photograph, keeps shapes, and survives odd pictures."""

import pytest
import torch
from skimage import data
from skimage.metrics import structural_similarity

from aecore.denoise.classic import FILTERS, estimate_sigma
from aecore.denoise.training import noisy_version
from aecore.metrics import psnr, ssim

SIGMAS = (15, 25, 50)
EACH = pytest.mark.parametrize("name", FILTERS)


@pytest.fixture(scope="module")
def photo() -> torch.Tensor:
    """A square of a colour photograph, ``(3, 128, 128)`` in [0, 1]."""
    return torch.from_numpy(data.astronaut()[:256:2, 128:384:2].copy()).permute(2, 0, 1).float() / 255


@EACH
@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("colour", [True, False])
def test_a_noisy_photograph_gets_better(photo: torch.Tensor, name: str, sigma: int, colour: bool) -> None:
    clean = photo if colour else photo.mean(0, keepdim=True)
    noisy = noisy_version(clean, sigma, seed=1)
    before = noisy.clone()
    output = FILTERS[name](noisy, sigma / 255)
    assert output.shape == clean.shape
    assert output.dtype == torch.float32
    assert torch.equal(noisy, before)
    assert psnr(output.clamp(0, 1), clean) > psnr(noisy.clamp(0, 1), clean) + 0.5


@EACH
@pytest.mark.parametrize("shape", [(3, 1, 1), (1, 1, 1), (3, 3, 50), (1, 50, 3), (3, 130, 2)])
def test_tiny_and_narrow_pictures_keep_their_shape(name: str, shape: tuple[int, ...]) -> None:
    picture = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    output = FILTERS[name](picture, 0.1)
    assert output.shape == shape
    assert output.isfinite().all()


@EACH
@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_flat_picture_stays_flat(name: str, level: float, channels: int) -> None:
    picture = torch.full((channels, 20, 30), level)
    torch.testing.assert_close(FILTERS[name](picture, 0.1), picture, atol=1e-3, rtol=0)


@EACH
def test_without_noise_nothing_changes(photo: torch.Tensor, name: str) -> None:
    assert torch.equal(FILTERS[name](photo, 0), photo)


@pytest.mark.parametrize("sigma", [10, *SIGMAS, 75])
@pytest.mark.parametrize("colour", [True, False])
def test_the_noise_level_is_estimated(photo: torch.Tensor, sigma: int, colour: bool) -> None:
    clean = photo if colour else photo.mean(0, keepdim=True)
    assert estimate_sigma(noisy_version(clean, sigma, seed=2)) * 255 == pytest.approx(sigma, rel=0.05, abs=2)


@pytest.mark.parametrize("shape", [(3, 1, 1), (1, 3, 50), (3, 20, 20)])
def test_flat_pictures_have_no_noise(shape: tuple[int, ...]) -> None:
    assert estimate_sigma(torch.full(shape, 0.4)) == pytest.approx(0, abs=1e-6)


def test_structural_similarity_is_the_published_one(photo: torch.Tensor) -> None:
    noisy = noisy_version(photo, 25, seed=3)
    expected = structural_similarity(
        photo.numpy(), noisy.numpy(), data_range=1, channel_axis=0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert ssim(noisy, photo) == pytest.approx(expected, abs=1e-4)
    assert ssim(photo, photo) == pytest.approx(1)


@pytest.mark.parametrize("shape", [(3, 1, 1), (1, 3, 50), (3, 10, 12)])
def test_structural_similarity_of_small_pictures(shape: tuple[int, ...]) -> None:
    picture = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    assert ssim(picture, picture) == pytest.approx(1)
    assert ssim(picture, 1 - picture) < 1
