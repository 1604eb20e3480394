"""One file after another, with progress: what the commands have in common that read files and write others."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from aecore.refusal import Refused
from aecore.terminal import INTERRUPTED, interruptible

Progress = Callable[[float], None]
Stopped = Callable[[], bool]
Work = Callable[[Path, Path, Progress, Stopped], bool]
"""Reads the first path and writes the second; False if it was stopped."""


def add_paths(parser: argparse.ArgumentParser, help: str) -> None:
    """Declare ``IN... -o OUT``."""
    parser.add_argument("files", nargs="+", type=Path, metavar="IN", help=help)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="a file for one file, else a folder")


def each(
    asked: argparse.Namespace, suffixes: Sequence[str], name: Callable[[Path], str], check: Callable[[Path, Path], None], work: Work
) -> int:
    """Do ``work`` for all files asked for; ``name`` tells what a file is called in a folder, ``check`` refuses a target.

    Folders give their files with ``suffixes``. A bad file costs one sentence and the exit status 1, and the others go on;
    Ctrl-C ends it where the work next asks. Gives the exit status.
    """
    found = [path for given in asked.files for path in _listed(given, suffixes)]
    folder = asked.output.is_dir() or len(found) > 1 or any(given.is_dir() for given in asked.files) or not asked.output.suffix
    refused, stopped, written = 0, False, set[Path]()
    with interruptible() as interrupted, tqdm(total=len(found), bar_format="{l_bar}{bar}| {elapsed}<{remaining}", disable=None) as bar:
        for place, path in enumerate(found):
            target = asked.output / name(path) if folder else asked.output
            try:
                bar.set_description(path.name)
                check(path, target)
                _spare(path, target, folder, written)
                stopped = not work(path, target, lambda share, place=place: _show(bar, place + share), interrupted)
                if stopped:
                    break
                written.add(target)
            except Refused as refusal:
                refused += 1
                words = str(refusal)
                tqdm.write(words if path.name in words else f"{path.name}: {words}", file=sys.stderr)
            _show(bar, place + 1)
    print(f"{len(written)} of {len(found)} files written to {asked.output}.")
    return INTERRUPTED if stopped else 1 if refused else 0


def _spare(path: Path, target: Path, folder: bool, written: set[Path]) -> None:
    """Raise ``Refused`` where writing ``target`` would lose something."""
    if target in written:
        raise Refused("{path} has already been written for another file of that name. Rename one of them.", path=str(target))
    if folder and target.exists() and path.exists() and target.samefile(path):
        raise Refused("{path} would be written over itself. Choose another folder.", path=str(path))


def _listed(path: Path, suffixes: Sequence[str]) -> list[Path]:
    """The path itself, or the files of these kinds right in a folder, in the order of their names."""
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in suffixes)
    if not found:
        raise Refused("{name} holds no file of the kind that is asked for ({suffixes}).", name=str(path), suffixes=", ".join(suffixes))
    return found


def _show(bar: tqdm, done: float) -> None:
    bar.update(done - bar.n)
