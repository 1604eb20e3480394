"""``python -m aecore train-denoiser RECIPE.toml --photos FOLDER... [-o WEIGHTS] [--resume]``"""

import argparse
import sys
import time
import tomllib
from pathlib import Path

from tqdm import tqdm

from aecore import weights
from aecore.denoise.training import Lessons, Plan, read_photos
from aecore.denoise.weights import card_for, save
from aecore.refusal import Refused
from aecore.terminal import INTERRUPTED, interruptible

SECONDS_BETWEEN_CHECKPOINTS = 30.0
WORDS = ("data", "licence", "source")


def add_train_denoiser(commands: argparse._SubParsersAction) -> None:
    """Declare the command."""
    parser = commands.add_parser("train-denoiser", help="teach the denoiser on your photographs, as a recipe says")
    parser.add_argument("recipe", type=Path, metavar="RECIPE.toml")
    parser.add_argument("--photos", type=Path, nargs="+", required=True, metavar="FOLDER", help="searched with all that is below them")
    parser.add_argument("-o", "--output", type=Path, metavar="WEIGHTS", help="the .safetensors file; default: beside the recipe")
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint of a run that was interrupted")
    parser.set_defaults(run=train_denoiser)


def train_denoiser(asked: argparse.Namespace) -> int:
    """Learn with a progress bar and a checkpoint every half minute; write the weights and their card at the end."""
    words, plan = _read(asked.recipe)
    photos = read_photos(asked.photos)
    if len(photos) < 20:
        raise Refused("There are {count} photographs in these folders; at least 20 are needed.", count=len(photos))
    output = (asked.output or asked.recipe).with_suffix(".safetensors")
    weights.check_name(output.stem)
    kept = output.with_suffix(".checkpoint")
    lessons = Lessons(photos, plan, kept.read_bytes() if asked.resume and kept.exists() else b"")
    last = time.monotonic()
    with interruptible() as interrupted, tqdm(total=plan.steps, initial=lessons.progress.step, unit="step", disable=None) as bar:
        for step in lessons.steps():
            bar.update()
            if interrupted() or time.monotonic() - last > SECONDS_BETWEEN_CHECKPOINTS:
                weights.write(kept, lessons.checkpoint())
                last = time.monotonic()
            if interrupted():
                print(f"Interrupted at step {step} of {plan.steps}; the same command with --resume continues.", file=sys.stderr)
                return INTERRUPTED
    finish(lessons, words, output)
    kept.unlink(missing_ok=True)
    return 0


def finish(lessons: Lessons, words: dict[str, str], output: Path) -> None:
    """Measure what was learnt on the photographs held out, and write it with its card."""
    found = {f"psnr_sigma_{sigma}": value for sigma, value in lessons.validate().items()}
    model, done = lessons.learnt(), lessons.progress
    metrics = {"held out": found}
    save(model, card_for(model, output.stem, **words, plan=lessons.plan, steps=done.step, seconds=done.seconds, metrics=metrics), output)
    print(f"{output}: {done.step} steps in {done.seconds:.0f} s; " + ", ".join(f"{name} {value:.2f} dB" for name, value in found.items()))


def _read(path: Path) -> tuple[dict[str, str], Plan]:
    """What the card says of the photographs, and the plan."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused("{path} cannot be read as a recipe ({reason}).", path=str(path), reason=error) from error
    for name in WORDS:
        if not isinstance(values.get(name), str):
            raise Refused('A recipe needs a line like {name} = "...".', name=name)
    return {name: values[name] for name in WORDS}, Plan.of(**values.get("plan", {}))
