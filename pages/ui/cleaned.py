"""What a mended picture is worth: before and after, what was removed, the score, the classical filters beside it."""

import base64

import pyarrow as pa
import streamlit as st
from torch import Tensor
from torch.nn import functional

from pages.ui import widgets
from pages.ui.i18n import Translator, marked
from pages.ui.mended import CROP, Mended, encoded

MOST_SHOWN = 1400  # pixels of the longer side on the page; the file to take home is whole
MOST = 99  # dB; of a perfect copy it would be infinite
LOUDER = 3  # how much what was removed is strengthened to be seen
LOOKS = {"both": marked("Before and after"), "removed": marked("What was removed"), "clean": marked("Without noise")}
WAYS = {
    "noisy": marked("Noisy"),
    "autoencoder": marked("Autoencoder"),
    "eight looks": marked("Autoencoder, eight looks"),
    "median": marked("Median"),
    "bilateral": marked("Bilateral"),
    "non-local means": marked("Non-local means"),
    "wavelet": marked("Wavelets"),
    "total variation": marked("Total variation"),
}


def show(mended: Mended, t: Translator) -> None:
    """All that is to be seen of a mended picture."""
    strength = st.slider(
        t("Strength"), 0.0, 1.0, 1.0, 0.05, format="localized", key="denoise-strength", help=t("Less leaves some of the noise.")
    )
    output = mended.at(strength)
    _figures(mended, strength, t)
    looks = [each for each in LOOKS if each != "clean" or mended.clean is not None]
    same = {"required": True, "label_visibility": "collapsed"}
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        look = st.segmented_control(
            t("Look at"), looks, default="both", format_func=lambda each: t(LOOKS[each]), key="denoise-look", **same
        )
        zoom = 1
        if look == "both":
            zoom = st.segmented_control(t("Zoom"), [1, 2, 4], default=1, format_func=lambda each: f"{each} ×", key="denoise-zoom", **same)
    if look == "both":
        words = {"before": t("noisy"), "after": t("mended"), "slider": t("Move the border between noisy and mended")}
        widgets.curtain(_address(mended.noisy), _address(output), words, int(zoom or 1), key="curtain")
    elif look == "removed":
        st.image(shown(0.5 + LOUDER * (mended.noisy - output)), width="stretch", alt=t("What was removed"))
        st.caption(t("Three times as strong as it was; grey is nothing. Where you see the outlines of things, detail went too."))
    elif mended.clean is not None:
        st.image(shown(mended.clean), width="stretch", alt=t("Without noise"))
    _take_home(mended, strength, t)
    if mended.clean is not None:
        _filters(mended, t)


def shown(picture: Tensor, most: int = MOST_SHOWN) -> bytes:
    """A picture ``(3, H, W)`` as the page shows it: a JPEG whose sides are at most ``most`` pixels."""
    share = most / max(picture.shape[1:])
    if share < 1:
        sides = [max(1, round(share * each)) for each in picture.shape[1:]]
        picture = functional.interpolate(picture[None], size=sides, mode="area")[0]
    return encoded(picture, "JPEG")


def _figures(mended: Mended, strength: float, t: Translator) -> None:
    """The scores, where the clean picture is known; the noise that was found, and the time it took."""
    with st.container(horizontal=True):
        if mended.clean is not None:
            before, after = mended.score(0), mended.score(strength)
            words = t("Before and after, against the picture without noise: 3 dB more is half the squared error.")
            _metric("PSNR", f"{t.number(min(before.psnr, MOST), 2)} → {_db(after.psnr, t)}", words)
            words = t(
                "Structural similarity, 1 for the picture without noise. Of more than a million pixels, on 16 pieces spread over them."
            )
            _metric("SSIM", f"{t.number(before.ssim, 3)} → {t.number(after.ssim, 3)}", words)
        words = t("Estimated from the picture alone, as the standard deviation of Gaussian noise in grey levels of 255.")
        _metric(t("Noise found"), t.number(255 * mended.sigma, 1), words)
        size = t.number(mended.output[0].numel() / 1e6, 2)
        _metric(t("Time"), t.duration(mended.seconds), t("For {size} megapixels, on one core.", size=size))


def _take_home(mended: Mended, strength: float, t: Translator) -> None:
    """The mended picture, in the format that it came in."""
    if mended.lost_depth:
        st.info(t("Your file has 16 bits for each colour. It is mended and comes back with 8, so keep the original."))
    end = "png" if mended.photo is None else mended.photo.format.lower()
    st.download_button(
        t("Take the mended picture home"),
        lambda: mended.file(strength),
        f"mended.{end}",
        "application/octet-stream",
        icon=":material/download:",
        on_click="ignore",
    )


def _filters(mended: Mended, t: Translator) -> None:
    """Classical filters on the middle of the picture, each told the level of the noise that was found."""
    with st.expander(
        t("Beside it: filters that never learnt anything"), icon=":material/balance:", on_change="rerun", key="denoise-filters"
    ) as panel:
        if not panel.open:
            return
        rows = mended.beside
        best = max(each.psnr for each in rows.values()), max(each.ssim for each in rows.values())
        columns = {
            t("Filter"): [t(WAYS[name]) for name in rows],
            "PSNR": [_bold(_db(each.psnr, t), each.psnr == best[0]) for each in rows.values()],
            "SSIM": [_bold(t.number(each.ssim, 3), each.ssim == best[1]) for each in rows.values()],
            t("Time"): ["—" if each.seconds is None else _seconds(each.seconds, t) for each in rows.values()],
        }
        st.table(pa.table(columns), border="horizontal")
        st.caption(
            t(
                "On the {side} × {side} pixels in the middle. The filters are told the noise found above; the autoencoder is told nothing.",
                side=CROP,
            )
        )


def _seconds(seconds: float, t: Translator) -> str:
    return t.duration(seconds) if seconds >= 0.1 else f"{t.number(1000 * seconds)} ms"


def _bold(words: str, best: bool) -> str:
    return f"**{words}**" if best else words


def _metric(label: str, value: str, help: str | None = None) -> None:
    st.metric(label, value, border=True, width="content", help=help)


def _db(psnr: float, t: Translator) -> str:
    return t("{psnr} dB", psnr=t.number(min(psnr, MOST), 2))


def _address(picture: Tensor) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(shown(picture)).decode()}"
