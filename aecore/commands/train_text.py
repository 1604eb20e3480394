"""``python -m aecore train-text RECIPE.toml [-o WEIGHTS] [--resume]``"""

import argparse
import tomllib
from pathlib import Path

from aecore import weights
from aecore.commands.train_denoiser import learn, read_words
from aecore.data.text import load_text
from aecore.denoise.weights import card_for
from aecore.refusal import Refused
from aecore.terminal import INTERRUPTED
from aecore.text.series import SeriesPlan
from aecore.text.training import Lessons, Letters, Sentences, subject
from aecore.text.weights import save
from aecore.text.windows import Windows, ecg


def add_train_text(commands: argparse._SubParsersAction) -> None:
    """Declare the command."""
    parser = commands.add_parser("train-text", help="teach a recurrent autoencoder sentences or a series, as a recipe says")
    parser.add_argument("recipe", type=Path, metavar="RECIPE.toml")
    parser.add_argument("-o", "--output", type=Path, metavar="WEIGHTS", help="the .safetensors file; default: beside the recipe")
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint of a run that was interrupted")
    parser.set_defaults(run=train_text)


def train_text(asked: argparse.Namespace) -> int:
    """Learn with a progress bar and a checkpoint every half minute; write the weights and their card at the end."""
    words, variant, taught = read_recipe(asked.recipe)
    output = (asked.output or asked.recipe).with_suffix(".safetensors")
    weights.check_name(output.stem)
    kept = output.with_suffix(".checkpoint")
    lessons = Lessons(taught, kept.read_bytes() if asked.resume and kept.exists() else b"")  # type: ignore[arg-type]
    if not learn(lessons, kept):
        return INTERRUPTED
    finish(lessons, words, variant, taught, output)
    kept.unlink(missing_ok=True)
    return 0


def finish(lessons: Lessons, words: dict[str, str], variant: str, taught: Sentences | Letters | Windows, output: Path) -> None:
    """Measure what was learnt on what was held out, and write it with its card."""
    found, model, done = lessons.validate(), lessons.learnt(), lessons.progress
    card = card_for(model, output.stem, **words, plan=lessons.plan, steps=done.step, seconds=done.seconds, metrics={"held out": found})
    save(model, card, variant, None if isinstance(taught, Windows) else taught.vocabulary, output)
    print(f"{output}: {done.step} steps in {done.seconds:.0f} s; " + ", ".join(f"{name} {value:.3f}" for name, value in found.items()))


def read_recipe(path: Path) -> tuple[dict[str, str], str, Sentences | Letters | Windows]:
    """What the card says of the data, the variant, and what it is taught: the line ``corpus`` names the sentences; without it, the built-in ECG."""
    words, knobs = read_words(path)
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    variant, corpus = values.get("variant"), values.get("corpus")
    if not isinstance(variant, str):
        raise Refused('A recipe needs a line like {name} = "...".', name="variant")
    if variant == "recurrent-series":
        return words, variant, Windows(ecg(), SeriesPlan.of(**knobs))
    if not isinstance(corpus, str):
        raise Refused('A recipe needs a line like {name} = "...".', name="corpus")
    sentences = load_text(corpus)
    return words, variant, subject(variant, knobs, sentences.train, sentences.held)
