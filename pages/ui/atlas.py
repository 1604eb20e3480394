"""A map that can be touched, as a Streamlit component: points, their pictures on one sheet that travels once, and what was touched."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import streamlit as st
import streamlit.components.v2 as components
import torch
from PIL import Image
from streamlit import runtime
from torch import Tensor

from aecore import latent
from aecore.latent.export import STYLE, script
from pages.ui.i18n import Translator
from pages.ui.latent_choice import Chosen
from pages.ui.widgets import HERE

QUALITY = 88  # of coloured pictures, as JPEG; grey ones are kept exactly


@dataclass(frozen=True)
class Column:
    """What is known of each point: names of ``kinds`` and the position of each point's among them, or numbers."""

    name: str
    values: Tensor
    kinds: Sequence[str] | None = None

    def data(self) -> dict[str, Any]:
        """For the component."""
        if self.kinds is None:
            return {"name": self.name, "numbers": _text(self.values.numpy().astype(np.float32))}
        return {"name": self.name, "kinds": list(self.kinds), "values": _text(self.values.numpy().astype(np.uint16))}

    def words(self) -> list[object]:
        """For files to take home."""
        return [self.kinds[each] for each in self.values.tolist()] if self.kinds is not None else self.values.tolist()


@dataclass(frozen=True)
class Touch:
    """What the visitor touched last on a map: a "point", its position in ``rows``; a "place" ``at`` ``(1, dims)``; or a "group" of ``rows``."""

    kind: Literal["point", "place", "group"]
    rows: Tensor
    at: Tensor


@dataclass(frozen=True)
class Sheet:
    """All pictures on one image: its bytes, their type, how many lie side by side, and the sides of each."""

    content: bytes
    mimetype: str
    across: int
    size: tuple[int, int]


def known(columns: Sequence[Column]) -> dict[str, list[object]]:
    """Columns as files to take home have them."""
    return {each.name: each.words() for each in columns}


def touched(key: str, pictures: str, name: str, count: int, dims: int) -> Touch | None:
    """What was touched on the map mounted at ``key``; None for nothing, for what belongs to other pictures, and for anything malformed.

    ``name`` is the map's: a place on another map says nothing on this one.
    """
    found = (st.session_state.get(key) or {}).get("touch")
    if not isinstance(found, Mapping) or found.get("pictures") != pictures:
        return None
    rows, at = torch.zeros(0, dtype=torch.int64), torch.zeros(1, dims)
    try:
        match found.get("kind"):
            case "point":
                rows = torch.tensor([int(found["row"])])
            case "group":
                rows = torch.tensor([int(each) for each in found["rows"][:count]]).unique()
            case "place" if found.get("key") == name:
                at = torch.tensor([[float(each) for each in found["at"]]])
            case _:
                return None
    except (KeyError, TypeError, ValueError, OverflowError, RuntimeError):
        return None
    if at.shape != (1, dims) or not at.isfinite().all() or (len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < count):
        return None
    return Touch(found["kind"], rows, at) if found["kind"] == "place" or len(rows) else None


def draw(
    key: str,
    chosen: Chosen,
    points: Tensor,
    name: str,
    colour: Column,
    columns: Sequence[Column],
    axes: Sequence[str],
    summary: str,
    t: Translator,
    *,
    marks: Mapping[str, Tensor] | None = None,
    path: Tensor | None = None,
    frame: tuple[Tensor, Tensor] | None = None,
    still: bool = False,
    height: str = "32rem",
) -> None:
    """Draw the map ``points`` ``(N, dims)`` called ``name``, coloured by ``colour``; all ``columns`` show where it is pointed at.

    ``marks`` ``(dims,)`` by their letter and a ``path`` ``(M, dims)`` lie over it. ``frame``, its lowest and highest ``(dims,)``, holds the axes.
    A ``still`` map hears no touch.
    """
    sheet = sheet_of(chosen)
    data = {
        "key": name,
        "pictures": chosen.fingerprint,
        "points": _text(points.numpy().astype(np.float32)),
        "dims": points.shape[1],
        "colour": colour.data(),
        "columns": [each.data() for each in columns],
        "sheet": _address(sheet, key),
        "across": sheet.across,
        "size": list(sheet.size),
        "axes": list(axes),
        "summary": summary,
        "marks": [{"words": letter, "at": at.tolist()} for letter, at in (marks or {}).items()],
        "path": path.tolist() if path is not None else None,
        "frame": [each.tolist() for each in frame] if frame else None,
        "still": still,
        "height": height,
        "words": words(t),
    }
    html = '<div class="map"></div>'
    code = script() + (HERE / "atlas.js").read_text(encoding="utf-8")
    style = STYLE.read_text(encoding="utf-8") + (HERE / "atlas.css").read_text(encoding="utf-8")
    components.component("aecore_atlas", html=html, css=style, js=code)(data=data, key=key, on_touch_change=lambda: None)


def words(t: Translator) -> dict[str, str]:
    """What stands on and beside a map, in the reader's language."""
    return {
        "language": t.language.replace("_", "-"),
        "lasso": t("Lasso"),
        "lassoHelp": t("Lasso: draw around points to select them; also with Shift held"),
        "nearer": t("Nearer"),
        "farther": t("Farther"),
        "whole": t("Whole map"),
        "save": t("Save the map as a picture (PNG)"),
        "all": t("Select all of them"),
        "nobody": t("Nobody lives here"),
        "keys": t(
            "Arrow keys move or turn it, plus and minus change its size, Enter selects the point in the middle, "
            "Shift and Enter decodes the middle, Home shows all."
        ),
    }


@lru_cache(maxsize=8)
def sheet_of(chosen: Chosen) -> Sheet:
    """The sheet of a choice's pictures, made once."""
    whole, across, height, width = latent.sheet(chosen.images)
    kind, options = ("PNG", {"compress_level": 3}) if whole.ndim == 2 else ("JPEG", {"quality": QUALITY})
    file = io.BytesIO()
    Image.fromarray(whole).save(file, kind, **options)
    return Sheet(file.getvalue(), f"image/{kind.lower()}", across, (width, height))


def _address(sheet: Sheet, key: str) -> str:
    """Where a browser gets the sheet: the same for the same pictures, so that it is not sent again."""
    return runtime.get_instance().media_file_mgr.add(sheet.content, sheet.mimetype, f"atlas-{key}")


def _text(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
