"""What is taken home: run on their own, script and notebook of every variant print the loss that the page shows."""

import ast
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch

from aecore.data import Images, load
from aecore.knobs import Value
from aecore.models import VARIANTS, build, find
from aecore.recipes import Recipe
from aecore.takehome import bundle, notebook, script
from aecore.training import Finished, Plan, Started, Training
from tests.synthetic import blobs

DIGITS = load("digits")
FEW = Images(DIGITS.train[:600], DIGITS.train_labels[:600], DIGITS.test[:200], DIGITS.test_labels[:200], DIGITS.classes)
CPU = torch.device("cpu")
RUN_ALL = """
import os, runpy, sys
from importlib.util import find_spec
assert find_spec("aecore") is None, "a script must do without this package"
for path in sys.argv[1:]:
    print("----", os.path.basename(path), flush=True)
    os.chdir(os.path.dirname(path))
    runpy.run_path(path, run_name="__main__")
"""


@dataclass
class Case:
    """A run to be made here and made again by its script; ``during`` is called before each of its steps."""

    variant: str
    knobs: dict[str, Value] = field(default_factory=dict)
    plan: Plan = field(default_factory=lambda: Plan(epochs=2, batch=64))
    data: Images = field(default_factory=lambda: FEW)
    reason: str = "complete"
    during: Callable[[Training], object] = lambda training: None
    in_notebook: bool = False

    def run(self) -> tuple[Recipe, Started, Finished]:
        recipe = Recipe(self.variant, "digits", find(self.variant).model.Config.of(**self.knobs).values(), self.plan)
        training = Training(build(self.variant, self.data.shape, seed=self.plan.seed, **recipe.knobs), self.data, self.plan, device=CPU)
        started, *_, finished = (event for event in training.events() if self.during(training) or True)
        assert isinstance(started, Started) and isinstance(finished, Finished)
        assert finished.reason == self.reason
        return recipe, started, finished


def stop_after_seven(training: Training) -> None:
    if training.progress.step == 7:
        training.stop()


def late_after_seven(training: Training) -> None:
    if training.progress.step == 7:
        training.progress.seconds = 1e6


def unsound_after_seven(training: Training) -> None:
    if training.progress.step == 7:
        training.progress.sums = {name: value * float("nan") for name, value in training.progress.sums.items()}


COLOUR = blobs((3, 13, 10))
CASES = {name: Case(name, {"code": 16}) for name in VARIANTS}
CASES |= {
    f"{name}-convolutional-mse-colour": Case(
        name, {"code": 5, "body": "convolutional", "width": 64, "depth": 2, "loss": "mse"}, data=COLOUR
    )
    for name, variant in VARIANTS.items()
    if "body" in [knob.name for knob in variant.model.Config.knobs()]
}
CASES |= {
    "mse-tied-deep": Case("undercomplete", {"code": 8, "loss": "mse", "tied": True, "depth": 2, "linear": True}),
    "notebook": Case("denoising", {"code": 16, "noise": "occlusion"}, in_notebook=True),
    "on-test-pictures-too": Case("undercomplete", {"code": 8}, Plan(epochs=2, batch=50, train_on_test=True, seed=5, schedule="cosine")),
    "many-reports": Case("undercomplete", {"code": 4}, Plan(epochs=2, batch=8, seed=2**31 - 1), blobs(train=3000)),
    "batch-larger-than-data": Case("undercomplete", {"code": 4}, Plan(epochs=3, batch=2048), blobs()),
    "early": Case("undercomplete", {"code": 8}, Plan(epochs=60, batch=64, patience=1, rate=0.1, schedule="constant"), reason="early"),
    "stopped": Case("undercomplete", {"code": 8}, reason="stopped", during=stop_after_seven),
    "stopped-while-worse": Case(
        "undercomplete",
        {"code": 8},
        Plan(epochs=8, batch=64, rate=0.1, schedule="constant"),
        reason="stopped",
        during=lambda training: training.progress.step < 23 or training.stop(),
    ),
    "time": Case("variational", {"code": 8}, reason="time", during=late_after_seven),
    "diverged": Case("undercomplete", {"code": 8}, reason="diverged", during=unsound_after_seven),
}


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Recipe, Finished, str, str]]:
    """Of each case: what was run, how it ended, its script, and what that printed in a fresh process without this package."""
    runs: dict[str, tuple[Recipe, Finished, str]] = {}
    paths = []
    for name, case in CASES.items():
        recipe, started, finished = case.run()
        code = script(recipe, started, finished)
        if case.in_notebook:
            cells = json.loads(notebook(recipe, started, finished))["cells"]
            code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        folder = tmp_path_factory.mktemp("home")
        np.savez(folder / "pictures.npz", train=case.data.train.numpy(), test=case.data.test.numpy())
        paths.append(folder / f"{name}.py")
        paths[-1].write_text(code, encoding="utf-8")
        runs[name] = recipe, finished, code
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-I", "-W", "error", "-c", RUN_ALL, *map(str, paths)]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    answers = dict(re.findall(r"---- (\S+)\.py\n(.*?)(?=\n----|\Z)", ran.stdout, re.DOTALL))
    return {name: (*run, answers[name]) for name, run in runs.items()}


@pytest.mark.parametrize("name", CASES)
def test_a_script_prints_the_loss_on_the_page(name: str, printed: dict[str, tuple[Recipe, Finished, str, str]]) -> None:
    recipe, finished, _, answer = printed[name]
    loss = str(recipe.knobs["loss"])
    expected = f"{finished.test[loss.replace('-', '_')]:.4g}"
    found = re.search(r"test (\S+) (\S+) .* \(the page showed (\S+)\)", answer)
    assert found, answer
    assert found.groups() == (loss, expected, expected)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_script_is_the_model_and_nothing_of_the_lab(name: str, printed: dict[str, tuple[Recipe, Finished, str, str]]) -> None:
    recipe, _, code, _ = printed[name]
    tree = ast.parse(code)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {each.split(".")[0] for each in imported} <= sys.stdlib_module_names | {"torch", "numpy"}
    assert find(name).model.__name__ in {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    for word in ("Config", "knob(", "@variant", "Refused", ":func:", ":class:", "noqa", "type: ignore"):
        assert word not in code
    for knob in recipe.knobs:
        assert f"    {knob}=" in code


def test_scripts_are_tidy(tmp_path: Path, printed: dict[str, tuple[Recipe, Finished, str, str]]) -> None:
    for name in VARIANTS:
        (tmp_path / f"{name}.py").write_text(printed[name][2], encoding="utf-8")
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E4,E7,E9,F,I", str(tmp_path)], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout
    shaped = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "140", "--check", str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert shaped.returncode == 0, shaped.stdout


def test_runs_cut_short_end_with_the_weights_they_should(printed: dict[str, tuple[Recipe, Finished, str, str]]) -> None:
    assert printed["stopped"][1].best_step == 7
    assert printed["time"][1].best_step == 7
    assert printed["stopped-while-worse"][1].best_step < printed["stopped-while-worse"][1].step


def test_a_script_of_a_run_on_a_graphics_card_asks_for_one_and_does_without() -> None:
    recipe, started, finished = CASES["undercomplete"].run()
    for device, line in (
        ("cuda:0", 'torch.device("cuda" if torch.cuda.is_available() else "cpu")'),
        ("mps", "torch.backends.mps.is_available()"),
    ):
        assert line in script(recipe, Started(device, 2, started.parameters, started.images, 0, started.steps), finished)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_notebook_is_well_formed(name: str) -> None:
    finished = Finished("complete", 10, 10, 1.0, {}, {"cross_entropy": 0.1, "mse": 0.01, "psnr": 20.0})
    recipe = Recipe(name, "digits", find(name).model.Config().values(), Plan())
    text = json.loads(notebook(recipe, Started("cpu", 1, 1, 1, 0, 10), finished))
    assert (text["nbformat"], text["nbformat_minor"]) == (4, 5)
    identities = [cell["id"] for cell in text["cells"]]
    assert len(set(identities)) == len(identities) and all(re.fullmatch(r"[a-zA-Z0-9-_]{1,64}", each) for each in identities)
    for cell in text["cells"]:
        wanted = {"cell_type", "id", "metadata", "source"} | ({"execution_count", "outputs"} if cell["cell_type"] == "code" else set())
        assert set(cell) == wanted and cell["cell_type"] in ("code", "markdown")
        assert all(isinstance(line, str) for line in cell["source"])
    assert find(name).formula in "".join(text["cells"][0]["source"])


def test_the_bundle_holds_script_notebook_and_pictures() -> None:
    with zipfile.ZipFile(io.BytesIO(bundle("mine", *CASES["undercomplete"].run(), FEW))) as archive:
        assert sorted(archive.namelist()) == ["mine.ipynb", "mine.py", "pictures.npz"]
        with np.load(io.BytesIO(archive.read("pictures.npz"))) as file:
            assert (file["train"] == FEW.train.numpy()).all() and (file["test"] == FEW.test.numpy()).all()
