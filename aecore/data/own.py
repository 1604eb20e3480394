"""A visitor's own pictures: files and ZIPs from a stranger in, a data set to train on out, or a clear refusal.

Counts, bytes and pixels are checked before anything is unpacked or decoded; no name is ever used as a path.
"""

import hashlib
import json
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from aecore.data import picture, zipped
from aecore.data.registry import Images, Progress
from aecore.data.split import stratified
from aecore.refusal import Refused

SIZES = (28, 32, 64)
MAX_PICTURES = 2_000
MIN_PICTURES = 20
MAX_ZIPS = 10
MAX_BYTES = 8 << 20
"""Of one picture."""
MAX_BYTES_IN_ALL = 64 << 20
"""Of everything sent, and again of everything unpacked."""
MAX_PIXELS_IN_ALL = 1_000_000_000
"""About ten seconds of decoding; photographs of ``MAX_BYTES_IN_ALL`` have fewer."""
TEST_SHARE = 0.2
UNSORTED = "own"
"""The class of pictures that lie in no folder."""


@dataclass(frozen=True)
class OwnPictures:
    """The pictures that could be read, and the names of those that could not."""

    images: Images
    skipped: tuple[str, ...]


@dataclass(frozen=True)
class Candidate:
    """What may turn out to be a picture: a name fit to be shown, its folder's name, its declared bytes, a way to read them."""

    name: str
    folder: str
    size: int
    read: Callable[[], bytes]


def read_pictures(
    files: Sequence[tuple[str, bytes]], size: int, colour: bool, seed: int = 0, progress: Progress | None = None
) -> OwnPictures:
    """Make a data set of pictures and ZIPs of pictures, given as (name, content).

    Each picture is turned upright, its middle square is cut out and shrunk to ``size`` x ``size``, in colour or grey. A
    picture's class is the folder it lies in, or ``UNSORTED``. A fifth of each class, drawn by ``seed``, is the test.
    Among several, pictures that cannot be read are skipped. Raises ``Refused`` for anything else that is wrong.
    """
    if size not in SIZES:
        choices = ", ".join(map(str, SIZES))
        raise Refused("Pictures cannot be made {size} pixels wide. Choose one of: {choices}.", size=size, choices=choices)
    candidates = gather(files)
    pictures: list[np.ndarray] = []
    folders: list[str] = []
    skipped: list[Refused] = []
    unpacked = pixels = 0
    for place, candidate in enumerate(candidates):
        if progress:
            progress(place / len(candidates))
        try:
            content = candidate.read()
            image = picture.opened(content, candidate.name)
        except Refused as reason:
            skipped.append(reason)
            continue
        unpacked += len(content)
        pixels += image.width * image.height
        if unpacked > MAX_BYTES_IN_ALL:
            raise too_many_bytes()
        if pixels > MAX_PIXELS_IN_ALL:
            raise Refused(
                "These pictures have more than {limit} million pixels together. Send fewer or smaller ones.",
                limit=MAX_PIXELS_IN_ALL // 1_000_000,
            )
        try:
            pictures.append(picture.squared(image, candidate.name, size, colour))
            folders.append(candidate.folder)
        except Refused as reason:
            skipped.append(reason)
    if skipped and len(candidates) == 1:
        raise skipped[0]
    if not pictures:
        raise Refused(
            "None of these {count} files is a picture that can be read here. Use PNG, JPEG, WebP, HEIC, BMP, GIF or TIFF pictures.",
            count=len(candidates),
        )
    if len(pictures) < MIN_PICTURES:
        raise Refused(
            "{count} pictures could be read, and training needs at least {least}. Add {missing} more.",
            count=len(pictures),
            least=MIN_PICTURES,
            missing=MIN_PICTURES - len(pictures),
        )
    if progress:
        progress(1.0)
    names = tuple(str(reason.details["name"]) for reason in skipped)
    return OwnPictures(parted(np.stack(pictures), folders, seed), names)


def gather(files: Sequence[tuple[str, bytes]]) -> list[Candidate]:
    """All that may be a picture among ``files`` and in their ZIPs; nothing is unpacked, every limit on bytes and counts is checked."""
    if not files:
        raise Refused("No file has arrived. Choose some pictures, or a ZIP of pictures.")
    if len(files) > MAX_PICTURES:
        raise too_many(len(files))
    if sum(len(content) for _, content in files) > MAX_BYTES_IN_ALL:
        raise too_many_bytes()
    candidates: list[Candidate] = []
    zips = 0
    for path, content in files:
        name = shown(path)
        if zipped.is_zip(content) or path.lower().endswith(".zip"):
            zips += 1
            if zips > MAX_ZIPS:
                raise Refused("At most {limit} ZIPs are taken at once. Put the pictures into fewer ZIPs.", limit=MAX_ZIPS)
            entries = zipped.entries(content, name, picture.SUFFIXES)
            found = [Candidate(shown(entry.path), folder_of(entry.path), entry.size, entry.read) for entry in entries]
            if not found:
                raise Refused("{name} holds no picture. Put PNG, JPEG, WebP, HEIC, BMP, GIF or TIFF pictures in it.", name=name)
            candidates += found
        else:
            candidates.append(Candidate(name, folder_of(path), len(content), partial(bytes, content)))
    if len(candidates) > MAX_PICTURES:
        raise too_many(len(candidates))
    for candidate in candidates:
        if candidate.size > MAX_BYTES:
            raise Refused(
                "{name} has more than {limit} MB. Make it smaller in a picture editor, then try again.",
                name=candidate.name,
                limit=MAX_BYTES >> 20,
            )
    if sum(candidate.size for candidate in candidates) > MAX_BYTES_IN_ALL:
        raise too_many_bytes()
    return candidates


def parted(pictures: np.ndarray, folders: Sequence[str], seed: int) -> Images:
    """Part pictures, uint8 ``(N, C, H, W)``, into training and test, class by class; each part keeps its order."""
    classes = tuple(sorted(set(folders)))
    every = torch.from_numpy(pictures)
    labels = torch.tensor([classes.index(folder) for folder in folders], dtype=torch.int64)
    chosen = stratified(labels, max(1, round(TEST_SHARE * len(labels))), torch.Generator().manual_seed(seed))
    test = torch.zeros(len(labels), dtype=torch.bool)
    test[chosen] = True
    return Images(train=every[~test], train_labels=labels[~test], test=every[test], test_labels=labels[test], classes=classes)


def digest(images: Images) -> str:
    """SHA-256 of pictures, labels and class names, in hexadecimal: the same content gives the same digest."""
    sha = hashlib.sha256(json.dumps(images.classes).encode())
    for part in (images.train, images.train_labels, images.test, images.test_labels):
        sha.update(json.dumps(part.shape).encode())
        sha.update(part.contiguous().numpy().data)
    return sha.hexdigest()


def folder_of(path: str) -> str:
    """The name of the folder a file lies in, fit to be shown, or ``UNSORTED``."""
    parts = path.replace("\\", "/").split("/")
    name = shown(parts[-2]) if len(parts) > 1 else ""
    return name if name.strip(".") else UNSORTED


def shown(path: str) -> str:
    """The last part of a path from a stranger, fit to be put in a sentence: printable, at most 60 characters."""
    name = unicodedata.normalize("NFC", path.replace("\\", "/").rpartition("/")[2])
    name = "".join(letter for letter in name if letter.isprintable()).strip()
    return name if len(name) <= 60 else name[:59] + "…"


def too_many(count: int) -> Refused:
    """What is said of ``count`` pictures, more than are taken."""
    return Refused("There are {count} pictures, and at most {limit} are taken. Send fewer.", count=count, limit=MAX_PICTURES)


def too_many_bytes() -> Refused:
    """What is said of files that are too large together."""
    return Refused("These files have more than {limit} MB together. Send fewer or smaller pictures.", limit=MAX_BYTES_IN_ALL >> 20)
