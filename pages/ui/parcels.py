"""Many at once: pictures become .aec files, .aec files become pictures, and all comes back as a ZIP."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import streamlit as st

from aecore.codec import container, pictures
from aecore.data import picture
from aecore.data.picture import SUFFIXES
from aecore.jobs.errands import Cancelled, Report, Work
from aecore.refusal import Refused
from pages.ui import codecs, many, mending, packed, packing
from pages.ui.codecs import Ready
from pages.ui.i18n import Translator, marked, plain
from pages.ui.mending import Wish

SUFFIX = ".aec"
MOST_PIXELS = 50_000_000
"""Of all pictures together; on one core a minute or two."""
WORKING = marked("Working: {share} %")


@dataclass(frozen=True)
class Kept:
    """A file that was made, its name, and the bytes and pixels that it was made of."""

    name: str
    file: bytes
    before: int
    pixels: int


@dataclass(frozen=True)
class Parcels:
    """What came of several files so far: those made, and those refused by name; ``count`` is how many there are in all."""

    kept: tuple[Kept, ...]
    refused: tuple[tuple[str, Refused], ...]
    count: int

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return sum(len(each.file) for each in self.kept)


def section(asked: packing.Asked, t: Translator) -> None:
    """Ask for files; both directions at once."""
    with st.expander(t("Many at once"), icon=":material/stacks:"):
        st.markdown(
            t(
                "Pictures become .aec files, by the codec and quality chosen above; .aec files become PNG pictures, by the codec that they name."
            )
        )
        files = many.ask(t("Pictures, .aec files, or a ZIP of them"), "compress-files", t)
        contents = [(each.name, each.getvalue()) for each in files]
        decoders = [partial(codecs.shipped, name) for name in (codecs.PHOTO, *codecs.SMALL)]
        key = "-".join([*(each.file_id for each in files), asked.codec, str(asked.quality)])
        wish = Wish("parcels", key, work(contents, asked.ready, asked.quality, [*decoders, asked.ready]), WORKING, live=_so_far)
        if files:
            mending.watch(wish, _show, t)
        else:
            wish.line.cancel(wish.owner)


def work(files: Sequence[tuple[str, bytes]], ready: Ready, quality: int, decoders: Sequence[Ready]) -> Work:
    """What the errand does: one file after the other; a bad one costs a sentence, and the others go on."""

    def do(report: Report, stopped: Callable[[], bool]) -> Parcels:
        candidates, unfit = many.gather(files, (*SUFFIXES, SUFFIX))
        refused = [("", each) for each in unfit]
        kept: list[Kept] = []
        left, count = MOST_PIXELS, len(candidates) + len(refused)
        for place, candidate in enumerate(candidates):
            if stopped():
                raise Cancelled
            seen = Parcels(tuple(kept), tuple(refused), count)
            report(place / len(candidates), seen)
            progress = partial(_forward, report, seen, place, len(candidates))
            try:
                content = candidate.read()
                pixels = _pixels(content, candidate.name)
                if pixels > left:
                    raise Refused(
                        "At most {limit} million pixels are taken at once. Send it again, with fewer others.",
                        limit=MOST_PIXELS // 1_000_000,
                    )
                left -= pixels
                names = [each.name for each in kept]
                if _is_parcel(content, candidate.name):
                    file, name = _opened(content, decoders, progress, stopped), many.safe_name(candidate.name, "PNG", names)
                else:
                    whole = packed.eight_bit(pictures.read(content, candidate.name))
                    codec = ready()
                    file, _ = codec.write(codecs.fitted(whole, codec.shape), quality, progress, stopped)
                    name = many.safe_name(candidate.name, SUFFIX[1:], names)
                kept.append(Kept(name, file, len(content), pixels))
            except Refused as refusal:
                refused.append((candidate.name, refusal))
        return Parcels(tuple(kept), tuple(refused), count)

    return do


def _opened(content: bytes, decoders: Sequence[Ready], progress: Callable[[float], None], stopped: Callable[[], bool]) -> bytes:
    """The picture in a file, as PNG."""
    digest = container.read(content).digest
    codec = next((each for each in (ready() for ready in decoders) if each.digest == digest), None) or decoders[0]()
    return packed.png(codec.read(content, progress, stopped))


def _pixels(content: bytes, name: str) -> int:
    """Of a picture, or of what a file claims to hold; nothing is decoded yet."""
    if _is_parcel(content, name):
        parcel = container.read(content)
        return parcel.width * parcel.height
    image = picture.opened(content, name, container.MOST_PIXELS)
    return image.width * image.height


def _is_parcel(content: bytes, name: str) -> bool:
    """Whether it is, or says that it is, a file of ours."""
    return content.startswith(container.MAGIC) or name.lower().endswith(SUFFIX)


def _forward(report: Report, seen: Parcels, place: int, count: int, share: float) -> None:
    report((place + share) / count, seen)


def _show(parcels: Parcels, t: Translator) -> None:
    """What was made and what was refused, and the way to take it home."""
    st.markdown(t("{count} of {all} files are ready.", count=len(parcels.kept), all=parcels.count))
    if parcels.kept:
        many.take_home(parcels.kept, "compressed.zip", t)
    _table(parcels, t)


def _so_far(parcels: Parcels, t: Translator) -> None:
    """While it lasts."""
    st.caption(t("File {place} of {all}", place=min(parcels.count, len(parcels.kept) + len(parcels.refused) + 1), all=parcels.count))
    _table(parcels, t)


def _table(parcels: Parcels, t: Translator) -> None:
    if parcels.refused:
        st.warning("\n".join(f"- {_words(name, refusal, t)}" for name, refusal in parcels.refused))
    if parcels.kept:
        columns = {
            t("File"): [each.name for each in parcels.kept],
            t("Before"): [t.size(each.before) for each in parcels.kept],
            t("After"): [t.size(len(each.file)) for each in parcels.kept],
        }
        st.dataframe(pa.table(columns), hide_index=True)


def _words(name: str, refusal: Refused, t: Translator) -> str:
    """A refusal that says which file it is about."""
    reason = t.refusal(refusal)
    return reason if "name" in refusal.details else f"{plain(name)}: {reason}"
