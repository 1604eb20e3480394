"""Two formats at equal bytes: our file of this picture, and a rival's made as long, decoded and laid over one another."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from torch import Tensor

from aecore.codec.rivals import RIVALS, read
from aecore.jobs.errands import Report, Work
from aecore.knobs import Choice, Knob
from pages.ui import cleaned, codecs, curve, forms, mending, packed, packing, state, widgets
from pages.ui.i18n import Translator, marked
from pages.ui.mended import likeness
from pages.ui.mending import Wish

RIVAL = Knob("rival", "JPEG", Choice(tuple(RIVALS)), marked("Against"), marked("Formats that were designed by hand."))
SEEKING = marked("Seeking the quality that gives as many bytes: {share} %")


@dataclass(frozen=True)
class Side:
    """One format: bytes of its file, PSNR in dB and SSIM of what comes out, and that as PNG."""

    size: int
    psnr: float
    ssim: float
    seen: bytes


@dataclass(frozen=True)
class Duel:
    """Ours and theirs."""

    ours: Side
    theirs: Side

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return len(self.ours.seen) + len(self.theirs.seen)


def section(asked: packing.Asked, t: Translator) -> None:
    """Choose the rival; the rest is done when somebody wants to see it."""
    with st.expander(
        t("At equal bytes: what each format keeps"), icon=":material/balance:", on_change="rerun", key="compress-duel"
    ) as panel:
        if not panel.open or asked.load is None:
            return
        values = forms.knobs([RIVAL], t, {name: name for name in RIVALS})
        state.put_in_link(values, {RIVAL.name: RIVAL.default})
        rival = values[RIVAL.name]
        key = f"{asked.picture}-{asked.quality}-{rival}"
        mending.watch(Wish("duel", key, work(asked.load, asked.quality, rival), SEEKING), lambda duel, t: _show(duel, rival, t), t)


def work(load: packing.Load, quality: int, rival: str) -> Work:
    """What the errand does: compress by us, then find the rival's file of nearly as many bytes."""

    def do(report: Report, stopped: Callable[[], bool]) -> Duel:
        part = curve.middle(load())
        codec = codecs.shipped(codecs.PHOTO)
        file, _ = codec.write(part, quality, lambda done: report(0.2 * done), stopped)
        picture = codec.read(file, lambda done: report(0.2 + 0.2 * done), stopped)
        theirs = RIVALS[rival].nearest(part, len(file))
        report(0.9)
        return Duel(_side(file, picture, part), _side(theirs, read(theirs, len(part)), part))

    return do


def _side(file: bytes, picture: Tensor, original: Tensor) -> Side:
    return Side(len(file), curve.error(picture, original), likeness(picture / 255, original / 255), packed.png(picture))


def _show(duel: Duel, rival: str, t: Translator) -> None:
    zoom = st.segmented_control(
        t("Zoom"), [1, 2, 4], default=1, format_func=lambda each: f"{each} ×", key="duel-zoom", required=True, label_visibility="collapsed"
    )
    ours, theirs = (_words(name, side, t) for name, side in ((t("ours"), duel.ours), (rival, duel.theirs)))
    words = {"before": theirs, "after": ours, "slider": t("Move the border between {rival} and ours", rival=rival)}
    widgets.curtain(packed.address(duel.theirs.seen), packed.address(duel.ours.seen), words, int(zoom or 1), key="duel-curtain")
    more = duel.theirs.size / duel.ours.size - 1
    if abs(more) > 0.02:
        st.caption(t("{rival} has no quality that comes nearer to our bytes.", rival=rival))


def _words(name: str, side: Side, t: Translator) -> str:
    """A side in one line."""
    psnr = t.number(min(side.psnr, cleaned.MOST), 2)
    return t("{name}: {size}, {psnr} dB, SSIM {ssim}", name=name, size=t.size(side.size), psnr=psnr, ssim=t.number(side.ssim, 3))
