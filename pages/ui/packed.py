"""A picture that was compressed: from values to numbers to bytes, and the file."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import streamlit as st
from torch import Tensor

from aecore.codec import container
from pages.ui import cleaned, widgets
from pages.ui.codecs import Codec, fitted
from pages.ui.i18n import Translator

MOST_EXACT = 800  # pixels of the longer side of a picture that is shown pixel by pixel
LEAST = 256  # and of one that is not enlarged
STYLE = """<style>
.meter { display: grid; grid-template-columns: auto 1fr; gap: 0.35rem 0.7rem; align-items: center; font-size: 0.9rem; }
.meter b { text-align: right; font-variant-numeric: tabular-nums; }
.meter i { display: block; height: 0.45rem; min-width: 2px; border-radius: 2px; background: var(--st-primary-color, #d9480f); }
.meter .first { opacity: 0.35; } .meter .second { opacity: 0.65; }
</style>"""


@dataclass(frozen=True, eq=False)
class Packed:
    """A ``picture`` ``(C, H, W)`` uint8 and the file made of it. ``promised`` are the bits that the tables promised, ``seconds`` what it took.

    ``numbers`` are those of its code; ``seen`` is the picture as the page shows it.
    """

    picture: Tensor
    file: bytes
    numbers: int
    promised: float
    seconds: float
    seen: bytes

    @property
    def rate(self) -> float:
        """Bits per pixel."""
        return 8 * len(self.file) / self.picture[0].numel()

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self.picture.numel() + len(self.file) + len(self.seen)


def pack(picture: Tensor, codec: Codec, quality: int, progress: Callable[[float], None], stopped: Callable[[], bool]) -> Packed:
    """Compress a picture ``(C, H, W)`` uint8, which is first made to fit the codec. May raise Refused or Cancelled."""
    picture = fitted(picture, codec.shape)
    began = time.perf_counter()
    file, promised = codec.write(picture, quality, progress, stopped)
    return Packed(picture, file, codec.numbers(picture), promised, time.perf_counter() - began, seen(picture))


def show(packed: Packed, t: Translator) -> None:
    """The picture, its way to bytes, and the file to take home."""
    st.image(packed.seen, width="stretch", alt=t("The picture that goes in"))
    _meter(packed, t)
    header = len(packed.file) - sum(len(each) for each in container.read(packed.file).streams)
    words = t(
        "{header} bytes of it are not the code. For the code the tables had promised {promised} bytes.",
        header=header,
        promised=packed.promised // 8,
    )
    with st.container(horizontal=True):
        st.metric(t("File"), t.size(len(packed.file)), border=True, width="content", help=words)
        st.metric(t("Bits per pixel"), t.figure(packed.rate, 3), border=True, width="content")
        st.metric(t("Time"), moment(packed.seconds, t), border=True, width="content", help=t("To write the file, on one core."))
    st.download_button(
        t("Take the file home (.aec)"),
        packed.file,
        "picture.aec",
        "application/octet-stream",
        icon=":material/download:",
        on_click="ignore",
    )


def _meter(packed: Packed, t: Translator) -> None:
    """Three bars: values of the picture, numbers in the code, bytes in the file."""
    values = prod(packed.picture.shape)
    rows = (
        (values, t("values in the picture, a byte each")),
        (packed.numbers, t("numbers in the code")),
        (len(packed.file), t("bytes in the file: 1 for {times} in the picture", times=t.number(values / len(packed.file), 1))),
    )
    bars = (
        f'<b>{t.number(count)}</b><span>{words}<i class="{kind}" style="width: {100 * count / values:.2f}%"></i></span>'
        for kind, (count, words) in zip(("first", "second", ""), rows, strict=True)
    )
    st.html(f'{STYLE}<div class="meter">{"".join(bars)}</div>')


def moment(seconds: float, t: Translator) -> str:
    """A time that may be very short, in words."""
    return t.duration(seconds) if seconds >= 0.1 else f"{t.number(1000 * seconds)} ms"


def eight_bit(picture: Tensor) -> Tensor:
    """A picture in [0, 1] as uint8."""
    return picture.mul(255).round().clamp(0, 255).byte()


def seen(picture: Tensor) -> bytes:
    """A picture ``(C, H, W)`` uint8 as the page shows it: PNG, each pixel several wide if there are few; of a large one, a smaller JPEG."""
    longest = max(picture.shape[1:])
    if longest > MOST_EXACT:
        return cleaned.shown(picture.float().div(255).expand(3, -1, -1))
    return png(picture, max(1, LEAST // longest))


def png(picture: Tensor, scale: int = 1) -> bytes:
    """A picture ``(C, H, W)`` uint8 as PNG, grey where C is 1, each pixel ``scale`` wide."""
    pixels = picture.permute(1, 2, 0).contiguous().numpy()
    return widgets.png(pixels[..., 0] if len(picture) == 1 else pixels, scale)


def address(seen: bytes) -> str:
    """The same as an address that holds it."""
    kind = "png" if seen.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(seen).decode()}"
