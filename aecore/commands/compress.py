"""``python -m aecore compress|decompress IN... -o OUT`` and ``info FILE``"""

import argparse
from io import BytesIO
from pathlib import Path

from PIL import Image
from torch import Tensor

from aecore.codec import container, pictures, small_weights
from aecore.codec import weights as photo_weights
from aecore.commands import many
from aecore.data.picture import SUFFIXES
from aecore.refusal import Refused
from aecore.weights import read, write

SUFFIX = ".aec"
MODELS = ("photo", *small_weights.NAMES)


def add_compress(commands: argparse._SubParsersAction) -> None:
    """``compress IN... -o OUT [--quality 0..100] [--model photo|digits|faces]``"""
    parser = commands.add_parser("compress", help="pictures to small .aec files")
    many.add_paths(parser, "picture files, or folders of them")
    parser.add_argument("--quality", type=_quality, default=50, metavar="Q", help="from 0, smallest, to 100, finest; default: 50")
    parser.add_argument(
        "--model", choices=MODELS, default="photo", help="photo, the default, keeps the size; the others cut out a small square"
    )
    parser.set_defaults(run=run_compress)


def add_decompress(commands: argparse._SubParsersAction) -> None:
    """``decompress IN... -o OUT``"""
    parser = commands.add_parser("decompress", help=".aec files to PNG pictures")
    many.add_paths(parser, ".aec files, or folders of them")
    parser.set_defaults(run=run_decompress)


def add_info(commands: argparse._SubParsersAction) -> None:
    """``info FILE``"""
    parser = commands.add_parser("info", help="what an .aec file says of itself")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.set_defaults(run=run_info)


def run_compress(asked: argparse.Namespace) -> int:
    """Write one file after another; a bad picture costs one sentence and the exit status 1, and the others go on."""
    if asked.model == "photo":
        encoder = photo_weights.load()[0]

        def work(source: Path, target: Path, progress: many.Progress, stopped: many.Stopped) -> bool:
            picture = pictures.read(read(source, pictures.MAX_BYTES), source.name)
            written = encoder.write(picture, asked.quality, progress, stopped)
            if written is not None:
                write(target, written[0])
            return written is not None
    else:
        small = small_weights.load(asked.model)[0]

        def work(source: Path, target: Path, progress: many.Progress, stopped: many.Stopped) -> bool:
            write(target, small.write(pictures.read_square(read(source, pictures.MAX_BYTES), source.name, small.shape))[0])
            return True

    return _each(asked, SUFFIXES, SUFFIX, work)


def run_decompress(asked: argparse.Namespace) -> int:
    """Write one picture after another, each by the model that its file names."""
    small = [small_weights.load(name)[1] for name in small_weights.NAMES]
    photo = photo_weights.load()[1]

    def work(source: Path, target: Path, progress: many.Progress, stopped: many.Stopped) -> bool:
        content = read(source, container.MOST_BYTES)
        digest = container.read(content).digest
        fitting = next((each for each in small if each.digest == digest), None)
        picture = photo.read(content, progress, stopped) if fitting is None else fitting.read(content)
        if picture is not None:
            _save(picture, target)
        return picture is not None

    return _each(asked, (SUFFIX,), ".png", work)


def run_info(asked: argparse.Namespace) -> int:
    """Print what the header says."""
    content = read(asked.file, container.MOST_BYTES)
    parcel = container.read(content)
    print(f"{len(content)} bytes, model {parcel.digest.hex()}")
    if parcel.kind == container.PHOTO:
        rate = 8 * len(content) / (parcel.width * parcel.height)
        kind = "colour" if parcel.channels == 3 else "grey"
        print(f"{parcel.width} x {parcel.height} pixels, {kind}, quality {parcel.quality}, {rate:.3f} bits per pixel")
    return 0


def _each(asked: argparse.Namespace, suffixes: tuple[str, ...], suffix: str, work: many.Work) -> int:
    """All files asked for, to files that end in ``suffix``."""

    def check(path: Path, target: Path) -> None:
        if target.suffix.lower() != suffix:
            raise Refused("{path} must end in {suffix}.", path=str(target), suffix=suffix)

    return many.each(asked, suffixes, lambda path: path.with_suffix(suffix).name, check, work)


def _save(picture: Tensor, target: Path) -> None:
    """``(C, H, W)`` uint8 as PNG."""
    file = BytesIO()
    pixels = picture.permute(1, 2, 0).contiguous().numpy()
    Image.fromarray(pixels[..., 0] if len(picture) == 1 else pixels).save(file, "PNG")
    write(target, file.getvalue())


def _quality(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError("must be from 0 to 100")
    return value
