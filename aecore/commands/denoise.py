"""``python -m aecore denoise IN... -o OUT``"""

import argparse
from functools import cache
from pathlib import Path

from torch import nn

from aecore import denoise, signals
from aecore.commands import many
from aecore.commands.many import Progress, Stopped
from aecore.data.picture import SUFFIXES
from aecore.denoise import PhotoDenoiser, blend, pictures
from aecore.denoise import weights as photo_weights
from aecore.refusal import Refused
from aecore.signals import files
from aecore.signals import weights as signal_weights
from aecore.weights import write

SOUNDS = (".wav",)
TABLES = (".csv", ".tsv")


def add_denoise(commands: argparse._SubParsersAction) -> None:
    """``denoise IN... -o OUT [--strength S] [--careful] [--columns A,B]``"""
    parser = commands.add_parser("denoise", help="take noise out of pictures, WAV sounds and CSV tables; each keeps its format")
    many.add_paths(parser, "files, or folders of them")
    parser.add_argument("--strength", type=_share, default=1.0, metavar="S", help="from 0, as it was, to 1, the default")
    parser.add_argument(
        "--careful", action="store_true", help="pictures: the mean of eight looks, turned and mirrored; eight times as long"
    )
    parser.add_argument(
        "--columns",
        type=lambda text: text.split(","),
        metavar="A,B",
        help="of tables; default: all of numbers that do not only rise or fall",
    )
    parser.set_defaults(run=run_denoise)


def run_denoise(asked: argparse.Namespace) -> int:
    """Clean one file after another; each keeps its format."""

    def work(path: Path, target: Path, progress: Progress, stopped: Stopped) -> bool:
        cleaned = _cleaned(path, asked, progress, stopped)
        if cleaned is not None:
            write(target, cleaned)
        return cleaned is not None

    return many.each(asked, (*SUFFIXES, *SOUNDS, *TABLES), lambda path: path.name, _check, work)


def _check(path: Path, target: Path) -> None:
    """Raise ``Refused`` where the name of ``target`` would mislead about its format."""
    if target.suffix.lower() != path.suffix.lower():
        raise Refused(
            "{path} does not end like {name}, and files keep their format. Choose the same ending.", path=str(target), name=path.name
        )


def _cleaned(path: Path, asked: argparse.Namespace, progress: Progress, stopped: Stopped) -> bytes | None:
    """The new content of a file, by its ending; None if it was stopped."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refused("{path} cannot be read ({reason}).", path=str(path), reason=error.strerror) from error
    suffix = path.suffix.lower()
    clean = _clean_sound if suffix in SOUNDS else _clean_table if suffix in TABLES else _clean_picture
    return clean(content, path.name, asked, progress, stopped)


def _clean_picture(content: bytes, name: str, asked: argparse.Namespace, progress: Progress, stopped: Stopped) -> bytes | None:
    photo = pictures.read(content, name)
    clean = denoise.denoise(_photo_model(), photo.colour, careful=asked.careful, progress=progress, stopped=stopped)
    return None if clean is None else pictures.write(photo, blend(photo.colour, clean, asked.strength))


def _clean_sound(content: bytes, name: str, asked: argparse.Namespace, progress: Progress, stopped: Stopped) -> bytes | None:
    sound = files.read_sound(content, name)
    clean = signals.denoise(_signal_model("sound"), sound.values, progress, stopped)
    return None if clean is None else files.write_sound(sound, blend(sound.values, clean, asked.strength))


def _clean_table(content: bytes, name: str, asked: argparse.Namespace, progress: Progress, stopped: Stopped) -> bytes | None:
    table = files.read_table(content, name)
    columns = asked.columns or table.signals
    if not columns:
        raise Refused("{name} has no column of numbers that vary. Name the columns with --columns.", name=name)
    mended = {}
    for place, column in enumerate(columns):
        if column not in table.columns:
            names = ", ".join(table.columns)
            raise Refused("{name} has no column of numbers called {column}; it has: {names}.", name=name, column=column, names=names)
        before = table.columns[column]
        after = signals.denoise_series(
            _signal_model("series"), before, lambda share, place=place: progress((place + share) / len(columns)), stopped
        )
        if after is None:
            return None
        mended[column] = before + asked.strength * (after - before)
    return files.write_table(table, mended)


@cache
def _photo_model() -> PhotoDenoiser:
    return photo_weights.load()[0]


@cache
def _signal_model(name: str) -> nn.Module:
    return signal_weights.load(name)[0]


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must be from 0 to 1")
    return value
