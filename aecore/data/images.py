"""The picture sets that come with the lab and need no network: handwritten digits and clothes."""

from functools import partial
from pathlib import Path

import numpy as np
import torch

from aecore.data.registry import Dataset, Images, Progress, register

FILES = Path(__file__).parent / "files"
DIGITS = tuple("0123456789")
CLOTHES = ("T-shirt", "Trousers", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def read(path: Path, classes: tuple[str, ...], progress: Progress | None = None) -> Images:
    """Read one packed set: an ``.npz`` with ``train``, ``test`` uint8 ``(N, H, W)`` and their ``_labels`` uint8 ``(N,)``."""
    with np.load(path, allow_pickle=False) as packed:
        arrays = {name: torch.from_numpy(packed[name]) for name in ("train", "train_labels", "test", "test_labels")}
    if progress:
        progress(1.0)
    return Images(
        train=arrays["train"].unsqueeze(1),
        train_labels=arrays["train_labels"].long(),
        test=arrays["test"].unsqueeze(1),
        test_labels=arrays["test_labels"].long(),
        classes=classes,
    )


register(
    Dataset(
        name="digits",
        title="Handwritten digits",
        about="Digits from 0 to 9 in many people's handwriting: the first thing most networks learn. 12,000 of MNIST's 70,000 pictures.",
        licence="CC BY-SA 3.0",
        source="LeCun, Cortes and Burges (1998), http://yann.lecun.com/exdb/mnist/",
        shape=(1, 28, 28),
        classes=DIGITS,
        built_in=True,
        load=partial(read, FILES / "digits.npz", DIGITS),
    )
)
register(
    Dataset(
        name="clothes",
        title="Clothes",
        about="Small grey pictures of ten kinds of clothes and shoes, harder than digits. 12,000 of Fashion-MNIST's 70,000 pictures.",
        licence="MIT",
        source="Xiao, Rasul and Vollgraf (2017), https://arxiv.org/abs/1708.07747",
        shape=(1, 28, 28),
        classes=CLOTHES,
        built_in=True,
        load=partial(read, FILES / "clothes.npz", CLOTHES),
    )
)
