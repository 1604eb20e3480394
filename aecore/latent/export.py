"""A map to take home: a page that needs no network, files for TensorFlow's Embedding Projector, a table."""

import base64
import csv
import html
import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from aecore.refusal import Refused

PAGE, STYLE = (Path(__file__).with_name(f"map.{end}") for end in ("html", "css"))
SCRIPTS = tuple(Path(__file__).with_name(f"{name}.js") for name in ("lens", "ink", "map"))
LARGEST_SPRITE = 8192  # pixels a side, the most that the Embedding Projector reads
FINE = 5  # digits that tell apart what a screen can show
Columns = Mapping[str, Sequence[object]]
"""What is known of each point, by the column's name: labels, errors, classes."""


def page(points: Tensor, images: Tensor, columns: Columns, words: Mapping[str, str], axes: Sequence[str] = ()) -> bytes:
    """A web page of one file with the map ``(N, 2 or 3)``, each point's picture (uint8 ``(N, C, H, W)``) where it is pointed at.

    The points are coloured by the first of ``columns``; ``words`` holds the page's "language", "title", "hint" and "colour" and, if
    wanted, the names of its buttons ("nearer", "farther", "whole", "save") and "keys", in the reader's language. ``axes`` are named on it.
    """
    pictures, across, height, width = sprite(images)
    data = {
        "points": [[float(f"{value:.{FINE}g}") for value in point] for point in points.tolist()],
        "columns": {name: [_plain(value) for value in values] for name, values in columns.items()},
        "across": across,
        "size": [width, height],
        "words": {"nearer": "+", "farther": "−", "whole": "1:1", "save": "PNG", **words} | ({"axes": list(axes)} if axes else {}),
    }
    filled = PAGE.read_text(encoding="utf-8")
    for gap, text in (
        ("{{language}}", html.escape(words["language"])),
        ("{{title}}", html.escape(words["title"])),
        ("{{hint}}", html.escape(words["hint"])),
        ("{{style}}", STYLE.read_text(encoding="utf-8")),
        ("{{script}}", script()),
        ("{{sheet}}", base64.b64encode(pictures).decode()),
        ("{{data}}", json.dumps(data, allow_nan=False).replace("<", "\\u003c")),  # last, since it may hold anything
    ):
        filled = filled.replace(gap, text)
    return filled.encode()


def script() -> str:
    """The map, as JavaScript that a page may hold: a function ``atlas``."""
    return "\n".join(each.read_text(encoding="utf-8") for each in SCRIPTS)


def projector(vectors: Tensor, images: Tensor, columns: Columns) -> bytes:
    """A ZIP that TensorFlow's Embedding Projector reads: codes ``(N, n)``, what is known of them, and their pictures on one sheet.

    ``vectors.tsv``: one code a line. ``metadata.tsv``: one line for each, below a line of names only if there are several columns, as
    the Projector wants it. ``sprite.png``: the pictures, row by row. ``projector_config.pbtxt`` ties them together for TensorBoard.
    Source: https://www.tensorflow.org/tensorboard/tensorboard_projector_plugin
    """
    pictures, _, height, width = sprite(images)
    config = (
        'embeddings {\n  tensor_path: "vectors.tsv"\n  metadata_path: "metadata.tsv"\n'
        f'  sprite {{\n    image_path: "sprite.png"\n    single_image_dim: {width}\n    single_image_dim: {height}\n  }}\n}}\n'
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("vectors.tsv", "".join("\t".join(f"{value:.8g}" for value in code) + "\n" for code in vectors.tolist()))
        archive.writestr("metadata.tsv", metadata(columns))
        archive.writestr("sprite.png", pictures)
        archive.writestr("projector_config.pbtxt", config)
    return file.getvalue()


def metadata(columns: Columns) -> str:
    """One line for each point, values parted by tabs; a line of names above them only where there are several columns."""
    names = [_line(name) for name in columns]
    rows = ["\t".join(_line(value) for value in row) for row in zip(*columns.values(), strict=True)]
    return "".join(f"{row}\n" for row in (["\t".join(names)] if len(names) > 1 else []) + rows)


def table(points: Tensor, codes: Tensor, columns: Columns, rows: Tensor | None = None) -> str:
    """CSV of all pictures, or of the selected ``rows``: position, columns, place on the map, values of the code."""
    rows = torch.arange(len(points)) if rows is None else rows
    file = io.StringIO()
    writer = csv.writer(file)
    places = ["x", "y", "z"][: points.shape[1]]
    writer.writerow(["position", *columns, *places, *(f"code_{index}" for index in range(codes.shape[1]))])
    for row in rows.tolist():
        known = (_cell(values[row]) for values in columns.values())
        writer.writerow([row, *known, *(f"{value:.8g}" for value in (*points[row].tolist(), *codes[row].tolist()))])
    return file.getvalue()


def sprite(images: Tensor) -> tuple[bytes, int, int, int]:
    """All pictures uint8 ``(N, C, H, W)`` on one square sheet, row by row: the PNG, pictures across, height and width of each.

    Pictures are made smaller where the sheet would be larger than 8,192 pixels.
    """
    whole, across, height, width = sheet(images)
    file = io.BytesIO()
    Image.fromarray(whole).save(file, "PNG")
    return file.getvalue(), across, height, width


def sheet(images: Tensor) -> tuple[np.ndarray, int, int, int]:
    """The sheet of :func:`sprite` as an array ``(H, W)`` or ``(H, W, 3)``, not yet a file."""
    count, channels, height, width = images.shape
    across = math.ceil(math.sqrt(count))
    if across > LARGEST_SPRITE // 4:
        raise Refused("{count} pictures are too many for one sheet. Choose fewer.", count=count)
    most = LARGEST_SPRITE // across
    if max(height, width) > most:
        scale = most / max(height, width)
        height, width = max(1, int(height * scale)), max(1, int(width * scale))
        smaller = [functional.interpolate(part.float(), (height, width), mode="area") for part in images.split(500)]
        images = torch.cat([part.round().to(torch.uint8) for part in smaller])
    whole = np.zeros((across * across, height, width, channels), np.uint8)
    whole[:count] = images.permute(0, 2, 3, 1).numpy()
    whole = whole.reshape(across, across, height, width, channels).swapaxes(1, 2).reshape(across * height, across * width, channels)
    return whole[:, :, 0] if channels == 1 else whole, across, height, width


def _plain(value: object) -> object:
    """A number with few digits, or words; nothing else reaches the page."""
    if isinstance(value, int | float):
        return float(f"{value:.{FINE}g}") if math.isfinite(value) else None
    return str(value)


def _line(value: object) -> str:
    return " ".join(str(value).split()) or "-"


def _cell(value: object) -> object:
    """A cell that a spreadsheet takes for text, even if a stranger's class is called "=1+1"."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
