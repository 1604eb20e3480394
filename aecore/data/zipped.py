"""What lies in a ZIP from a stranger: checked from its list of contents before anything is unpacked."""

import struct
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO

from aecore.refusal import Refused

MAX_ENTRIES = 6_000
"""Room for 2,000 pictures, their folders, and the twin that macOS adds to each file."""
MAX_RATIO = 100
"""How many times smaller than its content an entry may be; pictures are compressed already."""
RATIO_FROM = 1 << 20
"""Bytes of content below which the ratio does not matter: a small blank picture shrinks a lot."""

ENTRY = b"PK\x01\x02"
STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


@dataclass(frozen=True)
class Entry:
    """A file in a ZIP: its path there, with forward slashes, and the size that the ZIP declares in bytes."""

    path: str
    size: int
    archive: zipfile.ZipFile
    info: zipfile.ZipInfo

    def read(self) -> bytes:
        """The content, never more than ``size`` bytes; raises ``Refused`` if it cannot be unpacked."""
        try:
            with self.archive.open(self.info) as content:
                return content.read(self.size + 1)[: self.size]
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError, struct.error) as error:
            raise Refused(
                "{name} is damaged inside its ZIP. Make the ZIP again, then try again.", name=self.path.rpartition("/")[2][:60]
            ) from error


def is_zip(content: bytes) -> bool:
    """Whether the file begins as a ZIP does."""
    return content.startswith(STARTS)


def entries(content: bytes, name: str, suffixes: tuple[str, ...]) -> list[Entry]:
    """The files in a ZIP whose names end in one of ``suffixes``, in its order; folders and macOS's hidden files left out.

    ``name`` is only used to speak of it. Raises ``Refused`` for a ZIP that is damaged, has too many entries, tries to
    reach outside itself, is protected by a password, or unpacks to far more than it weighs.
    """
    # Counted in the raw bytes, because merely listing 100,000 entries takes a second and 100 MB.
    if content.count(ENTRY) > MAX_ENTRIES:
        raise Refused(
            "{name} holds more than {limit} files and folders. Make a ZIP with fewer pictures, then try again.",
            name=name,
            limit=MAX_ENTRIES,
        )
    try:
        archive = zipfile.ZipFile(BytesIO(content))
        infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error, OverflowError) as error:
        raise Refused("{name} is not a whole ZIP file. Make it again, then try again.", name=name) from error
    kept = []
    for info in infos:
        path = readable(info)
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if path.startswith("/") or ".." in parts or path[1:2] == ":":
            raise Refused(
                "{name} is not safe: it names a file outside itself. Make the ZIP again from one folder, then try again.", name=name
            )
        if not path.lower().endswith(suffixes) or any(part.startswith((".", "__MACOSX")) for part in parts):
            continue
        if info.flag_bits & 0x1:
            raise Refused("{name} is protected by a password. Make the ZIP again without one, then try again.", name=name)
        # Python bounds what it unpacks only for these two methods.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused("{name} is compressed in an unusual way. Make it again as an ordinary ZIP, then try again.", name=name)
        if info.file_size > max(RATIO_FROM, MAX_RATIO * info.compress_size):
            raise Refused(
                "{name} would unpack to more than {ratio} times its size, as only a trap does. Make a ZIP of the pictures alone.",
                name=name,
                ratio=MAX_RATIO,
            )
        kept.append(Entry(path, info.file_size, archive, info))
    return kept


def readable(info: zipfile.ZipInfo) -> str:
    """An entry's path with forward slashes and its accents right: macOS writes UTF-8 without saying so."""
    path = info.filename
    if not info.flag_bits & 0x800:
        with suppress(UnicodeError):
            path = path.encode("cp437").decode("utf-8")
    return path.replace("\\", "/")
