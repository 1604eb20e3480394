"""The command line: ``python -m aecore COMMAND ...``.

Exit status: 0 done, 1 refused (one sentence on standard error), 2 wrong usage, 130 interrupted by Ctrl-C.
A command is a function that declares its arguments and names the function that does the work; ``COMMANDS`` lists them.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import get_args

from tqdm import tqdm

from aecore import weights
from aecore.commands.compress import add_compress, add_decompress, add_info
from aecore.commands.denoise import add_denoise
from aecore.commands.swap import add_swap
from aecore.commands.train_codec import add_train_codec
from aecore.commands.train_denoiser import add_train_denoiser
from aecore.commands.train_swap import add_train_swap
from aecore.commands.train_text import add_train_text
from aecore.commands.verify import add_verify
from aecore.data import DATASETS, load
from aecore.inspect import judge
from aecore.models import VARIANTS, build
from aecore.recipes import Recipe, read
from aecore.refusal import Refused
from aecore.terminal import INTERRUPTED, interruptible
from aecore.training import Finished, Reported, Stepped, Training
from aecore.weights.tensors import Bits

SECONDS_BETWEEN_CHECKPOINTS = 5.0

Commands = argparse._SubParsersAction


def add_list(commands: Commands) -> None:
    """``list [variants|data|weights]``"""
    parser = commands.add_parser("list", help="what there is, by name: variants, data sets, shipped weights")
    parser.add_argument("what", nargs="?", choices=("variants", "data", "weights"), help="leave out for all three")
    parser.set_defaults(run=show_list)


def show_list(asked: argparse.Namespace) -> int:
    """Print names, and one line about each."""
    lists = {
        "variants": {name: each.about for name, each in VARIANTS.items()},
        "data": {name: f"{each.title}. {each.about}" for name, each in DATASETS.items()},
        "weights": {name: _summary(name) for name in weights.shipped()},
    }
    chosen = [asked.what] if asked.what else list(lists)
    for what in chosen:
        if len(chosen) > 1:
            print(f"{what}:")
        for name, about in lists[what].items():
            print(f"  {name:28}{about}")
    return 0


def _summary(name: str) -> str:
    _, card = weights.load(name)
    return f"{card.variant}, code {card.knobs['code']}, {card.parameters:,} parameters. Test: {_figures(card.metrics['test'])}."


def add_train(commands: Commands) -> None:
    """``train RECIPE.toml [-o WEIGHTS] [--resume]``"""
    parser = commands.add_parser("train", help="train what a recipe says; write weights and their card")
    parser.add_argument("recipe", type=Path, metavar="RECIPE.toml")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="WEIGHTS", help="the .safetensors file; default: beside the recipe, by its name"
    )
    parser.add_argument("--bits", type=int, choices=get_args(Bits), default=32, help="that a weight takes on disk; default: 32")
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint of a run that was interrupted")
    parser.set_defaults(run=run_train)


def run_train(asked: argparse.Namespace) -> int:
    """Train with a progress bar, a checkpoint every few seconds, and the pair of files at the end."""
    recipe = read(asked.recipe)
    output = (asked.output or asked.recipe).with_suffix(".safetensors")
    weights.check_name(output.stem)
    checkpoint = output.with_suffix(".checkpoint")
    images = load(recipe.data)
    model = build(recipe.variant, images.shape, seed=recipe.plan.seed, **recipe.knobs)
    training = Training(model, images, recipe.plan, checkpoint=_resume(checkpoint, recipe) if asked.resume else b"")
    with interruptible() as interrupted:
        finished = follow(training, lambda: _keep(checkpoint, recipe, training), interrupted)
    if finished is None:
        _keep(checkpoint, recipe, training)
        done = f"Interrupted at step {training.progress.step} of {training.steps}."
        print(f"{done} What was learnt is in {checkpoint}; the same command with --resume continues.", file=sys.stderr)
        return INTERRUPTED
    judged = judge(model, images)
    weights.save(model, weights.card_for(model, output.stem, recipe.data, recipe.plan, finished, judged), output, asked.bits)
    checkpoint.unlink(missing_ok=True)
    print(f"{output}: {finished.reason} after {finished.step} steps and {finished.seconds:.1f} s; best at step {finished.best_step}.")
    print(f"train: {_figures(finished.train)}")
    print(f"test:  {_figures(finished.test | judged)}")
    return 0


def follow(training: Training, keep: Callable[[], None], interrupted: Callable[[], bool]) -> Finished | None:
    """Draw a run's progress until it has ended (its last event), or until it is interrupted between two steps (None)."""
    kept = time.monotonic()
    with tqdm(total=training.steps, initial=training.progress.step, unit="step", disable=None) as bar:
        for event in training.events():
            if isinstance(event, Stepped):
                bar.update()
                if interrupted():
                    return None
                if time.monotonic() - kept > SECONDS_BETWEEN_CHECKPOINTS:
                    keep()
                    kept = time.monotonic()
            elif isinstance(event, Reported):
                bar.set_postfix(train=f"{sum(event.train.values()):.4f}", validation=f"{sum(event.validation.values()):.4f}")
            elif isinstance(event, Finished):
                return event
    raise AssertionError("a run's last event is Finished")


def _keep(path: Path, recipe: Recipe, training: Training) -> None:
    """A checkpoint's first line is a digest of the recipe and of the rest, which is the frozen run."""
    frozen = training.checkpoint()
    weights.write(path, _seal(recipe, frozen) + frozen)


def _resume(path: Path, recipe: Recipe) -> bytes:
    """The frozen run, or nothing where no run was interrupted; ``Refused`` where the recipe or the file has changed since."""
    if not path.exists():
        return b""
    content = path.read_bytes()
    seal, _, frozen = content.partition(b"\n")
    if seal + b"\n" != _seal(recipe, frozen):
        raise Refused("{path} is damaged or belongs to another recipe. Leave out --resume to start anew.", path=str(path))
    return frozen


def _seal(recipe: Recipe, frozen: bytes) -> bytes:
    words = json.dumps(asdict(recipe), sort_keys=True).encode()
    return hashlib.sha256(words + frozen).hexdigest().encode() + b"\n"


def _figures(terms: dict[str, float]) -> str:
    words = {
        "cross_entropy": "cross-entropy {:.4f} nats per pixel",
        "mse": "MSE {:.5f}",
        "psnr": "PSNR {:.2f} dB",
        "identity_gap": "identity gap {:.1f} dB",
        "active_values": "{:.1f} active values",
        "probe_accuracy": "probe accuracy {:.1%}",
    }
    return ", ".join(words.get(name, name + " {:.4g}").format(value) for name, value in terms.items())


COMMANDS: tuple[Callable[[Commands], None], ...] = (
    add_list,
    add_train,
    add_train_denoiser,
    add_denoise,
    add_train_codec,
    add_train_text,
    add_compress,
    add_decompress,
    add_info,
    add_verify,
    add_train_swap,
    add_swap,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status."""
    parser = argparse.ArgumentParser(prog="python -m aecore", description="Train and use autoencoders.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in COMMANDS:
        add(commands)
    asked = parser.parse_args(arguments)
    try:
        return asked.run(asked)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
