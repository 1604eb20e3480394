"""``python -m aecore denoise IN... -o OUT``"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from aecore.denoise import pictures
from aecore.denoise.network import PhotoDenoiser
from aecore.denoise.tiles import blend, denoise
from aecore.denoise.weights import load
from aecore.refusal import Refused
from aecore.terminal import INTERRUPTED, interruptible
from aecore.weights import write


def add_denoise(commands: argparse._SubParsersAction) -> None:
    """``denoise IN... -o OUT [--strength S]``"""
    parser = commands.add_parser("denoise", help="take noise out of pictures; each keeps its format, size and transparency")
    parser.add_argument("pictures", nargs="+", type=Path, metavar="IN", help="picture files, or folders of them")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="a file for one picture, else a folder")
    parser.add_argument("--strength", type=_share, default=1.0, metavar="S", help="from 0, as it was, to 1, the default")
    parser.set_defaults(run=run_denoise)


def run_denoise(asked: argparse.Namespace) -> int:
    """Clean one picture after another; a bad one costs one sentence and the exit status 1, and the others go on."""
    found = [path for given in asked.pictures for path in _listed(given)]
    folder = asked.output.is_dir() or len(found) > 1 or any(each.is_dir() for each in asked.pictures) or not asked.output.suffix
    targets = [asked.output / path.name if folder else asked.output for path in found]
    model, _ = load()
    refused = 0
    cleaned: bytes | None = b""
    written: set[Path] = set()
    with interruptible() as interrupted, tqdm(total=len(found), bar_format="{l_bar}{bar}| {elapsed}<{remaining}", disable=None) as bar:
        for place, (path, target) in enumerate(zip(found, targets, strict=True)):
            try:
                bar.set_description(path.name)
                _check(path, target, folder, written)
                cleaned = _cleaned(model, path, asked.strength, lambda share, place=place: _show(bar, place + share), interrupted)
                if cleaned is None:
                    break
                write(target, cleaned)
                written.add(target)
            except Refused as refusal:
                refused += 1
                tqdm.write(str(refusal), file=sys.stderr)
            _show(bar, place + 1)
    print(f"{len(written)} of {len(found)} pictures written to {asked.output}.")
    return INTERRUPTED if cleaned is None else 1 if refused else 0


def _check(path: Path, target: Path, folder: bool, written: set[Path]) -> None:
    """Raise ``Refused`` where writing ``target`` would lose something, or mislead about its format."""
    if target.suffix.lower() != path.suffix.lower():
        raise Refused(
            "{path} does not end like {name}, and pictures keep their format. Choose the same ending.", path=str(target), name=path.name
        )
    if target in written:
        raise Refused("{path} has already been written for another picture of that name. Rename one of them.", path=str(target))
    if folder and target.exists() and path.exists() and target.samefile(path):
        raise Refused("{path} would be written over itself. Choose another folder.", path=str(path))


def _cleaned(
    model: PhotoDenoiser, path: Path, strength: float, progress: Callable[[float], None], stopped: Callable[[], bool]
) -> bytes | None:
    """The new content of a picture's file; None if it was stopped."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refused("{path} cannot be read ({reason}).", path=str(path), reason=error.strerror) from error
    photo = pictures.read(content, path.name)
    clean = denoise(model, photo.colour, progress=progress, stopped=stopped)
    if clean is None:
        return None
    return pictures.write(photo, blend(photo.colour, clean, strength))


def _listed(path: Path) -> list[Path]:
    """The path itself, or the pictures right in a folder, in the order of their names."""
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.iterdir() if each.suffix.lower() in pictures.SUFFIXES)
    if not found:
        raise Refused("{name} holds no picture. Put PNG, JPEG, WebP, BMP, GIF or TIFF pictures in it.", name=str(path))
    return found


def _show(bar: tqdm, pictures_done: float) -> None:
    bar.update(pictures_done - bar.n)


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must be from 0 to 1")
    return value
