"""What a codec knows: the one for digits on digits, and then on photographs."""

from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import pyarrow as pa
import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from aecore.metrics import psnr
from pages.ui import cache, cleaning, codecs, packed, widgets
from pages.ui.i18n import Translator

SHOWN = 10  # digits
MEASURED = 100


@dataclass(frozen=True, eq=False)
class Tried:
    """Pictures ``(N, 1, 28, 28)`` uint8 and what came out of their files; the mean bytes of those, of PNG and of WebP without loss; PSNR in dB."""

    before: Tensor
    after: Tensor
    ours: float
    png: float
    webp: float
    psnr: float


def section(t: Translator) -> None:
    """Digits, then photographs, each beside what comes out."""
    st.subheader(t("A codec that knows only digits"), anchor=False)
    st.markdown(
        t(
            "What a codec need not say, it must know already. This one has seen ten thousand digits and nothing else, "
            "so it tells a digit in very few bytes. Now give it a photograph."
        )
    )
    digits, photographs = tried()
    left, right = st.columns([5, 2], gap="large")  # so that all are as large
    with left:
        _rows(t("Digits it has never seen"), t("After {size} bytes each", size=t.number(digits.ours)), digits, "digits", t)
    with right:
        _rows(t("Photographs, made as small"), t("What the digit codec says they are"), photographs, "photographs", t)
    columns = {
        t("Mean of a picture"): [t("{count} digits", count=MEASURED), t("{count} photographs", count=len(photographs.before))],
        t("Digit codec"): [_bytes(each.ours, t) for each in (digits, photographs)],
        "PNG": [_bytes(each.png, t) for each in (digits, photographs)],
        t("WebP, lossless"): [_bytes(each.webp, t) for each in (digits, photographs)],
        t("PSNR of the digit codec"): [t("{psnr} dB", psnr=t.number(each.psnr, 1)) for each in (digits, photographs)],
    }
    st.table(pa.table(columns), border="horizontal")
    st.caption(
        t("Whole files with their headers, {side} × {side} grey pixels. PNG and WebP give back every pixel; ours does not.", side=28)
    )


@lru_cache(maxsize=1)
def tried() -> tuple[Tried, Tried]:
    """Test digits, the first ten one of each class, and the sample photographs, all through the codec for digits."""
    codec = codecs.shipped("digits")
    data = cache.data("digits")
    firsts = [int((data.test_labels == label).nonzero()[0]) for label in range(SHOWN)]
    others = [place for place in range(MEASURED) if place not in firsts]
    photographs = [packed.eight_bit(cleaning.sample(name)) for name in cleaning.SAMPLES]
    return (
        _through(codec, data.test[[*firsts, *others][:MEASURED]]),
        _through(codec, torch.stack([codecs.fitted(each, codec.shape) for each in photographs])),
    )


def _through(codec: codecs.Codec, pictures: Tensor) -> Tried:
    files = [codec.write(each, 0, _unheard, _wanted)[0] for each in pictures]
    after = torch.stack([codec.read(each, _unheard, _wanted) for each in files])
    images = [Image.fromarray(each[0].numpy()) for each in pictures]
    sizes = (
        sum(map(len, files)),
        sum(_size(each, "PNG", optimize=True) for each in images),
        sum(_size(each, "WEBP", lossless=True) for each in images),
    )
    ours, png, webp = (each / len(files) for each in sizes)
    return Tried(pictures, after, ours, png, webp, psnr(after / 255, pictures / 255))


def _size(image: Image.Image, kind: str, **options: bool) -> int:
    file = BytesIO()
    (image if kind == "PNG" else image.convert("RGB")).save(file, kind, **options)
    return len(file.getvalue())


def _rows(before: str, after: str, tried: Tried, key: str, t: Translator) -> None:
    rows = [widgets.row(words, each[:SHOWN].numpy()) for words, each in ((before, tried.before), (after, tried.after))]
    widgets.strip(rows, key=f"domain-{key}")


def _bytes(count: float, t: Translator) -> str:
    return f"{t.number(count)} B"


def _unheard(done: float) -> None:
    """Progress of what takes a millisecond."""


def _wanted() -> bool:
    return False
