"""``python -m aecore swap IN... --to B -o OUT``"""

import argparse
from functools import cache
from pathlib import Path

from aecore.commands import many
from aecore.commands.many import Progress, Stopped
from aecore.data import faces
from aecore.provenance import Format
from aecore.refusal import Refused
from aecore.swap import weights
from aecore.swap.blend import SEAMS, Finish
from aecore.swap.files import swapped
from aecore.swap.joins import Join
from aecore.weights import read, write

MOST_BYTES = 64 << 20
FORMATS: dict[str, Format] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp", ".mp4": "mp4"}


def add_swap(commands: argparse._SubParsersAction) -> None:
    """``swap IN... --to B -o OUT [--size 128] [--seam poisson]``"""
    parser = commands.add_parser(
        "swap", help="give pictures and films of one built-in person the other's face; the result is always marked"
    )
    many.add_paths(parser, "pictures or MP4 films with one face each; the models know A and B, who do not exist")
    parser.add_argument("--to", choices=faces.PEOPLE, required=True, help="whose face comes out; the other goes in")
    parser.add_argument("--size", type=int, choices=faces.SIZES, default=faces.SIZES[0], help="pixels that the model draws")
    parser.add_argument("--seam", choices=SEAMS, default="feather", help="how the face is joined to its surroundings")
    parser.set_defaults(run=run_swap)


def run_swap(asked: argparse.Namespace) -> int:
    """Swap in one file after another; pictures and films keep their format."""
    source = next(each for each in faces.PEOPLE if each != asked.to)

    def work(path: Path, target: Path, progress: Progress, stopped: Stopped) -> bool:
        kind, finish = FORMATS[target.suffix.lower()], Finish(seam=asked.seam)
        content, _, _ = swapped(read(path, MOST_BYTES), path.name, _join(asked.size), source, asked.to, finish, kind, progress)
        write(target, content)
        return True

    return many.each(asked, tuple(FORMATS), lambda path: path.name, _check, work)


def _check(path: Path, target: Path) -> None:
    """Raise ``Refused`` unless both are files of a format in which the marks hold, or both films."""
    if (kind := target.suffix.lower()) not in FORMATS or (path.suffix.lower() == ".mp4") != (kind == ".mp4"):
        raise Refused(
            "{path} cannot be made of {name}. Pictures may end in {endings}, films in .mp4.",
            path=str(target),
            name=path.name,
            endings=", ".join(ending for ending in FORMATS if ending != ".mp4"),
        )


@cache
def _join(size: int) -> Join:
    return Join(weights.load(weights.shipped(size))[0])
