"""Every kind of noise: none at level 0, more at higher levels, the same from the same seed, and what it says it is."""

import pytest
import torch

from aecore.corruption import CORRUPTIONS, gaussian, masking, occlusion, salt_and_pepper, speckle

GREY = torch.full((40, 3, 30, 20), 0.5)
every_kind = pytest.mark.parametrize("kind", CORRUPTIONS)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@every_kind
def test_level_nought_changes_nothing(kind: str) -> None:
    x = torch.rand(5, 1, 9, 9, generator=rng())
    assert torch.equal(CORRUPTIONS[kind](x, 0.0, rng()), x)


@every_kind
def test_more_is_more_and_pictures_stay_pictures(kind: str) -> None:
    distances = []
    for level in (0.1, 0.4, 0.9):
        noisy = CORRUPTIONS[kind](GREY, level, rng())
        assert noisy.shape == GREY.shape and noisy.min() >= 0 and noisy.max() <= 1
        distances.append((noisy - GREY).square().mean().item())
    assert distances == sorted(distances) and distances[0] > 0


@every_kind
def test_the_seed_decides_and_the_input_is_left_alone(kind: str) -> None:
    before = GREY.clone()
    first, again, other = (CORRUPTIONS[kind](GREY, 0.5, rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(GREY, before)


def test_gaussian_has_its_standard_deviation() -> None:
    assert (gaussian(GREY, 0.1, rng()) - GREY).std().item() == pytest.approx(0.1, rel=0.03)


def test_masking_blackens_its_share_with_all_channels_of_a_pixel() -> None:
    black = masking(GREY, 0.3, rng()) == 0
    assert black.float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert torch.equal(black[:, 0], black[:, 2])


def test_salt_and_pepper_are_half_and_half() -> None:
    noisy = salt_and_pepper(GREY, 0.4, rng())
    assert (noisy == 0).float().mean().item() == pytest.approx(0.2, abs=0.01)
    assert (noisy == 1).float().mean().item() == pytest.approx(0.2, abs=0.01)


def test_speckle_spares_black() -> None:
    assert torch.equal(speckle(torch.zeros(2, 1, 8, 8), 0.9, rng()), torch.zeros(2, 1, 8, 8))
    assert (speckle(GREY, 0.2, rng()) - GREY).std().item() == pytest.approx(0.1, rel=0.03)


def test_occlusion_hides_one_rectangle_of_its_share() -> None:
    hidden = occlusion(GREY, 0.25, rng())[:, 0] == 0
    assert hidden.float().mean().item() == pytest.approx(0.25, abs=0.02)
    for picture in hidden:
        rows, columns = picture.any(1).nonzero(), picture.any(0).nonzero()
        area = (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1)
        assert picture.sum() == area, "a full rectangle"
