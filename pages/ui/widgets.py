"""Streamlit components of our own: the digit that flows through a model, and rows of pictures that do not flicker."""

import base64
import binascii
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
import streamlit.components.v2 as components
from PIL import Image

HERE = Path(__file__).parent / "components"


def _component(name: str, html: str) -> Any:
    return components.component(f"aecore_{name}", html=html, css=(HERE / f"{name}.css").read_text(), js=(HERE / f"{name}.js").read_text())


@dataclass(frozen=True)
class Change:
    """What the visitor did last: a picture ``(H, W)`` uint8, and its code ``(n,)`` where bars of it were dragged."""

    pixels: np.ndarray
    code: np.ndarray | None
    serial: int


def flow_change(key: str, side: int, size: int) -> Change | None:
    """The last change made in the flow mounted at ``key``, or None; anything malformed counts as none."""
    change = (st.session_state.get(key) or {}).get("change")
    if not isinstance(change, Mapping):
        return None
    try:
        pixels = np.frombuffer(base64.b64decode(str(change["pixels"])[:4096], validate=True), dtype=np.uint8).reshape(side, side)
        code = None if change.get("code") is None else np.array([float(each) for each in change["code"][: size + 1]], dtype=np.float32)
        serial = int(change["serial"])
    except (KeyError, TypeError, ValueError, binascii.Error):
        return None
    if code is not None and (code.shape != (size,) or not np.isfinite(code).all()):
        return None
    return Change(pixels, code, serial)


def flow(
    key: str,
    *,
    pixels: np.ndarray,
    code: np.ndarray,
    output: np.ndarray,
    samples: Sequence[np.ndarray],
    limit: float,
    serial: int,
    score: str,
    words: Mapping[str, str],
) -> None:
    """Draw a picture ``(28, 28)`` uint8, drag its code ``(n,)``, see the output ``(28, 28)`` uint8; ``limit`` is the bars' end.

    Each change reruns the fragment; :func:`flow_change` then tells what changed, and ``serial`` answers it.
    """
    values = [round(float(each), 4) for each in code]
    data = {
        "pixels": _text(pixels),
        "code": values,
        "output": _text(output),
        "samples": [_text(each) for each in samples],
        "limit": limit,
        "serial": serial,
        "score": score,
        "words": dict(words),
    }
    _component("flow", (HERE / "flow.html").read_text())(data=data, key=key, on_change_change=lambda: None)


@dataclass(frozen=True)
class Row:
    """A row of pictures as one image, an address that holds it, and the words above it."""

    caption: str
    source: str


def row(caption: str, pictures: np.ndarray) -> Row:
    """Pictures ``(N, C, H, W)`` uint8 side by side under ``caption``."""
    return Row(caption, f"data:image/png;base64,{base64.b64encode(png(montage(pictures))).decode()}")


def strip(rows: Sequence[Row], key: str) -> None:
    """Rows of pictures, each row one image; a change is exchanged in place, without a flicker."""
    data = {"rows": [{"caption": row.caption, "alt": row.caption, "source": row.source} for row in rows]}
    _component("strip", '<div class="strip"></div>')(data=data, key=key)


def curtain(before: str, after: str, words: Mapping[str, str], zoom: int, key: str) -> None:
    """Two pictures of one size, given by their addresses, one over the other, with a border to move between them.

    ``words`` has "before", "after", and "slider" for who cannot see it.
    """
    html = (
        '<div class="curtain"><div class="words"><span class="left"></span><span class="right"></span></div>'
        '<div class="view"><div class="stage"><img class="below"><img class="above"></div></div>'
        '<input type="range" min="0" max="100" value="50"></div>'
    )
    data = {"before": before, "after": after, "words": dict(words), "zoom": zoom}
    _component("curtain", html)(data=data, key=key)


def drawing(svg: str, key: str) -> None:
    """An SVG of our own making; ``currentColor`` in it is the page's text colour."""
    _component("diagram", '<div class="place"></div>')(data={"svg": svg}, key=key)


def words(data: Mapping[str, Any], key: str) -> None:
    """Words at their points, by the data that :mod:`pages.ui.text_map` makes."""
    html = (
        '<div class="words"><svg role="application" tabindex="0"></svg><div class="legend"></div>'
        '<div class="spoken" aria-live="polite"></div></div>'
    )
    _component("words", html)(data=dict(data), key=key)


def montage(pictures: np.ndarray, columns: int = 0) -> np.ndarray:
    """Pictures ``(N, C, H, W)`` uint8 side by side, ``columns`` in a row (0: all), as one ``(H', W', 3)`` or ``(H', W')``."""
    count, channels, height, width = pictures.shape
    columns = columns or count
    rows = math.ceil(count / columns)
    sheet = np.zeros((rows * height + (rows - 1), columns * width + (columns - 1), channels), dtype=np.uint8)
    for index, picture in enumerate(pictures):
        top, left = index // columns * (height + 1), index % columns * (width + 1)
        sheet[top : top + height, left : left + width] = picture.transpose(1, 2, 0)
    return sheet[:, :, 0] if channels == 1 else sheet


def png(picture: np.ndarray, scale: int = 1) -> bytes:
    """A picture ``(H, W)`` or ``(H, W, 3)`` uint8 as PNG, each pixel ``scale`` wide."""
    file = io.BytesIO()
    image = Image.fromarray(picture)
    image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST).save(file, "PNG")
    return file.getvalue()


def _text(pixels: np.ndarray) -> str:
    return base64.b64encode(pixels.tobytes()).decode()
