"""Larger picture sets, downloaded once when asked for and kept on this computer.

The addresses, checksums and file formats are torchvision's; only the transfer is ours, because torchvision's own
reports to a terminal, waits without limit, and leaves half a file behind when it is interrupted.
"""

import gzip
import os
import string
import tarfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from aecore.data.images import CLOTHES, DIGITS
from aecore.data.registry import DATASETS, Dataset, Images, Progress, register
from aecore.data.transfer import DamagedError, fetch, part_of, place, refusing, unfinished
from aecore.refusal import Refused

KANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
LETTERS = tuple(string.ascii_lowercase)

# Roughly the share of each file in the bytes of a set stored as MNIST is, for an even progress bar.
SHARES = {
    "train-images-idx3-ubyte": 0.85,
    "train-labels-idx1-ubyte": 0.002,
    "t10k-images-idx3-ubyte": 0.147,
    "t10k-labels-idx1-ubyte": 0.001,
}
# torchvision knows these names too, but takes seconds to import, and most visitors never need it.
KEPT = {
    "mnist": ("MNIST/raw", tuple(SHARES)),
    "fashion-mnist": ("FashionMNIST/raw", tuple(SHARES)),
    "kmnist": ("KMNIST/raw", tuple(SHARES)),
    "emnist-letters": (
        "EMNIST/raw",
        tuple(f"emnist-letters-{split}-{what}-ubyte" for split in ("train", "test") for what in ("images-idx3", "labels-idx1")),
    ),
    "cifar10": ("CIFAR10/cifar-10-batches-py", (*(f"data_batch_{part}" for part in range(1, 6)), "test_batch", "batches.meta")),
}
"""Of each set, the folder within the cache and the names of its files."""


def cache() -> Path:
    """The folder that keeps what was downloaded: ``$AECORE_CACHE``, or ``~/.cache/aecore``."""
    return Path(os.environ.get("AECORE_CACHE") or Path.home() / ".cache" / "aecore")


def stored(name: str) -> bool:
    """Whether all files of a set lie in the cache, so that it needs no download; false for a set that is never downloaded."""
    try:
        return name in KEPT and not missing(name)
    except OSError:  # a folder that may not be looked into; loading says so
        return False


def kept(name: str) -> list[Path]:
    """The files of a set, there or not."""
    folder, files = KEPT[name]
    return [cache() / folder / file for file in files]


def missing(name: str) -> list[Path]:
    """The files of a set that have yet to be downloaded; a file is there whole or not at all."""
    return [path for path in kept(name) if not path.exists()]


def read_like_mnist(name: str, kind: str, progress: Progress | None = None) -> Images:
    """MNIST and the sets stored as it is, each four gzipped files of bytes; ``kind`` is torchvision's class."""
    from torchvision import datasets

    source: Any = getattr(datasets, kind)
    checksums = dict(source.resources)
    with refusing(DATASETS[name].title, cache() / KEPT[name][0]):
        paths = missing(name)
        total, done = sum(SHARES[path.name] for path in paths), 0.0
        for path in paths:
            file, share = f"{path.name}.gz", SHARES[path.name] / total
            with unfinished(path.parent) as folder:
                archive = folder / "archive"
                fetch([mirror + file for mirror in source.mirrors], checksums[file], archive, part_of(progress, done, share))
                with gzip.open(archive) as content:
                    place(content, folder, path)
            done += share
    train, test = parsed(name, lambda: (source(cache(), train=True), source(cache(), train=False)))
    return Images(train.data.unsqueeze(1), train.targets, test.data.unsqueeze(1), test.targets, DATASETS[name].classes)


def read_emnist_letters(progress: Progress | None = None) -> Images:
    """The letters of EMNIST. It stores pictures lying on their side, and counts letters from 1."""
    from torchvision import datasets

    name, source = "emnist-letters", datasets.EMNIST
    with refusing(DATASETS[name].title, cache() / KEPT[name][0]):
        if paths := missing(name):
            with unfinished(paths[0].parent) as folder:
                archive = folder / "archive"
                fetch([source.url], source.md5, archive, progress)
                with zipfile.ZipFile(archive) as bundle:
                    for path in paths:
                        with bundle.open(f"gzip/{path.name}.gz") as packed, gzip.open(packed) as content:
                            place(content, folder, path)
    train, test = parsed(name, lambda: (source(cache(), split="letters", train=True), source(cache(), split="letters", train=False)))
    return Images(
        train=train.data.transpose(1, 2).unsqueeze(1).contiguous(),
        train_labels=train.targets - 1,
        test=test.data.transpose(1, 2).unsqueeze(1).contiguous(),
        test_labels=test.targets - 1,
        classes=LETTERS,
    )


def read_cifar10(progress: Progress | None = None) -> Images:
    """CIFAR-10. torchvision unpickles its files, each only after its checksum was found right."""
    from torchvision import datasets

    name, source, root = "cifar10", datasets.CIFAR10, cache() / "CIFAR10"
    with refusing(DATASETS[name].title, cache() / KEPT[name][0]):
        if paths := missing(name):
            with unfinished(paths[0].parent) as folder:
                archive = folder / "archive"
                fetch([source.url], source.tgz_md5, archive, progress)
                with tarfile.open(archive, "r:gz") as bundle:
                    for path in paths:
                        content = bundle.extractfile(f"{source.base_folder}/{path.name}")
                        if content is None:
                            raise DamagedError
                        place(content, folder, path)
    train, test = parsed(name, lambda: (source(root, train=True), source(root, train=False)))
    return Images(
        train=torch.from_numpy(train.data).permute(0, 3, 1, 2).contiguous(),
        train_labels=torch.tensor(train.targets, dtype=torch.int64),
        test=torch.from_numpy(test.data).permute(0, 3, 1, 2).contiguous(),
        test_labels=torch.tensor(test.targets, dtype=torch.int64),
        classes=THINGS,
    )


def parsed(name: str, parse: Callable[[], tuple[Any, Any]]) -> tuple[Any, Any]:
    """What torchvision makes of the stored files; if it cannot, they are removed and the visitor told to try again."""
    try:
        return parse()
    except Exception as error:  # torchvision reports a bad file by an assertion, a RuntimeError, or whatever numpy or pickle raise
        for path in kept(name):
            path.unlink(missing_ok=True)
        raise Refused(
            "The stored copy of {title} was damaged and has been removed. Choose it again to download it anew.", title=DATASETS[name].title
        ) from error


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
        load=partial(read_like_mnist, "mnist", "MNIST"),
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
        load=partial(read_like_mnist, "fashion-mnist", "FashionMNIST"),
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
        load=partial(read_like_mnist, "kmnist", "KMNIST"),
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
        load=read_emnist_letters,
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
        load=read_cifar10,
    )
)
