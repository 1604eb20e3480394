"""The command line: what it prints, writes and refuses, by its exit status."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import aecore
from aecore import __main__ as cli
from aecore import recipes, weights
from aecore.data import DATASETS, Dataset
from aecore.refusal import Refused
from tests.synthetic import blobs

ROOT = Path(__file__).parent.parent
RECIPE = """
variant = "undercomplete"
data = "blobs"

[knobs]
code = 3

[plan]
epochs = 4
batch = 16
seed = 5
"""
STEPS = 4 * (216 // 16)


@pytest.fixture(autouse=True)
def tiny_data(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = Dataset(
        "blobs", "Blobs", "Soft spots.", "CC0 1.0", "Test (2026)", (1, 12, 12), ("left", "right"), True, lambda progress: blobs()
    )
    monkeypatch.setitem(DATASETS, "blobs", dataset)


@pytest.fixture
def recipe(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    yield path


def test_list_names_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list"]) == 0
    everything = capsys.readouterr().out
    for name in [*aecore.VARIANTS, *DATASETS, *aecore.weights.shipped()]:
        assert f"  {name} " in everything
    assert cli.main(["list", "variants"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(aecore.VARIANTS)


def test_train_writes_the_pair_beside_the_recipe(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", str(recipe)]) == 0
    assert sorted(path.name for path in recipe.parent.iterdir()) == ["tiny.json", "tiny.safetensors", "tiny.toml"]
    model, card = aecore.load(recipe.with_suffix(".safetensors"))
    assert (card.name, card.data, card.licence, card.reason, card.plan["seed"]) == ("tiny", "blobs", "CC0 1.0", "complete", 5)
    x = blobs().test.float() / 255
    assert (model(x) - x).square().mean().item() == pytest.approx(card.metrics["test"]["mse"], rel=1e-5)
    printed = capsys.readouterr().out
    assert f"complete after {STEPS} steps" in printed
    assert f"PSNR {card.metrics['test']['psnr']:.2f} dB" in printed


def test_train_gives_what_the_generator_gives(recipe: Path, tmp_path: Path) -> None:
    assert cli.main(["train", str(recipe), "-o", str(tmp_path / "out" / "named.safetensors")]) == 0
    model = aecore.build("undercomplete", (1, 12, 12), seed=5, code=3)
    list(aecore.train(model, blobs(), aecore.Plan(epochs=4, batch=16, seed=5)))
    written = load_file(tmp_path / "out" / "named.safetensors")
    assert all(torch.equal(written[name], value) for name, value in model.cpu().state_dict().items())


class CtrlC(cli.tqdm):
    """A progress bar during whose eleventh step the user presses Ctrl-C."""

    def update(self, n: float | None = 1) -> bool | None:
        self.seen = getattr(self, "seen", 0) + 1
        if self.seen == 11:
            signal.raise_signal(signal.SIGINT)
        return super().update(n)


def test_interrupted_and_resumed_equals_uninterrupted(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["train", str(recipe), "-o", str(tmp_path / "whole.safetensors")]) == 0
    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patched:
        patched.setattr(cli, "tqdm", CtrlC)
        assert cli.main(["train", str(recipe)]) == cli.INTERRUPTED
    assert signal.getsignal(signal.SIGINT) is before
    checkpoint = recipe.with_suffix(".checkpoint")
    said = capsys.readouterr().err
    assert f"step 11 of {STEPS}" in said and str(checkpoint) in said and "--resume" in said
    assert checkpoint.exists() and not recipe.with_suffix(".safetensors").exists()

    steps: list[int] = []
    learn = cli.Training._learn
    monkeypatch.setattr(cli.Training, "_learn", lambda self, rows: (steps.append(1), learn(self, rows))[1])
    assert cli.main(["train", str(recipe), "--resume"]) == 0
    assert len(steps) == STEPS - 11
    assert not checkpoint.exists()
    whole, resumed = load_file(tmp_path / "whole.safetensors"), load_file(recipe.with_suffix(".safetensors"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_checkpoints_are_written_while_it_runs(recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    written: list[str] = []
    write = cli.weights.write
    for place in (cli.weights, cli.weights.files):
        monkeypatch.setattr(place, "write", lambda path, content: (written.append(path.name), write(path, content))[1])
    assert cli.main(["train", str(recipe)]) == 0
    assert written == ["tiny.checkpoint"] * STEPS + ["tiny.safetensors", "tiny.json"]


def test_resume_without_a_checkpoint_starts_anew(recipe: Path) -> None:
    assert cli.main(["train", str(recipe), "--resume"]) == 0


@pytest.mark.parametrize("spoil", ["recipe", "checkpoint"])
def test_resume_refuses_another_recipes_or_a_damaged_checkpoint(
    recipe: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], spoil: str
) -> None:
    monkeypatch.setattr(cli, "tqdm", CtrlC)
    assert cli.main(["train", str(recipe)]) == cli.INTERRUPTED
    capsys.readouterr()
    checkpoint = recipe.with_suffix(".checkpoint")
    if spoil == "recipe":
        recipe.write_text(RECIPE.replace("seed = 5", "seed = 6"))
    else:
        checkpoint.write_bytes(checkpoint.read_bytes()[:-1])
    assert cli.main(["train", str(recipe), "--resume"]) == 1
    assert "damaged or belongs to another recipe" in capsys.readouterr().err
    assert checkpoint.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("= =", "not a TOML file"),
        (RECIPE.replace("undercomplete", "quantum"), "no variant called quantum"),
        (RECIPE.replace('"blobs"', '"spots"'), "no data set named spots"),
        (RECIPE.replace("code = 3", "code = 0"), "code must be a number from 1"),
        (RECIPE.replace("code = 3", "code = 1979-05-27"), "code must be a number"),
        (RECIPE.replace("code = 3", "colour = 3"), "no setting called colour"),
        (RECIPE.replace("epochs = 4", "epoch = 4"), "no setting called epoch"),
        (RECIPE.replace("seed = 5", "seed = -1"), "seed must be a number"),
        (RECIPE.replace('variant = "undercomplete"', ""), "needs a line like variant"),
        (RECIPE.replace('variant = "undercomplete"', "variant = 3"), "needs a line like variant"),
        (RECIPE.replace("[knobs]\ncode", "knobs"), "table that begins with"),
        ("seed = 3\n" + RECIPE, "no part called seed"),
        ("#" * 64_001, "not a recipe"),
        ("x = " + "[" * 50_000, "not a TOML file"),
    ],
    ids=lambda each: str(each)[-30:].strip(),
)
def test_mistakes_in_a_recipe_are_refused_in_one_line(recipe: Path, capsys: pytest.CaptureFixture[str], text: str, words: str) -> None:
    recipe.write_text(text)
    assert cli.main(["train", str(recipe)]) == 1
    said = capsys.readouterr()
    assert words in said.err and said.err.count("\n") == 1 and said.out == ""
    assert [path.name for path in recipe.parent.iterdir()] == ["tiny.toml"]


def test_binary_recipes_and_impossible_names_are_refused(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", str(recipe), "-o", str(recipe.parent / "My Model.safetensors")]) == 1
    assert "cannot be a model's name" in capsys.readouterr().err
    recipe.write_bytes(b"\xff\x00")
    assert cli.main(["train", str(recipe)]) == 1
    assert "not a TOML file" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["fly"], ["train"], ["list", "everything"], ["train", "x.toml", "--fast"]], ids=" ".join)
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 2
    assert "usage: python -m aecore" in capsys.readouterr().err


def test_as_a_program_a_refusal_is_one_sentence_and_status_1(tmp_path: Path) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", "-m", "aecore", "train", str(tmp_path / "none.toml")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip().endswith("Give the path of a recipe.") and done.stderr.count("\n") == 1


def test_shipped_recipes_are_valid() -> None:
    paths = [ROOT / "weights" / f"{name}.toml" for name in weights.shipped()]
    assert len(paths) >= 4
    for path in paths:
        recipe = recipes.read(path)
        assert DATASETS[recipe.data].built_in, path
    with pytest.raises(Refused):
        recipes.parse({})
