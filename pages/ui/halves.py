"""The two halves of the photo codec, each to take home alone; and the lesson, the code and the format."""

import inspect
from functools import lru_cache
from pathlib import Path
from textwrap import dedent
from typing import cast

import streamlit as st

import aecore.codec
from aecore.codec import coding
from aecore.codec.halves import PhotoDecoder, PhotoEncoder
from aecore.codec.weights import SHIPPED, Which, half
from pages.ui import codecs
from pages.ui.i18n import Translator, marked

WORDS = {
    "encoder": (
        marked("Encoder half"),
        marked("Writes .aec files of photographs. It cannot open one: it has no network that turns a code into a picture."),
    ),
    "decoder": (
        marked("Decoder half"),
        marked("Opens .aec files of photographs. It cannot write one, and without it a file is a row of numbers that say nothing."),
    ),
}
SAMPLE = """from pathlib import Path

from aecore.codec.weights import load_half

decoder = load_half(Path("photos-decoder.safetensors").read_bytes())
picture = decoder.read(Path("picture.aec").read_bytes())  # uint8 (C, H, W)
"""


def section(t: Translator) -> None:
    """Each half with what it can do."""
    st.subheader(t("The halves of the photo codec, each alone"), anchor=False)
    for which, column in zip(WORDS, st.columns(2, gap="large"), strict=True):
        title, about = WORDS[which]
        with column:
            st.markdown(t(about))
            st.download_button(
                t(title),
                lambda which=which: file(which),
                f"photos-{which}.safetensors",
                "application/octet-stream",
                icon=":material/download:",
                on_click="ignore",
                key=f"half-{which}",
            )
    st.caption(t("On another computer with the lab's package, one half is enough:"))
    st.code(SAMPLE, "python")


@lru_cache(maxsize=2)
def file(which: str) -> bytes:
    """One half in safetensors format."""
    return half(SHIPPED, cast(Which, which))


def explain(t: Translator) -> None:
    """The lesson of the page, the code that is at work, and the format of the files."""
    with st.expander(t("Explain: a codec made of two halves"), icon=":material/school:"):
        lesson, code, form = st.tabs([t("Lesson"), t("The code that runs"), t("The .aec file")])
        with lesson:
            st.markdown(t.lesson("compress"))
        with code:
            st.caption(t("Not a copy: this is read from the program as it runs."))
            for each in (PhotoEncoder.write, PhotoDecoder.read, coding.walk, codecs.of_model):
                st.code(dedent(inspect.getsource(each)), "python")
        with form:
            st.caption(t("Enough to write another decoder. In English, since programmers everywhere read it."))
            st.markdown(_format())


@lru_cache(maxsize=1)
def _format() -> str:
    """The description of the format, one level of heading lower."""
    text = (Path(next(iter(aecore.codec.__path__))) / "FORMAT.md").read_text(encoding="utf-8")
    return "\n".join(f"###{line}" if line.startswith("#") else line for line in text.splitlines())
