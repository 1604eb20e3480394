"""What a mended picture is worth: before and after, what was removed, the score, the classical filters beside it."""

import base64
import io
import time
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import streamlit as st
from PIL import Image
from torch import Tensor
from torch.nn import functional

from aecore.denoise import classic, pictures, tiles
from aecore.metrics import psnr
from pages.ui import widgets
from pages.ui.i18n import Translator, marked

MOST_SHOWN = 1400  # pixels of the longer side on the page; the file to take home is whole
CROP = 256  # sides of the middle part on which the classical filters are tried
LOUDER = 3  # how much what was removed is strengthened to be seen
LOOKS = {"both": marked("Before and after"), "removed": marked("What was removed"), "clean": marked("Without noise")}
FILTERS = {
    "median": marked("Median"),
    "bilateral": marked("Bilateral"),
    "non-local means": marked("Non-local means"),
    "wavelet": marked("Wavelets"),
    "total variation": marked("Total variation"),
}


@dataclass(frozen=True)
class Mended:
    """A picture through the denoiser: ``noisy``, ``output`` and, where it is known, ``clean``, all ``(3, H, W)`` in [0, 1].

    ``photo`` is the file that it came from, if from one; ``sigma`` the noise level estimated from the noisy picture;
    ``seconds`` were spent mending it.
    """

    photo: pictures.Photo | None
    noisy: Tensor
    clean: Tensor | None
    output: Tensor
    sigma: float
    seconds: float

    @cached_property
    def filtered(self) -> dict[str, tuple[Tensor, float]]:
        """The middle of the noisy picture through each classical filter, and the seconds that it took."""
        found = {}
        for name in FILTERS:
            began = time.perf_counter()
            picture = classic.FILTERS[name](_middle(self.noisy), self.sigma).clamp(0, 1)
            found[name] = picture, time.perf_counter() - began
        return found

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return sum(each.numel() * each.element_size() for each in (self.noisy, self.clean, self.output) if each is not None)


def show(mended: Mended, t: Translator) -> None:
    """All that is to be seen of a mended picture."""
    strength = st.slider(
        t("Strength"), 0.0, 1.0, 1.0, 0.05, format="localized", key="denoise-strength", help=t("Less leaves some of the noise.")
    )
    output = tiles.blend(mended.noisy, mended.output, strength)
    with st.container(horizontal=True):
        if mended.clean is not None:
            _metric(t("Noisy (PSNR)"), _db(mended.noisy, mended.clean, t))
            _metric(t("Mended (PSNR)"), _db(output, mended.clean, t))
        words = t("Estimated from the picture alone, as the standard deviation of Gaussian noise in grey levels of 255.")
        _metric(t("Noise found"), t.number(255 * mended.sigma, 1), words)
        size = t.number(output[0].numel() / 1e6, 2)
        _metric(t("Time"), t.duration(mended.seconds), t("For {size} megapixels, on one core.", size=size))
    looks = [each for each in LOOKS if each != "clean" or mended.clean is not None]
    same = {"required": True, "label_visibility": "collapsed"}
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        look = st.segmented_control(
            t("Look at"), looks, default="both", format_func=lambda each: t(LOOKS[each]), key="denoise-look", **same
        )
        zoom = st.segmented_control(t("Zoom"), [1, 2, 4], default=1, format_func=lambda each: f"{each} ×", key="denoise-zoom", **same)
    if look == "both":
        words = {"before": t("noisy"), "after": t("mended"), "slider": t("Move the border between noisy and mended")}
        widgets.curtain(_address(mended.noisy), _address(output), words, int(zoom or 1), key="curtain")
    elif look == "removed":
        st.image(_jpeg(0.5 + LOUDER * (mended.noisy - output)), width="stretch", alt=t("What was removed"))
        st.caption(t("Three times as strong as it was; grey is nothing. Where you see the outlines of things, detail went too."))
    elif mended.clean is not None:
        st.image(_jpeg(mended.clean), width="stretch", alt=t("Without noise"))
    _take_home(output, mended.photo, t)
    if mended.clean is not None:
        _filters(mended, t)


def _take_home(output: Tensor, photo: pictures.Photo | None, t: Translator) -> None:
    """The mended picture, in the format that it came in."""

    def file() -> bytes:
        if photo is None:
            return _png(output)
        grey = photo.colour.shape[0] == 1
        return pictures.write(photo, output.mean(0, keepdim=True) if grey else output)

    end = "png" if photo is None else photo.format.lower()
    st.download_button(
        t("Take the mended picture home"), file, f"mended.{end}", "application/octet-stream", icon=":material/download:", on_click="ignore"
    )


def _filters(mended: Mended, t: Translator) -> None:
    """Classical filters on the middle of the picture, each told the level of the noise that was found."""
    with st.expander(
        t("Beside it: filters that never learnt anything"), icon=":material/balance:", on_change="rerun", key="denoise-filters"
    ) as panel:
        if not panel.open:
            return
        assert mended.clean is not None
        clean = _middle(mended.clean)
        rows = [(t("Noisy"), _middle(mended.noisy), None), (t("Autoencoder"), _middle(mended.output), None)]
        rows += [(t(FILTERS[name]), picture, seconds) for name, (picture, seconds) in mended.filtered.items()]
        best = max(psnr(picture, clean) for _, picture, _ in rows)
        scores = [_db(picture, clean, t) for _, picture, _ in rows]
        bold = [f"**{score}**" if psnr(picture, clean) == best else score for score, (_, picture, _) in zip(scores, rows, strict=True)]
        seconds = ["—" if each is None else t.duration(each) for _, _, each in rows]
        st.table(pa.table({t("Filter"): [words for words, _, _ in rows], "PSNR": bold, t("Time"): seconds}), border="horizontal")
        st.caption(
            t(
                "On the {side} × {side} pixels in the middle. The filters are told the noise found above; the autoencoder is told nothing.",
                side=CROP,
            )
        )


def _middle(picture: Tensor) -> Tensor:
    _, height, width = picture.shape
    top, left = max(0, (height - CROP) // 2), max(0, (width - CROP) // 2)
    return picture[:, top : top + CROP, left : left + CROP]


def _metric(label: str, value: str, help: str | None = None) -> None:
    st.metric(label, value, border=True, width="content", help=help)


def _db(output: Tensor, target: Tensor, t: Translator) -> str:
    return t("{psnr} dB", psnr=t.number(min(psnr(output, target), 99), 2))


def _address(picture: Tensor) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(_jpeg(picture)).decode()}"


def _jpeg(picture: Tensor) -> bytes:
    """As the page shows it: no larger than ``MOST_SHOWN``."""
    share = MOST_SHOWN / max(picture.shape[1:])
    if share < 1:
        picture = functional.interpolate(picture[None], scale_factor=share, mode="area")[0]
    file = io.BytesIO()
    _image(picture).save(file, "JPEG", quality=95, subsampling=0)
    return file.getvalue()


def _png(picture: Tensor) -> bytes:
    file = io.BytesIO()
    _image(picture).save(file, "PNG")
    return file.getvalue()


def _image(picture: Tensor) -> Image.Image:
    return Image.fromarray(picture.mul(255).round().clamp(0, 255).byte().permute(1, 2, 0).numpy())
