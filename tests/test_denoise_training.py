"""The denoiser learns from patches of photographs, goes on from a checkpoint, and what it gives can be read again."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from aecore import __main__ as cli
from aecore.commands.train_denoiser import read_words
from aecore.denoise import weights
from aecore.denoise.noise import KINDS, damage
from aecore.denoise.training import PhotoLessons, Photos, Plan, noisy_version, read_photos
from aecore.signals.training import Plan as SignalPlan
from aecore.training.muon import Muon, orthogonal
from tests.serving import ROOT

PLAN = Plan(steps=6, batch=2, patch=32, seed=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four small smooth pictures, in two folders."""
    place = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for index in range(24):
        inner = place / ("a" if index % 2 else "b")
        inner.mkdir(exist_ok=True)
        small = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
        Image.fromarray(small).resize((56, 48), Image.Resampling.BICUBIC).save(inner / f"{index}.png")
    (place / "notes.txt").write_text("no picture")
    return place


def test_it_learns_and_a_run_cut_in_two_gives_the_same_weights(folder: Path) -> None:
    found = read_photos([folder])
    assert len(found) == 24 and found[0].shape == (3, 48, 56)
    photos = Photos(found, PLAN)
    whole = PhotoLessons(photos)
    assert list(whole.steps()) == [1, 2, 3, 4, 5, 6]
    first = PhotoLessons(photos)
    for step in first.steps():
        if step == 3:
            break
    second = PhotoLessons(photos, first.checkpoint())
    assert list(second.steps()) == [4, 5, 6]
    for a, b in zip(whole.learnt().parameters(), second.learnt().parameters(), strict=True):
        assert torch.equal(a, b)
    held = {id(each) for each in photos.held_out}
    assert not held & {id(each) for each in photos.photos}


def test_it_gets_better(folder: Path) -> None:
    lessons = PhotoLessons(Photos(read_photos([folder]), Plan(steps=150, batch=4, patch=32, rate=3e-3)))
    before = lessons.validate()
    for _ in lessons.steps():
        pass
    after = lessons.validate()
    assert after["psnr_sigma_50"] > before["psnr_sigma_50"] + 3, (before, after)


def test_the_command_writes_weights_that_load(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text('data = "d"\nlicence = "l"\nsource = "s"\n[plan]\nsteps = 2\nbatch = 2\npatch = 32\n')
    assert cli.main(["train-denoiser", str(recipe), "--photos", str(folder)]) == 0
    assert "2 steps" in capsys.readouterr().out
    model, card = weights.load(tmp_path / "tiny.safetensors")
    assert (card.data, card.steps, card.plan["patch"]) == ("d", 2, 32)
    assert set(card.metrics["held out"]) == {"psnr_sigma_15", "psnr_sigma_25", "psnr_sigma_50"}
    assert model(torch.rand(1, 3, 9, 20)).shape == (1, 3, 9, 20)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.card.json", "tiny.safetensors", "tiny.toml"]


def test_a_run_may_begin_with_weights_that_are_there(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "more.toml"
    recipe.write_text('data = "d"\nlicence = "l"\nsource = "s"\n[plan]\nsteps = 1\nbatch = 1\npatch = 32\nrate = 0.000001\n')
    assert cli.main(["train-denoiser", str(recipe), "--photos", str(folder), "--start", str(weights.SHIPPED)]) == 0
    given, more = weights.load()[0].state_dict(), weights.load(tmp_path / "more.safetensors")[0].state_dict()
    assert all((more[name] - value).abs().max() < 1e-3 for name, value in given.items())
    assert cli.main(["train-denoiser", str(recipe), "--series", "--start", str(weights.SHIPPED)]) == 1
    assert "leave out --start" in capsys.readouterr().err


def test_too_few_photographs_and_a_bad_recipe_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "r.toml"
    for content, words in (("", "needs a line like data"), ("= 3", "cannot be read as a recipe")):
        recipe.write_text(content)
        assert cli.main(["train-denoiser", str(recipe), "--photos", str(tmp_path)]) == 1
        assert words in capsys.readouterr().err
    recipe.write_text('data = "d"\nlicence = "l"\nsource = "s"\n')
    assert cli.main(["train-denoiser", str(recipe), "--photos", str(tmp_path)]) == 1
    assert "at least 20" in capsys.readouterr().err


def test_the_shipped_recipes_are_valid() -> None:
    for name, plan in (("photos", Plan), ("sound", SignalPlan), ("series", SignalPlan)):
        words, knobs = read_words(ROOT / "weights" / f"{name}-denoiser.toml")
        assert all(len(each) <= 300 for each in words.values())
        assert plan.of(**knobs).steps > 1000


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_noise_grows_with_its_strength(kind: str) -> None:
    rng = torch.Generator().manual_seed(0)
    picture = torch.nn.functional.interpolate(torch.rand(1, 3, 6, 6, generator=rng), size=(48, 48), mode="bilinear")[0]
    errors = [
        (KINDS[kind](picture, strength, torch.Generator().manual_seed(1)) - picture).square().mean().item() for strength in (0.1, 0.9)
    ]
    assert 0 < errors[0] < errors[1]


def test_training_noise_is_of_all_kinds_and_comes_from_the_generator() -> None:
    clean = torch.rand(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    noisy, target = damage(clean, torch.Generator().manual_seed(5))
    again, _ = damage(clean, torch.Generator().manual_seed(5))
    assert torch.equal(noisy, again)
    assert noisy.min() < 0 and noisy.max() > 1, "not cut"
    grey = (target[:, :1] == target).all(dim=(1, 2, 3))
    assert 0 < grey.sum() < 32
    assert torch.equal(noisy_version(clean[0], 25, 3), noisy_version(clean[0], 25, 3))


def test_muon_makes_directions_alike_and_leaves_the_ends_to_adam() -> None:
    matrix = torch.randn(6, 40, generator=torch.Generator().manual_seed(0)) * torch.logspace(0, -1, 6)[:, None]
    values = torch.linalg.svdvals(orthogonal(matrix))
    assert values.min() > 0.6 and values.max() < 1.3
    assert torch.allclose(orthogonal(matrix.T), orthogonal(matrix).T)
    layers = torch.nn.Sequential(*(torch.nn.Linear(8, 8) for _ in range(3)))
    ours, adam = Muon(layers.parameters(), 1e-2), torch.optim.Adam((theirs := deepcopy(layers)).parameters(), 1e-2)
    x = torch.randn(32, 8, generator=torch.Generator().manual_seed(1))
    layers(x).square().mean().backward(), theirs(x).square().mean().backward()
    ours.step(), adam.step()
    same = [torch.allclose(a, b, atol=1e-6) for a, b in zip(layers.parameters(), theirs.parameters(), strict=True)]
    assert same == [True, True, False, True, True, True]
