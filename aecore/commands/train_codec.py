"""``python -m aecore train-codec RECIPE.toml [--photos FOLDER...] [-o WEIGHTS] [--resume]``"""

import argparse
import tomllib
from pathlib import Path

from aecore import weights
from aecore.codec import small
from aecore.codec.finish import finish, finish_small
from aecore.codec.small import Small, SmallLessons
from aecore.codec.training import Lessons, Photos, Plan
from aecore.commands.train_denoiser import enough, learn, read_words
from aecore.data import DATASETS, load
from aecore.denoise.training import read_photos
from aecore.refusal import Refused
from aecore.terminal import INTERRUPTED


def add_train_codec(commands: argparse._SubParsersAction) -> None:
    """Declare the command."""
    parser = commands.add_parser("train-codec", help="teach a codec on your photographs, or on a data set that the recipe names")
    parser.add_argument("recipe", type=Path, metavar="RECIPE.toml")
    parser.add_argument("--photos", type=Path, nargs="+", metavar="FOLDER", help="searched with all that is below them")
    parser.add_argument("-o", "--output", type=Path, metavar="WEIGHTS", help="the .safetensors file; default: beside the recipe")
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint of a run that was interrupted")
    parser.set_defaults(run=train_codec)


def train_codec(asked: argparse.Namespace) -> int:
    """Learn with a progress bar and a checkpoint every half minute; at the end count what the tables need, and write weights and card."""
    words, knobs = read_words(asked.recipe)
    output = (asked.output or asked.recipe).with_suffix(".safetensors")
    weights.check_name(output.stem)
    kept = output.with_suffix(".checkpoint")
    checkpoint = kept.read_bytes() if asked.resume and kept.exists() else b""
    if asked.photos:
        lessons = Lessons(Photos(enough(read_photos(asked.photos)), Plan.of(**knobs)), checkpoint)
    else:
        lessons = SmallLessons(_small(asked.recipe, words, small.Plan.of(**knobs)), checkpoint)
    if not learn(lessons, kept):
        return INTERRUPTED
    if isinstance(lessons, Lessons):
        finish(lessons, words, output)
    else:
        finish_small(lessons, words, output)
    kept.unlink(missing_ok=True)
    return 0


def _small(path: Path, words: dict[str, str], plan: small.Plan) -> Small:
    """The data set, variant and knobs that a recipe names."""
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    name, variant, knobs = words["data"], values.get("variant"), values.get("knobs", {})
    if name not in DATASETS:
        raise Refused("There is no data set named {name}. Choose one of: {choices}.", name=name, choices=", ".join(DATASETS))
    if not isinstance(variant, str):
        raise Refused('A recipe needs a line like {name} = "...".', name="variant")
    return Small(load(name), variant, knobs, plan)
