"""Larger picture sets, downloaded once when asked for and kept on this computer.

The addresses, checksums and file formats are torchvision's; only the transfer is done here, because torchvision's own
reports to a terminal, waits without limit, and leaves half a file behind when it is interrupted.
"""

import gzip
import hashlib
import os
import shutil
import string
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any, Literal
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import torch

from aecore.data.images import CLOTHES, DIGITS
from aecore.data.registry import DATASETS, Dataset, Images, Progress, register
from aecore.refusal import Refused

TIMEOUT = 20.0
"""Seconds without a byte after which a server counts as gone."""
LARGEST = 700_000_000
"""Bytes: no archive here is larger (EMNIST's has 562 million), so a server that sends more is not to be believed."""
CHUNK = 1 << 18
STALE = 24 * 3600.0
"""Seconds after which an unfinished download belongs to a process that died."""

Kind = Literal["MNIST", "FashionMNIST", "KMNIST"]
# Roughly the share of each file in the bytes of a set stored as MNIST is, for an even progress bar.
SHARES = {
    "train-images-idx3-ubyte.gz": 0.85,
    "train-labels-idx1-ubyte.gz": 0.002,
    "t10k-images-idx3-ubyte.gz": 0.147,
    "t10k-labels-idx1-ubyte.gz": 0.001,
}


def cache() -> Path:
    """The folder that keeps what was downloaded: ``$AECORE_CACHE``, or ``~/.cache/aecore``."""
    return Path(os.environ.get("AECORE_CACHE") or Path.home() / ".cache" / "aecore")


def read_like_mnist(kind: Kind, title: str, classes: tuple[str, ...], progress: Progress | None = None) -> Images:
    """MNIST and the sets stored as it is: four gzipped files of bytes."""
    # torchvision takes seconds to import, and most visitors never need it.
    from torchvision import datasets

    source: Any = getattr(datasets, kind)
    raw = cache() / kind / "raw"
    with refusing(title, raw):
        missing = [(file, md5) for file, md5 in source.resources if not (raw / Path(file).stem).exists()]
        total, done = sum(SHARES[file] for file, _ in missing), 0.0
        for file, md5 in missing:
            with unfinished(raw) as folder:
                archive = folder / "archive"
                fetch([mirror + file for mirror in source.mirrors], md5, archive, part_of(progress, done / total, SHARES[file] / total))
                with gzip.open(archive) as content:
                    place(content, folder, raw / Path(file).stem)
            done += SHARES[file]
    finished = [raw / Path(file).stem for file, _ in source.resources]
    train, test = parsed(title, finished, lambda: (source(cache(), train=True), source(cache(), train=False)))
    return Images(train.data.unsqueeze(1), train.targets, test.data.unsqueeze(1), test.targets, classes)


def read_emnist_letters(title: str, classes: tuple[str, ...], progress: Progress | None = None) -> Images:
    """The letters of EMNIST. It stores pictures lying on their side, and counts letters from 1."""
    from torchvision import datasets

    source = datasets.EMNIST
    raw = cache() / "EMNIST" / "raw"
    names = [f"emnist-letters-{split}-{what}-ubyte" for split in ("train", "test") for what in ("images-idx3", "labels-idx1")]
    with refusing(title, raw):
        missing = [name for name in names if not (raw / name).exists()]
        if missing:
            with unfinished(raw) as folder:
                archive = folder / "archive"
                fetch([source.url], source.md5, archive, progress)
                with zipfile.ZipFile(archive) as bundle:
                    for name in missing:
                        with bundle.open(f"gzip/{name}.gz") as packed, gzip.open(packed) as content:
                            place(content, folder, raw / name)
    train, test = parsed(
        title,
        [raw / name for name in names],
        lambda: (source(cache(), split="letters", train=True), source(cache(), split="letters", train=False)),
    )
    return Images(
        train=train.data.transpose(1, 2).unsqueeze(1).contiguous(),
        train_labels=train.targets - 1,
        test=test.data.transpose(1, 2).unsqueeze(1).contiguous(),
        test_labels=test.targets - 1,
        classes=classes,
    )


def read_cifar10(title: str, classes: tuple[str, ...], progress: Progress | None = None) -> Images:
    """CIFAR-10. torchvision unpickles its files, each only after its checksum was found right."""
    from torchvision import datasets

    source = datasets.CIFAR10
    root = cache() / "CIFAR10"
    base = root / source.base_folder
    names = [name for name, _ in (*source.train_list, *source.test_list)] + [source.meta["filename"]]
    with refusing(title, base):
        missing = [name for name in names if not (base / name).exists()]
        if missing:
            with unfinished(base) as folder:
                archive = folder / "archive"
                fetch([source.url], source.tgz_md5, archive, progress)
                with tarfile.open(archive, "r:gz") as bundle:
                    for name in missing:
                        content = bundle.extractfile(f"{source.base_folder}/{name}")
                        if content is None:
                            raise DamagedError
                        place(content, folder, base / name)
    train, test = parsed(title, [base / name for name in names], lambda: (source(root, train=True), source(root, train=False)))
    return Images(
        train=torch.from_numpy(train.data).permute(0, 3, 1, 2).contiguous(),
        train_labels=torch.tensor(train.targets, dtype=torch.int64),
        test=torch.from_numpy(test.data).permute(0, 3, 1, 2).contiguous(),
        test_labels=torch.tensor(test.targets, dtype=torch.int64),
        classes=classes,
    )


class UnreachableError(Exception):
    """No server answered to the end."""


class DamagedError(Exception):
    """What arrived is not what was asked for."""


@contextmanager
def refusing(title: str, folder: Path) -> Iterator[None]:
    """Turn what can go wrong during a download into one sentence for the visitor."""
    built_in = ", ".join(dataset.title for dataset in DATASETS.values() if dataset.built_in)
    try:
        yield
    except UnreachableError as error:
        raise Refused(
            "{title} could not be downloaded. Check the connection to the internet and try again, "
            "or choose a set that needs no download: {built_in}.",
            title=title,
            built_in=built_in,
        ) from error
    except (DamagedError, KeyError, EOFError, gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError) as error:
        raise Refused(
            "{title} arrived damaged and was thrown away. Try again later, or choose a set that needs no download: {built_in}.",
            title=title,
            built_in=built_in,
        ) from error
    except OSError as error:
        raise Refused(
            "{title} could not be saved in {folder}. Free some space there or set AECORE_CACHE to a folder that can be written, "
            "or choose a set that needs no download: {built_in}.",
            title=title,
            folder=str(folder),
            built_in=built_in,
        ) from error


@contextmanager
def unfinished(beside: Path) -> Iterator[Path]:
    """A folder of this process's own in which a download may be incomplete; gone at the end.

    Two processes fetching the same set never share one, and each moves whole files into ``beside``.
    """
    beside.mkdir(parents=True, exist_ok=True)
    for old in beside.glob("unfinished-*"):
        # Its owner may remove it at this very moment.
        with suppress(FileNotFoundError):
            if time.time() - old.stat().st_mtime > STALE:
                shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=beside, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def fetch(urls: Sequence[str], md5: str, path: Path, progress: Progress | None) -> None:
    """Download the first of ``urls`` that gives a file with this checksum to ``path``.

    Raises ``DamagedError`` if some server answered but none gave the right bytes, ``UnreachableError`` if none answered.
    """
    failure: Exception = UnreachableError()
    for url in urls:
        try:
            if transfer(url, path, progress) == md5:
                return
            failure = DamagedError(url)
        except UnreachableError as error:
            failure = failure if isinstance(failure, DamagedError) else error
    raise failure


def transfer(url: str, path: Path, progress: Progress | None) -> str:
    """Copy what ``url`` holds to ``path`` and return its MD5; raises ``UnreachableError``, or ``DamagedError`` if it never ends."""
    digest = hashlib.md5(usedforsecurity=False)
    received = 0
    try:
        # The addresses are torchvision's, never a visitor's.
        response = urlopen(Request(url, headers={"User-Agent": "aecore"}), timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        raise UnreachableError(url) from error
    except (OSError, HTTPException, ValueError) as error:
        raise UnreachableError(url) from error
    with response, path.open("wb") as file:
        expected = int(response.headers.get("Content-Length") or 0)
        while True:
            try:
                chunk = response.read(CHUNK)
            except (OSError, HTTPException) as error:
                raise UnreachableError(url) from error
            if not chunk:
                break
            received += len(chunk)
            if received > LARGEST:
                raise DamagedError(url)
            digest.update(chunk)
            file.write(chunk)
            if progress and expected:
                progress(min(received / expected, 1.0))
    if received < expected:
        raise UnreachableError(url)
    return digest.hexdigest()


def place(content: IO[bytes] | gzip.GzipFile, folder: Path, path: Path) -> None:
    """Write ``content`` whole in ``folder``, then move it to ``path`` in one step, so that ``path`` is never half a file."""
    temporary = folder / path.name
    with temporary.open("wb") as file:
        shutil.copyfileobj(content, file, CHUNK)
    temporary.replace(path)


def part_of(progress: Progress | None, start: float, share: float) -> Progress | None:
    """Progress of a part that begins at ``start`` and makes up ``share`` of the whole."""
    return None if progress is None else lambda fraction: progress(min(start + share * fraction, 1.0))


def parsed(title: str, files: Sequence[Path], parse: Callable[[], tuple[Any, Any]]) -> tuple[Any, Any]:
    """What torchvision makes of the stored files; if it cannot, they are removed and the visitor told to try again."""
    try:
        return parse()
    except Exception as error:  # torchvision reports a bad file by an assertion, a RuntimeError, or whatever numpy or pickle raise
        for file in files:
            file.unlink(missing_ok=True)
        raise Refused(
            "The stored copy of {title} was damaged and has been removed. Choose it again to download it anew.", title=title
        ) from error


KANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
LETTERS = tuple(string.ascii_lowercase)

register(
    Dataset(
        name="mnist",
        title="Whole MNIST",
        about="All 70,000 handwritten digits, from which the smaller built-in set was drawn. A download of 12 MB.",
        licence="CC BY-SA 3.0",
        source="LeCun, Cortes and Burges (1998), http://yann.lecun.com/exdb/mnist/",
        shape=(1, 28, 28),
        classes=DIGITS,
        built_in=False,
        load=partial(read_like_mnist, "MNIST", "Whole MNIST", DIGITS),
    )
)
register(
    Dataset(
        name="fashion-mnist",
        title="Whole Fashion-MNIST",
        about="All 70,000 pictures of clothes, from which the smaller built-in set was drawn. A download of 31 MB.",
        licence="MIT",
        source="Xiao, Rasul and Vollgraf (2017), https://arxiv.org/abs/1708.07747",
        shape=(1, 28, 28),
        classes=CLOTHES,
        built_in=False,
        load=partial(read_like_mnist, "FashionMNIST", "Whole Fashion-MNIST", CLOTHES),
    )
)
register(
    Dataset(
        name="kmnist",
        title="Kuzushiji-MNIST",
        about="Ten characters of old cursive Japanese, each written in very different ways. A download of 21 MB.",
        licence="CC BY-SA 4.0",
        source="Clanuwat et al. (2018), https://arxiv.org/abs/1812.01718",
        shape=(1, 28, 28),
        classes=KANA,
        built_in=False,
        load=partial(read_like_mnist, "KMNIST", "Kuzushiji-MNIST", KANA),
    )
)
register(
    Dataset(
        name="emnist-letters",
        title="EMNIST letters",
        about="Handwritten letters from a to z, capital and small ones in the same class. A download of 562 MB.",
        licence="No licence stated; made from NIST Special Database 19, a work of the US government",
        source="Cohen, Afshar, Tapson and van Schaik (2017), https://arxiv.org/abs/1702.05373",
        shape=(1, 28, 28),
        classes=LETTERS,
        built_in=False,
        load=partial(read_emnist_letters, "EMNIST letters", LETTERS),
    )
)
register(
    Dataset(
        name="cifar10",
        title="CIFAR-10",
        about="Tiny colour photographs of ten kinds of animals and vehicles. A download of 170 MB.",
        licence="No licence stated; collected from the web for research",
        source="Krizhevsky (2009), https://www.cs.toronto.edu/~kriz/cifar.html",
        shape=(3, 32, 32),
        classes=THINGS,
        built_in=False,
        load=partial(read_cifar10, "CIFAR-10", THINGS),
    )
)
