"""Small data sets made on the spot, so that tests need neither files nor a network."""

import io
import zipfile

import torch

from aecore.data import Images


def blobs(shape: tuple[int, int, int] = (1, 12, 12), train: int = 240, test: int = 40, seed: int = 0) -> Images:
    """Soft round spots: two hidden numbers, where the spot is, decide every pixel, so a small code can hold a picture."""
    rng = torch.Generator().manual_seed(seed)
    channels, height, width = shape
    count = train + test
    rows, columns = torch.arange(height)[None, :, None], torch.arange(width)[None, None, :]
    y = (0.25 + 0.5 * torch.rand(count, 1, 1, generator=rng)) * height
    x = (0.25 + 0.5 * torch.rand(count, 1, 1, generator=rng)) * width
    spread = (0.2 * min(height, width)) ** 2
    spots = torch.exp(-((rows - y) ** 2 + (columns - x) ** 2) / spread)
    shades = torch.linspace(1, 0.4, channels)[None, :, None, None]
    pictures = (255 * spots[:, None] * shades).round().to(torch.uint8)
    labels = (x.flatten() > width / 2).long()
    return Images(pictures[:train], labels[:train], pictures[train:], labels[train:], ("left", "right"))


def zipped(entries: dict[str, bytes]) -> bytes:
    """A ZIP of files by name, in memory."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()
