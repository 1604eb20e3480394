"""``python -m aecore train-swap RECIPE.toml [--judge | --start WEIGHTS] [--more FOLDER] [-o WEIGHTS] [--resume]``"""

import argparse
from pathlib import Path
from typing import get_args

from aecore import weights
from aecore.commands.train_denoiser import finish, learn, read_words
from aecore.swap import judge
from aecore.swap.training import Lessons, Plan, built_in
from aecore.swap.weights import load
from aecore.terminal import INTERRUPTED
from aecore.weights.tensors import Bits


def add_train_swap(commands: argparse._SubParsersAction) -> None:
    """Declare the command."""
    parser = commands.add_parser("train-swap", help="teach autoencoders of the two built-in faces that can be joined crosswise")
    parser.add_argument("recipe", type=Path, metavar="RECIPE.toml")
    subject = parser.add_mutually_exclusive_group()
    subject.add_argument("--judge", action="store_true", help="teach the network that reads faces, by which swaps are judged")
    subject.add_argument("--start", type=Path, metavar="WEIGHTS", help="begin as this model, wherever the shapes agree, not from chance")
    parser.add_argument("--more", type=Path, metavar="FOLDER", help="frames rendered besides those that come with the lab")
    parser.add_argument("-o", "--output", type=Path, metavar="WEIGHTS", help="the .safetensors file; default: beside the recipe")
    parser.add_argument("--bits", type=int, choices=get_args(Bits), default=8, help="that a weight takes on disk; default: 8")
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint of a run that was interrupted")
    parser.set_defaults(run=train_swap)


def train_swap(asked: argparse.Namespace) -> int:
    """Learn with a progress bar and a checkpoint every half minute; write the weights and their card at the end."""
    words, knobs = read_words(asked.recipe)
    output = (asked.output or asked.recipe).with_suffix(".safetensors")
    weights.check_name(output.stem)
    kept = output.with_suffix(".checkpoint")
    checkpoint = kept.read_bytes() if asked.resume and kept.exists() else b""
    if asked.judge:
        lessons = judge.Lessons(judge.School(judge.Plan.of(**knobs), asked.more), checkpoint)
    else:
        lessons = Lessons(built_in(Plan.of(**knobs), asked.more), checkpoint)
        if asked.start and not checkpoint:
            lessons.begin(load(asked.start)[0])
    if not learn(lessons, kept):
        return INTERRUPTED
    if isinstance(lessons, judge.Lessons):
        judge.save(lessons, words, output, asked.bits)
    else:
        finish(lessons, words, output, asked.bits)
    kept.unlink(missing_ok=True)
    return 0
