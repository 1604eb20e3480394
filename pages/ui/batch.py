"""Several pictures, mended one after the other: what goes in is limited, each refusal costs one picture, and all comes back as a ZIP."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape

import streamlit as st

from aecore.data import picture
from aecore.denoise import pictures
from aecore.jobs.errands import Cancelled, Report, Work
from aecore.refusal import Refused
from pages.ui import cleaned, many
from pages.ui.i18n import Translator
from pages.ui.mended import Mended, mend

MOST_PIXELS = 100_000_000
"""Of all pictures together; on one core two minutes or three."""
THUMBNAIL = 320  # pixels of the longer side
LATEST = 6  # pictures shown while others are mended
STYLE = """<style>
.mended { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; }
.mended figure { margin: 0; min-width: 0; }
.mended div { display: flex; gap: 3px; align-items: flex-start; }
.mended img { width: calc(50% - 1.5px); max-height: 11rem; object-fit: cover; border-radius: 0.35rem; }
.mended figcaption { font-size: 0.85rem; overflow-wrap: anywhere; margin-top: 0.2rem; }
.mended span { opacity: 0.75; display: block; }
</style>"""


@dataclass(frozen=True)
class Kept:
    """A picture that was mended, as bytes: the file to take home, and two thumbnails in JPEG; ``sides`` are its width and height.

    ``sigma`` is the noise found; ``psnr`` before and after, in dB, where the noise was added here. ``lost_depth``: see :class:`Mended`.
    """

    name: str
    file: bytes
    before: bytes
    after: bytes
    sides: tuple[int, int]
    sigma: float
    psnr: tuple[float, float] | None
    lost_depth: bool


@dataclass(frozen=True)
class Batch:
    """What came of several pictures, so far: those mended and those refused; ``count`` is how many there are in all."""

    kept: tuple[Kept, ...]
    refused: tuple[Refused, ...]
    count: int

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return sum(len(each.file) + len(each.before) + len(each.after) for each in self.kept)


def work(uploaded: Sequence[tuple[str, bytes]], kind: str | None, amount: float, careful: bool = False) -> Work:
    """What the errand does: read one picture after the other, damage it or not, mend it, and keep no more than bytes of it."""

    def mend_all(report: Report, stopped: Callable[[], bool]) -> Batch:
        candidates, refused = many.gather(uploaded)
        kept: list[Kept] = []
        pixels, count = 0, len(candidates) + len(refused)
        for place, candidate in enumerate(candidates):
            if stopped():
                raise Cancelled
            seen = Batch(tuple(kept), tuple(refused), count)
            report(place / len(candidates), seen)
            try:
                content = candidate.read()
                pixels += _size(content, candidate.name, MOST_PIXELS - pixels)
                photo = pictures.read(content, candidate.name)
                progress = partial(_forward, report, seen, place, len(candidates))
                result = mend(photo.colour.expand(3, -1, -1), photo, kind, amount, careful, progress, stopped)
                kept.append(_kept(result, candidate.name, [each.name for each in kept]))
            except Refused as refusal:
                refused.append(refusal)
        return Batch(tuple(kept), tuple(refused), count)

    return mend_all


def show(batch: Batch, t: Translator) -> None:
    """All of them, once they are mended, and the way to take them home."""
    st.markdown(t("{count} of {all} pictures are mended.", count=len(batch.kept), all=batch.count))
    if batch.kept:
        if any(each.lost_depth for each in batch.kept):
            st.info(t("Some files have 16 bits for each colour. They are mended and come back with 8, so keep the originals."))
        many.take_home(batch.kept, "mended.zip", t)
    _gallery(batch, t)


def show_so_far(batch: Batch, t: Translator) -> None:
    """While it lasts: which one it is at, what was refused, and the latest."""
    st.caption(t("Picture {place} of {all}", place=min(batch.count, len(batch.kept) + len(batch.refused) + 1), all=batch.count))
    _gallery(replace(batch, kept=batch.kept[-LATEST:]), t)


def _gallery(batch: Batch, t: Translator) -> None:
    if batch.refused:
        st.warning("\n".join(f"- {t.refusal(each)}" for each in batch.refused))
    if batch.kept:
        st.html(f'{STYLE}<div class="mended">{"".join(_figure(each, t) for each in batch.kept)}</div>')


def _figure(kept: Kept, t: Translator) -> str:
    """Before and after beside one another; the name is a stranger's, and escaped."""
    width, height = kept.sides
    words = [f"{width} × {height}", t("noise found: {level}", level=t.number(255 * kept.sigma, 1))]
    if kept.psnr:
        before, after = (t.number(min(each, cleaned.MOST), 1) for each in kept.psnr)
        words.append(f"{before} → {after} dB")
    pair = "".join(
        f'<img alt="{escape(alt)}" title="{escape(alt)}" src="data:image/jpeg;base64,{base64.b64encode(each).decode()}">'
        for each, alt in ((kept.before, t("noisy")), (kept.after, t("mended")))
    )
    return f"<figure><div>{pair}</div><figcaption>{escape(kept.name)}<span>{escape(' · '.join(words))}</span></figcaption></figure>"


def _kept(mended: Mended, name: str, taken: Sequence[str]) -> Kept:
    assert mended.photo is not None
    height, width = mended.output.shape[1:]
    return Kept(
        name=many.safe_name(name, mended.photo.format, taken),
        file=mended.file(),
        before=cleaned.shown(mended.noisy, THUMBNAIL),
        after=cleaned.shown(mended.output, THUMBNAIL),
        sides=(width, height),
        sigma=mended.sigma,
        psnr=(mended.score(0).psnr, mended.score(1).psnr) if mended.clean is not None else None,
        lost_depth=mended.lost_depth,
    )


def _size(content: bytes, name: str, left: int) -> int:
    """The pixels of a picture, which must not be more than are ``left``; nothing is decoded yet."""
    image = picture.opened(content, name, pictures.MAX_PIXELS)
    if image.width * image.height > left:
        raise Refused(
            "{name} was left out: at most {limit} million pixels are mended at once. Send it again, with fewer others.",
            name=name,
            limit=MOST_PIXELS // 1_000_000,
        )
    return image.width * image.height


def _forward(report: Report, seen: Batch, place: int, count: int, share: float) -> None:
    report((place + share) / count, seen)
