"""Faces side by side, each under its name and above its figures; those that a network drew carry their marks on the page too."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import streamlit.components.v2 as components
import torch
from torch import Tensor
from torch.nn import functional

from aecore.provenance import Source, export, label
from pages.ui import packed
from pages.ui.widgets import HERE

SIDE = 256
"""Sides in pixels of a face as the page shows it."""


@dataclass(frozen=True)
class Item:
    """One picture: what is written above it, its address, words for who cannot see it, and figures by name."""

    title: str
    source: str
    alt: str
    figures: tuple[tuple[str, str], ...] = ()


def show(items: Sequence[Item], key: str) -> None:
    """Draw the pictures, as many in a row as there is room for."""
    data = {"items": [{"title": each.title, "source": each.source, "alt": each.alt, "figures": each.figures} for each in items]}
    css, js = ((HERE / f"gallery.{kind}").read_text() for kind in ("css", "js"))
    components.component("aecore_gallery", html='<ul class="gallery"></ul>', css=css, js=js)(data=data, key=key)


def enlarged(frames: Tensor, side: int = SIDE) -> Tensor:
    """Frames ``(N, 3, H, W)`` uint8 with sides of ``side`` pixels, smoothly."""
    if frames.shape[-1] == side:
        return frames
    return functional.interpolate(frames.float(), (side, side), mode="bicubic").round().clamp(0, 255).to(torch.uint8)


def large(frame: Tensor) -> Tensor:
    """One frame ``(3, H, W)`` as the page shows it."""
    return enlarged(frame[None])[0]


def labelled(frames: Tensor) -> Tensor:
    """Frames ``(N, 3, H, W)`` uint8 with a label on each, so that whoever cuts one out of a row or a film has it too."""
    return torch.stack([label.draw(each) for each in frames])


def given(picture: Tensor) -> str:
    """The address of a picture ``(3, H, W)`` uint8 that no network has drawn."""
    return packed.address(packed.png(picture))


def made(picture: Tensor, source: Source = "generated") -> str:
    """The address of what a network drew, ``(3, H, W)`` uint8: a file with all three marks."""
    return whole(export(picture, "webp", source), "webp")


def take(words: str, content: bytes, name: str, kind: str, key: str) -> None:
    """A link to take a file home that the page holds itself: of st.download_button's files the server keeps a copy past the session's end."""
    data = {
        "label": words,
        "content": base64.b64encode(content).decode(),
        "serial": sha256(content).hexdigest(),
        "name": name,
        "kind": kind,
    }
    css, js = ((HERE / f"take.{kind}").read_text() for kind in ("css", "js"))
    components.component("aecore_take", html="<a></a>", css=css, js=js)(data=data, key=key)


def whole(content: bytes, kind: str) -> str:
    """The address of a file as it is: Streamlit would encode a picture anew, without its manifest."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
