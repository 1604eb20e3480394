"""The encoder half of Compress: choose a picture, a codec and how fine; the file that comes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from torch import Tensor

from aecore.codec import pictures
from aecore.jobs.errands import Report, Work
from aecore.knobs import Choice, Knob, Range
from pages.ui import cache, cleaning, codecs, forms, mending, packed, state, uploads
from pages.ui.codecs import Ready
from pages.ui.i18n import Translator, marked
from pages.ui.mending import Wish
from pages.ui.packed import Packed

OWN = "own"
SETS = {"digits": ("digits", marked("A handwritten digit")), "faces": ("faces-64", marked("A face (synthetic)"))}
SOURCE = Knob(
    "picture",
    "astronaut",
    Choice((*cleaning.SAMPLES, *SETS, OWN)),
    marked("Picture"),
    marked("A sample, or a picture of your own."),
)
PLACE = Knob("place", 1, Range(1, 100), marked("Which one"), marked("Of the test pictures, which no model has learnt from."))
QUALITY = Knob(
    "quality",
    50,
    Range(0, 100),
    marked("Quality"),
    marked("The higher, the finer the steps in which the code is told, and the larger the file."),
)
COMPRESSING = marked("Compressing: {share} %")
Load = Callable[[], Tensor]
"""Gets a picture ``(C, H, W)`` uint8, C is 1 or 3, in the errand's thread."""


@dataclass(frozen=True)
class Asked:
    """What the settings ask for. ``picture`` and ``codec`` are names; ``load`` is None as long as there is no picture."""

    picture: str
    load: Load | None
    codec: str
    ready: Ready
    quality: int

    @property
    def key(self) -> str:
        """Another one for whatever else is asked."""
        return f"{self.picture}-{self.codec}-{self.quality}"


def half(t: Translator) -> tuple[Asked, Packed | None]:
    """Settings, and what comes of them; gives both for those who need them."""
    st.subheader(t("Encoder half"), anchor=False)
    asked = _settings(t)
    if asked.load is None:
        st.info(t("Choose a picture above."))
        return asked, None
    wish = Wish("pack", asked.key, work(asked.load, asked.ready, asked.quality), COMPRESSING)
    mending.watch(wish, packed.show, t)
    return asked, mending.result(wish)


def work(load: Load, ready: Ready, quality: int) -> Work:
    """What the errand does: read the picture, and write the file."""

    def do(report: Report, stopped: Callable[[], bool]) -> Packed:
        return packed.pack(load(), ready(), quality, report, stopped)

    return do


def _settings(t: Translator) -> Asked:
    """Draw the settings. Only photographs have a quality: the others' steps were fixed when their tables were made."""
    found = codecs.choices(state.visitor(), t)
    words = {name: t(title) for name, (_, title) in (cleaning.SAMPLES | SETS).items()} | {OWN: t("My own picture")}
    values: dict[str, Any] = forms.knobs([SOURCE], t, words)
    name = values[SOURCE.name]
    picture, load = _own(t) if name == OWN else (name, lambda: _sample(name))
    if name in SETS:
        values |= forms.knobs([PLACE], t)
        place = int(values[PLACE.name])
        picture, load = f"{name}-{place}", lambda: cache.data(SETS[name][0]).test[place - 1]
    usual = name if name in codecs.SMALL else codecs.PHOTO
    codec = Knob("codec", usual, Choice(tuple(found)), marked("Codec"), marked("Each has learnt from pictures of its own kind."))
    state.open_follower(codec.name, usual)
    values |= forms.knobs([codec], t, {each: title for each, (title, _) in found.items()})
    quality = values[QUALITY.name] = _quality(t) if values[codec.name] == codecs.PHOTO else int(QUALITY.default)
    state.put_in_link(values, {each.name: each.default for each in (SOURCE, PLACE, QUALITY)} | {codec.name: usual})
    return Asked(picture, load, values[codec.name], found[values[codec.name]][1], quality)


def _quality(t: Translator) -> int:
    refused = state.open_knob(QUALITY)
    same: dict[str, Any] = {"key": state.knob_key(QUALITY.name), "help": t(QUALITY.help), "persist_state": "session"}
    quality = st.slider(t(QUALITY.label), 0, 100, **same)
    if refused:
        st.warning(t("{reason} The link asked for something else; the default is used.", reason=t.refusal(refused)))
    return quality


def _own(t: Translator) -> tuple[str, Load | None]:
    """Ask for a picture; gives a name for it, and what reads it."""
    file = st.file_uploader(
        t("Your picture: PNG, JPEG, WebP, TIFF and others"),
        max_upload_size=uploads.MOST_MEGABYTES,
        key="compress-file",
        help=t("It stays in the memory of this server for as long as you look at it, and is never written."),
    )
    return ("", None) if file is None else (file.file_id, lambda: packed.eight_bit(pictures.read(file.getvalue(), file.name)))


def _sample(name: str) -> Tensor:
    return packed.eight_bit(cleaning.sample(name))
