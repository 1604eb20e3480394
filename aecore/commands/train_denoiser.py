"""``python -m aecore train-denoiser RECIPE.toml (--photos FOLDER... | --sounds FOLDER... | --series) [--start WEIGHTS] [-o WEIGHTS] [--resume]``"""

import argparse
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

from tqdm import tqdm

from aecore import weights
from aecore.denoise.training import Lessons, PhotoLessons, Photos, Plan, Subject, read_photos
from aecore.denoise.weights import card_for, load, save
from aecore.refusal import Refused
from aecore.signals import training as signals
from aecore.terminal import INTERRUPTED, interruptible
from aecore.weights.tensors import Bits

SECONDS_BETWEEN_CHECKPOINTS = 30.0
WORDS = ("data", "licence", "source")
LEAST = 20
"""Photographs or sounds that a run needs."""


def add_train_denoiser(commands: argparse._SubParsersAction) -> None:
    """Declare the command."""
    parser = commands.add_parser("train-denoiser", help="teach a denoiser on your photographs or sounds, or on series, as a recipe says")
    parser.add_argument("recipe", type=Path, metavar="RECIPE.toml")
    subject = parser.add_mutually_exclusive_group(required=True)
    subject.add_argument("--photos", type=Path, nargs="+", metavar="FOLDER", help="searched with all that is below them")
    subject.add_argument("--sounds", type=Path, nargs="+", metavar="FOLDER", help="WAV, FLAC and Ogg files, searched in the same way")
    subject.add_argument("--series", action="store_true", help="series of numbers made by rule")
    parser.add_argument("--start", type=Path, metavar="WEIGHTS", help="with --photos: begin as this denoiser, not from chance")
    parser.add_argument("-o", "--output", type=Path, metavar="WEIGHTS", help="the .safetensors file; default: beside the recipe")
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint of a run that was interrupted")
    parser.set_defaults(run=train_denoiser)


def train_denoiser(asked: argparse.Namespace) -> int:
    """Learn with a progress bar and a checkpoint every half minute; write the weights and their card at the end."""
    if asked.start and not asked.photos:
        raise Refused("Only a run on photographs can begin with weights that are there: leave out --start.")
    words, knobs = read_words(asked.recipe)
    subject = _subject(asked, knobs)
    output = (asked.output or asked.recipe).with_suffix(".safetensors")
    weights.check_name(output.stem)
    kept = output.with_suffix(".checkpoint")
    checkpoint = kept.read_bytes() if asked.resume and kept.exists() else b""
    lessons = PhotoLessons(subject, checkpoint) if isinstance(subject, Photos) else Lessons(subject, checkpoint)
    if asked.start and not checkpoint:
        lessons.begin(load(asked.start)[0])
    if not learn(lessons, kept):
        return INTERRUPTED
    finish(lessons, words, output)
    kept.unlink(missing_ok=True)
    return 0


def learn(lessons: Lessons, kept: Path) -> bool:
    """Learn to the end, with a checkpoint every half minute and at the end; False if it was interrupted."""
    last = time.monotonic()
    with interruptible() as interrupted, tqdm(total=lessons.plan.steps, initial=lessons.progress.step, unit="step", disable=None) as bar:
        for step in lessons.steps():
            bar.update()
            if interrupted() or step == lessons.plan.steps or time.monotonic() - last > SECONDS_BETWEEN_CHECKPOINTS:
                weights.write(kept, lessons.checkpoint())
                last = time.monotonic()
            if interrupted():
                print(f"Interrupted at step {step} of {lessons.plan.steps}; the same command with --resume continues.", file=sys.stderr)
                return False
    return True


def finish(lessons: Lessons, words: dict[str, str], output: Path, bits: Bits = 16) -> None:
    """Measure what was learnt on what was held out, and write it with its card; a weight takes as many ``bits``."""
    found, model, done = lessons.validate(), lessons.learnt(), lessons.progress
    metrics = {"held out": found}
    card = card_for(model, output.stem, **words, plan=lessons.plan, steps=done.step, seconds=done.seconds, metrics=metrics)
    save(model, card, output, bits)
    print(f"{output}: {done.step} steps in {done.seconds:.0f} s; " + ", ".join(f"{name} {value:.2f} dB" for name, value in found.items()))


def _subject(asked: argparse.Namespace, knobs: dict[str, Any]) -> Subject:
    """What is taught, and the plan for it."""
    if asked.series:
        return signals.Series(signals.Plan.of(**knobs))
    plan = Plan.of(**knobs) if asked.photos else signals.Plan.of(**knobs)
    if isinstance(plan, Plan):
        return Photos(enough(read_photos(asked.photos)), plan)
    return signals.Sounds(enough(signals.read_sounds(asked.sounds)), plan)


def enough(found: list) -> list:
    """What was found in folders to learn from; ``Refused`` for less than a run needs."""
    if len(found) < LEAST:
        raise Refused("There are {count} files to learn from in these folders; at least {least} are needed.", count=len(found), least=LEAST)
    return found


def read_words(path: Path) -> tuple[dict[str, str], dict[str, Any]]:
    """What the card says of the data, and the knobs of the plan."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused("{path} cannot be read as a recipe ({reason}).", path=str(path), reason=error) from error
    for name in WORDS:
        if not isinstance(values.get(name), str):
            raise Refused('A recipe needs a line like {name} = "...".', name=name)
    return {name: values[name] for name in WORDS}, values.get("plan", {})
