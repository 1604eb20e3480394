"""The border: a visitor's files in, pictures in memory out, or a clear refusal."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from aecore import data as data_
from aecore.refusal import Refused
from pages.ui import cache, state
from pages.ui.i18n import Translator

SIZES = (28, 32, 64)
MOST_MEGABYTES = 64


def own_pictures(t: Translator, shape: tuple[int, bool] | None = None) -> str | None:
    """Ask for pictures or ZIPs; gives the name of the data set they make, or None until there is one.

    ``shape`` says how wide they are made and whether in colour; without it the visitor is asked.
    """
    files = st.file_uploader(
        t("Your pictures: PNG, JPEG, WebP and others, or a ZIP of them"),
        accept_multiple_files=True,
        max_upload_size=MOST_MEGABYTES,
        key="own-files",
        help=t("At least 20. Folders in a ZIP become classes. They stay in the memory of this server and go when it needs the room."),
    )
    side, in_colour = shape or _shape(t)
    if not files:
        return state.own_data()
    asked = (tuple(file.file_id for file in files), side, in_colour)
    if asked != st.session_state.get("own-asked"):
        st.session_state["own-asked"] = asked
        state.keep_own_data(None)
        st.session_state["own-words"] = _read(files, side, in_colour, t)
    kind, words = st.session_state["own-words"]
    (st.error if kind == "error" else st.success)(words)
    return state.own_data()


def _shape(t: Translator) -> tuple[int, bool]:
    size, colour = st.columns(2, vertical_alignment="bottom")
    side = size.selectbox(t("Made square, this many pixels wide"), SIZES, index=1, key="own-size")
    return side, colour.toggle(t("In colour"), value=True, key="own-colour")


def _read(files: Sequence[Any], side: int, colour: bool, t: Translator) -> tuple[str, str]:
    words = t("Reading your pictures")
    bar = st.progress(0.0, words)
    try:
        contents = [(file.name, file.getvalue()) for file in files]
        own = data_.read_pictures(contents, side, colour, progress=lambda share: bar.progress(share, words))
    except Refused as refused:
        return "error", t.refusal(refused)
    finally:
        bar.empty()
    state.keep_own_data(cache.keep_own(own.images))
    count = len(own.images.train) + len(own.images.test)
    words = t("{count} pictures in {classes} classes are ready.", count=count, classes=len(own.images.classes))
    if own.skipped:
        words += " " + t("{count} could not be read and were left out.", count=len(own.skipped))
    return "success", words


def downloaded(name: str, t: Translator) -> bool:
    """Whether a torchvision set is at hand; else offers to fetch it, with progress."""
    if cache.has(name):
        return True
    known = data_.DATASETS[name]
    st.info(t("{title} is not on this computer yet. It is fetched from the internet once and kept.", title=t(known.title)))
    if st.button(t("Download {title}", title=t(known.title)), icon=":material/download:"):
        bar = st.progress(0.0, t("Downloading"))
        try:
            cache.data(name, bar.progress)
        except Refused as refused:
            st.error(t.refusal(refused))
            return False
        finally:
            bar.empty()
        st.rerun()
    return False
