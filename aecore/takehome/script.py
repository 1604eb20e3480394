"""A finished run as a script and as a notebook that need only torch and numpy, and print its loss again."""

import io
import json
import platform
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from aecore.data import DATASETS, Images
from aecore.knobs import Choice, Config, Value
from aecore.models import find
from aecore.recipes import Recipe
from aecore.takehome import plain
from aecore.takehome.source import Import, gather
from aecore.training import Finished, Started, loop

PICTURES = "pictures.npz"
UNITS = {"cross-entropy": "nats per pixel", "mse": "squared intensity"}
CUT_SHORT = {
    "time": "here the time limit ended it",
    "stopped": "here somebody stopped it",
    "diverged": "here the loss was no longer a number",
}
BLOCKS = ("def ", "class ", "@")  # have two empty lines above
TRAINING = ("aecore.training", "aecore.takehome", "aecore.metrics")
CURVE = """\
try:
    import matplotlib.pyplot as plt
except ImportError:
    print("With matplotlib installed, this cell draws the curve and the pictures.")
else:
    epochs, training, kept_aside = zip(*curve)
    plt.plot(epochs, training, label="training pictures")
    plt.plot(epochs, kept_aside, label="held-out pictures")
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend()
    figure, axes = plt.subplots(2, 8, figsize=(10, 2.6))
    originals = test[:8].to(device).float() / 255
    with torch.no_grad():
        drawn_again = model(originals)
    for row, pictures in zip(axes, (originals, drawn_again)):
        for place, picture in zip(row, pictures):
            place.imshow(picture.permute(1, 2, 0).cpu(), cmap="gray", vmin=0, vmax=1)
            place.axis("off")
    plt.show()"""


@dataclass(frozen=True)
class Part:
    """A heading and the code below it."""

    title: str
    code: str


def script(recipe: Recipe, started: Started, finished: Finished) -> str:
    """Python that trains ``recipe`` again and prints the loss of ``finished`` beside its own. It reads ``pictures.npz`` next to it."""
    opening, *parts = _parts(recipe, started, finished, 'Path(__file__).with_name("pictures.npz")')
    cells = "\n\n\n".join(f"# %% {part.title}\n\n{chr(10) * part.code.startswith(BLOCKS)}{part.code}" for part in parts)
    return f'r"""{_introduction(recipe)}\n"""\n\n{opening.code}\n\n{cells}\n'


def notebook(recipe: Recipe, started: Started, finished: Finished) -> str:
    """The same as a Jupyter notebook (format 4.5), with the formula, and with pictures where matplotlib is installed."""
    variant = find(recipe.variant)
    title, *body = _introduction(recipe).split("\n\n")
    cells = [("markdown", "\n\n".join([f"# {title}", *body, f"$${variant.formula}$$"]))]
    for part in [*_parts(recipe, started, finished, 'Path("pictures.npz")'), Part("The curve, and test pictures drawn again", CURVE)]:
        cells += [("markdown", f"## {part.title}"), ("code", part.code)]
    return json.dumps(
        {
            "cells": [_cell(place, *cell) for place, cell in enumerate(cells)],
            "metadata": {
                "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                "language_info": {"name": "python"},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        },
        indent=1,
        ensure_ascii=False,
    )


def bundle(name: str, recipe: Recipe, started: Started, finished: Finished, data: Images) -> bytes:
    """A ZIP with script and notebook, called ``name``, and the pictures."""
    pictures, file = io.BytesIO(), io.BytesIO()
    np.savez_compressed(pictures, train=data.train.numpy(), test=data.test.numpy())
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.py", script(recipe, started, finished))
        archive.writestr(f"{name}.ipynb", notebook(recipe, started, finished))
        archive.writestr(PICTURES, pictures.getvalue(), zipfile.ZIP_STORED)  # compressed already
    return file.getvalue()


def _introduction(recipe: Recipe) -> str:
    variant, known = find(recipe.variant), DATASETS.get(recipe.data)
    pictures = f"{known.title}. Source: {known.source}. Licence: {known.licence}." if known else "your own."
    return (
        f"{variant.title} autoencoder, trained again as in Autoencoder Lab\n\n"
        f"{variant.about}\nSource: {variant.source}\n\n"
        f"The pictures, in {PICTURES}: {pictures}\n\n"
        f"Needs Python 3.11 or later, torch and numpy, and {PICTURES} in the same folder. Change the settings below and run it again.\n"
        f"The definitions are the lab's own source. Made with Python {platform.python_version()} and torch {torch.__version__}:\n"
        "another version, or another kind of processor, may round the last digit differently."
    )


def _parts(recipe: Recipe, started: Started, finished: Finished, pictures: str) -> Iterator[Part]:
    """Imports, settings, the definitions module by module, and the few lines that use them."""
    model = find(recipe.variant).model
    imports, chapters = gather(
        [(model.__module__, model.__name__), *((plain.__name__, each) for each in ("hold_out", "learn")), (loop.__name__, "measure")]
    )
    imports |= {("pathlib", "Path", "Path"), ("types", "SimpleNamespace", "SimpleNamespace"), ("numpy", "", "np"), ("torch", "", "torch")}
    yield Part("Imports", import_lines(imports))
    yield Part("Settings", _settings(recipe, finished, pictures))
    for each in chapters:
        if not each.module.startswith(TRAINING):
            yield Part(each.title.rstrip("."), each.code)
    yield Part("How it is trained and measured", "\n\n\n".join(each.code for each in chapters if each.module.startswith(TRAINING)))
    yield Part("Train it, and measure it on the test pictures", _ending(recipe, started))


def _settings(recipe: Recipe, finished: Finished, pictures: str) -> str:
    loss = str(recipe.knobs["loss"])
    shown = finished.test[loss.replace("-", "_")]
    plan = {name: value for name, value in recipe.plan.values().items() if name != "seconds"}  # a script has no time limit
    steps = (
        f"{finished.step}  # {CUT_SHORT[finished.reason]}; None: to the end of the plan"
        if finished.reason in CUT_SHORT
        else "None  # to the end of the plan"
    )
    return "\n".join(
        [
            *_namespace("SETTINGS", find(recipe.variant).model.Config, recipe.knobs),
            *_namespace("PLAN", type(recipe.plan), plan),
            f"STEPS = {steps}",
            f"SHOWN = {shown:.4g}  # what the page showed: {loss} on the test pictures, in {UNITS[loss]}",
            f"PICTURES = {pictures}",
        ]
    )


def _namespace(name: str, kind: type[Config], values: dict[str, Value]) -> Iterator[str]:
    """Values by name, each with its help."""
    yield f"{name} = SimpleNamespace("
    for each in kind.knobs():
        if each.name in values:
            value, choices = repr(values[each.name]), ""
            if isinstance(each.limits, Choice):
                value, choices = json.dumps(values[each.name]), " or ".join(f'"{option}"' for option in each.limits.options) + ". "
            yield f"    {each.name}={value},  # {choices}{each.help}"
    yield ")"


def _ending(recipe: Recipe, started: Started) -> str:
    loss = str(recipe.knobs["loss"])
    kind = started.device.split(":")[0]
    device = '"cpu"' if kind == "cpu" else f'"{kind}" if torch.{"cuda" if kind == "cuda" else "backends.mps"}.is_available() else "cpu"'
    remark = "" if kind == "cpu" else "  # where the page's run was trained; the processor rounds differently"
    return f"""\
torch.set_num_threads({started.threads})  # as on the page: another number adds in another order
device = torch.device({device}){remark}
with np.load(PICTURES) as file:
    train, test = torch.from_numpy(file["train"]), torch.from_numpy(file["test"])
model = {find(recipe.variant).model.__name__}(tuple(train.shape[1:]), SETTINGS)
model.initialise(torch.Generator().manual_seed(PLAN.seed))
model.to(device)
pictures, held_out = hold_out(train, test, PLAN)
curve = learn(model, pictures.to(device), held_out.to(device), PLAN, STEPS)
found = measure(model, test.to(device))["{loss.replace("-", "_")}"]
print(f"test {loss} {{found:.4g}} {UNITS[loss]} (the page showed {{SHOWN:.4g}})")"""


def import_lines(found: Iterable[Import]) -> str:
    """Import statements: the standard library first, whole modules before names from them."""
    groups = [], []
    for source in sorted({source for source, *_ in found}):
        mine = sorted((name, bound) for module, name, bound in found if module == source)
        group = groups[source.split(".")[0] not in sys.stdlib_module_names]
        group += [f"import {source}" + (f" as {bound}" if bound != source else "") for name, bound in mine if not name]
        names = ", ".join(name + (f" as {bound}" if bound != name else "") for name, bound in mine if name)
        group += [f"from {source} import {names}"] if names else []
    return "\n\n".join("\n".join(sorted(group, key=lambda line: line.startswith("from"))) for group in groups if group)


def _cell(place: int, kind: str, text: str) -> dict[str, object]:
    cell: dict[str, object] = {"cell_type": kind, "id": f"cell-{place}", "metadata": {}, "source": text.splitlines(keepends=True)}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})
