"""Many files at once: asked for, limited before anything is unpacked, named safely, and given back as a ZIP."""

import io
import re
import zipfile
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import streamlit as st

from aecore.data import zipped
from aecore.data.own import Candidate, shown
from aecore.data.picture import SUFFIXES
from aecore.refusal import Refused
from pages.ui import uploads
from pages.ui.i18n import Translator

MOST_FILES = 50
MOST_BYTES = 128 << 20
"""Of all files together, and again of all that is unpacked."""
ENDS = {"JPEG": "jpg", "TIFF": "tif", "HEIF": "heic"}


class Named(Protocol):
    """A file to take home."""

    @property
    def name(self) -> str:
        """What it is called, safe on any system."""
        ...

    @property
    def file(self) -> bytes:
        """Its content."""
        ...


def ask(label: str, key: str, t: Translator) -> list[Any]:
    """Ask for files, one or many; gives them as Streamlit does."""
    return st.file_uploader(
        label,
        accept_multiple_files=True,
        max_upload_size=uploads.MOST_MEGABYTES,
        key=key,
        help=t(
            "Up to {count} at once. They stay in the memory of this server for as long as you look at them, and are never written.",
            count=MOST_FILES,
        ),
    )


def several(files: Sequence[tuple[str, bytes]]) -> bool:
    """Whether these files, each a name and its content, are more than one picture, or a ZIP of them."""
    return len(files) > 1 or any(zipped.is_zip(content[:4]) for _, content in files)


def gather(files: Sequence[tuple[str, bytes]], suffixes: tuple[str, ...] = SUFFIXES) -> tuple[list[Candidate], list[Refused]]:
    """All pictures among ``files`` and, by their ``suffixes``, in their ZIPs, nothing unpacked yet, and the ZIPs that cannot be opened.

    Raises ``Refused`` for too many files or bytes.
    """
    if sum(len(content) for _, content in files) > MOST_BYTES:
        raise _too_many_bytes()
    found: list[Candidate] = []
    refused: list[Refused] = []
    for path, content in files:
        name = shown(path)
        if not zipped.is_zip(content[:4]):
            found.append(Candidate(name, "", len(content), partial(bytes, content)))
            continue
        try:
            entries = zipped.entries(content, name, suffixes)
            if not entries:
                raise Refused("{name} holds no picture. Put PNG, JPEG, WebP, HEIC, BMP, GIF or TIFF pictures in it.", name=name)
            found += [Candidate(shown(entry.path), "", entry.size, entry.read) for entry in entries]
        except Refused as refusal:
            refused.append(refusal)
    if len(found) > MOST_FILES:
        raise Refused("There are {count} pictures, and at most {limit} are taken. Send fewer.", count=len(found), limit=MOST_FILES)
    if sum(each.size for each in found) > MOST_BYTES:
        raise _too_many_bytes()
    return found, refused


def packed(kept: Sequence[Named]) -> bytes:
    """Files in a ZIP; they are compressed already."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for each in kept:
            archive.writestr(each.name, each.file)
    return file.getvalue()


def safe_name(name: str, kind: str, taken: Sequence[str]) -> str:
    """A file name for any system, with the ending of format ``kind``, and none of ``taken``, whatever their capitals."""
    stem = re.sub(r"[^\w\-() ]+", "_", name.rpartition(".")[0] or name).strip(" _") or "picture"
    end = ENDS.get(kind, kind.lower())
    names = {each.lower() for each in taken}
    result, count = f"{stem}.{end}", 1
    while result.lower() in names:
        count += 1
        result = f"{stem} ({count}).{end}"
    return result


def take_home(kept: Sequence[Named], name: str, t: Translator) -> None:
    """The button that gives all files as a ZIP called ``name``."""
    st.download_button(
        t("Take all of them home (ZIP)"),
        lambda: packed(kept),
        name,
        "application/zip",
        icon=":material/download:",
        on_click="ignore",
        type="primary",
    )


def _too_many_bytes() -> Refused:
    return Refused("These files have more than {limit} MB together. Send fewer or smaller pictures.", limit=MOST_BYTES >> 20)
