"""The decoder half of Compress: a file in, made beside it or sent by somebody, whole or damaged; a picture out, or a refusal."""

import time
from collections.abc import Callable, Sequence
from hashlib import sha256

import streamlit as st
import torch
from torch import Tensor

from aecore.codec import container
from aecore.jobs.errands import Report, Work
from aecore.knobs import Choice, Knob
from aecore.metrics import psnr
from pages.ui import codecs, forms, mending, packed, packing, state, unpacked, uploads
from pages.ui.codecs import Ready
from pages.ui.i18n import Translator, marked
from pages.ui.mended import Score, likeness
from pages.ui.mending import Wish
from pages.ui.packed import Packed
from pages.ui.unpacked import Unpacked

MADE, OWN = "made", "own"
FILE = Knob(
    "file",
    MADE,
    Choice((MADE, OWN)),
    marked("The file"),
    marked("All that this half gets. It has never seen the picture on the other side."),
)
FILES = {MADE: marked("From the other half"), OWN: marked("My own file")}
DAMAGES = {
    "none": marked("Nothing"),
    "byte": marked("One bit is flipped"),
    "end": marked("The end is cut off"),
    "version": marked("It is of a newer format"),
    "other": marked("Another decoder gets it"),
}
DAMAGE = Knob(
    "damage", "none", Choice(tuple(DAMAGES)), marked("What happens on the way?"), marked("Damage the file and see what the decoder says.")
)
OPENING = marked("Opening: {share} %")


def half(asked: packing.Asked, made: Packed | None, t: Translator) -> None:
    """What file, what happens to it, and what the decoder makes of it."""
    st.subheader(t("Decoder half"), anchor=False)
    values = forms.knobs([FILE], t, {name: t(words) for name, words in FILES.items()})
    content, known = (made.file, made) if made else (b"", None)
    if values[FILE.name] == OWN:
        content, known = _own(t), None
    values[DAMAGE.name] = _damage(t)
    state.put_in_link(values, {each.name: each.default for each in (FILE, DAMAGE)})
    if not content:
        st.info(t("Choose a file above.") if values[FILE.name] == OWN else t("Nothing has come from the other half yet."))
        return
    decoders = [lambda name=name: codecs.shipped(name) for name in (codecs.PHOTO, *codecs.SMALL)] + [asked.ready]
    key = f"{sha256(content).hexdigest()[:16]}-{known is not None}-{values[DAMAGE.name]}"
    mending.watch(Wish("unpack", key, work(content, values[DAMAGE.name], decoders, known), OPENING), unpacked.show, t)


def work(content: bytes, damage: str, decoders: Sequence[Ready], known: Packed | None) -> Work:
    """What the errand does: damage the file or not, open it with the decoder that it names, and hold it against what is known."""

    def do(report: Report, stopped: Callable[[], bool]) -> Unpacked:
        received = damaged(content, damage)
        digest = container.read(received).digest
        fitting = (each for each in (ready() for ready in decoders) if (each.digest == digest) != (damage == "other"))
        codec = next(fitting, None) or decoders[0]()  # which refuses it in its own words
        began = time.perf_counter()
        picture = codec.read(received, report, stopped)
        seconds = time.perf_counter() - began
        score = _score(picture, known.picture) if known else None
        return Unpacked(picture, len(received), seconds, score, packed.seen(picture), known.seen if known else None)

    return do


def damaged(content: bytes, damage: str) -> bytes:
    """A file after what may happen to one."""
    match damage:
        case "byte" if content:
            middle = len(content) // 2
            return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        case "end":
            return content[: -max(1, len(content) // 10)]
        case "version" if len(content) > 3:
            return content[:3] + bytes([content[3] & 0xF0 | container.VERSION + 1]) + content[4:]
        case _:
            return content


def _score(picture: Tensor, original: Tensor) -> Score:
    output, target = (each.float() / 255 for each in (picture, original))
    with torch.no_grad():
        return Score(psnr(output, target), likeness(output, target))


def _damage(t: Translator) -> str:
    refused = state.open_knob(DAMAGE)
    same = {"format_func": lambda name: t(DAMAGES[name]), "key": state.knob_key(DAMAGE.name), "persist_state": "session"}
    chosen = st.pills(t(DAMAGE.label), list(DAMAGES), help=t(DAMAGE.help), required=True, wrap=True, **same)
    if refused:
        st.warning(t("{reason} The link asked for something else; the default is used.", reason=t.refusal(refused)))
    return str(DAMAGE.check(chosen))


def _own(t: Translator) -> bytes:
    """Ask for a file; gives its content, empty as long as there is none."""
    file = st.file_uploader(
        t("An .aec file"),
        type=["aec"],
        max_upload_size=uploads.MOST_MEGABYTES,
        key="compress-parcel",
        help=t("One that was written here, by the same codecs. It stays in the memory of this server and is never written."),
    )
    return b"" if file is None else file.getvalue()
