"""Makes the files of the built-in sets from their sources; each run gives the same bytes.

    python -m aecore.data.pack --mnist DIR --fashion DIR --faces DIR

The first two folders hold the four ``.gz`` files that each set is published as. The third holds, for each of
``train``, ``held`` and ``clip``, the folders ``A`` and ``B`` of 128 x 128 frames, ``params.json`` and ``landmarks.json``.
"""

import argparse
import gzip
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from aecore.data.faces import COLUMNS, LANDMARK_NAMES, PEOPLE, SIDE, SPLITS
from aecore.data.split import stratified

FILES = Path(__file__).parent / "files"
SEED = 1
TRAIN, TEST = 10_000, 2_000
QUALITY = 95
"""Of WebP: at 64 pixels the worst frame has a PSNR of 40.8 dB against the lossless one."""


def pack_idx(source: Path, target: Path) -> None:
    """Draw a stratified part of a set published as MNIST is, and store it as one compressed ``.npz``."""
    arrays = {}
    for split, prefix, count in (("train", "train", TRAIN), ("test", "t10k", TEST)):
        pictures = read_idx(source / f"{prefix}-images-idx3-ubyte.gz")
        labels = read_idx(source / f"{prefix}-labels-idx1-ubyte.gz")
        chosen = stratified(torch.from_numpy(labels).long(), count, torch.Generator().manual_seed(SEED)).numpy()
        arrays[split], arrays[f"{split}_labels"] = pictures[chosen], labels[chosen]
    np.savez_compressed(target, allow_pickle=False, **arrays)


def read_idx(path: Path) -> np.ndarray:
    """A gzipped IDX file of bytes as an array: two zeros, the type (8), the number of dimensions, then their sizes."""
    content = gzip.decompress(path.read_bytes())
    if content[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is not an IDX file of bytes")
    dimensions = content[3]
    shape = np.frombuffer(content, ">u4", dimensions, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape).copy()


def pack_faces(source: Path, target: Path) -> None:
    """One WebP sheet for each person and split, and one ``.npz`` of what the frames show."""
    arrays: dict[str, np.ndarray] = {}
    if json.loads((source / "landmark_names.json").read_text()) != list(LANDMARK_NAMES):
        raise ValueError("the landmarks' names are not those of aecore.data.faces")
    for split in SPLITS:
        parameters = json.loads((source / split / "params.json").read_text())
        names = list(parameters[0])
        arrays["parameter_names"] = np.array(names)
        arrays[f"parameters_{split}"] = np.array([[frame[name] for name in names] for frame in parameters], np.float64)
        landmarks = json.loads((source / split / "landmarks.json").read_text())
        for person in PEOPLE:
            # Published to a hundredth of a pixel, so whole hundredths lose nothing.
            arrays[f"landmarks_{person}_{split}"] = np.round(np.array(landmarks[person]) * 100).astype(np.int16)
            frames = np.stack([read_frame(path) for path in sorted((source / split / person).glob("*.webp"))])
            sheet = frames.reshape(-1, COLUMNS, SIDE, SIDE, 3).transpose(0, 2, 1, 3, 4).reshape(-1, COLUMNS * SIDE, 3)
            Image.fromarray(sheet).save(target / f"faces-{person}-{split}.webp", quality=QUALITY, method=6)
    np.savez_compressed(target / "faces-frames.npz", allow_pickle=False, **arrays)


def read_frame(path: Path) -> np.ndarray:
    with Image.open(path) as frame:
        return np.asarray(frame.convert("RGB"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, metavar="DIR")
    parser.add_argument("--fashion", type=Path, metavar="DIR")
    parser.add_argument("--faces", type=Path, metavar="DIR")
    parser.add_argument("--to", type=Path, metavar="DIR", default=FILES)
    asked = parser.parse_args()
    if asked.mnist:
        pack_idx(asked.mnist, asked.to / "digits.npz")
    if asked.fashion:
        pack_idx(asked.fashion, asked.to / "clothes.npz")
    if asked.faces:
        pack_faces(asked.faces, asked.to)


if __name__ == "__main__":
    main()
