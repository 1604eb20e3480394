"""How bytes arrive safely: from a server to a file that is whole and right, or not there at all."""

import gzip
import hashlib
import shutil
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from aecore.data.registry import DATASETS, Progress
from aecore.refusal import Refused

TIMEOUT = 20.0
"""Seconds without a byte after which a server counts as gone."""
LARGEST = 700_000_000
"""Bytes: no archive here is larger (EMNIST's has 562 million), so a server that sends more is not to be believed."""
CHUNK = 1 << 18
STALE = 24 * 3600.0
"""Seconds after which an unfinished download belongs to a process that died."""


class UnreachableError(Exception):
    """No server answered to the end."""


class DamagedError(Exception):
    """What arrived is not what was asked for."""


@contextmanager
def refusing(title: str, folder: Path) -> Iterator[None]:
    """Turn what can go wrong during a download into one sentence for the visitor."""
    built_in = ", ".join(dataset.title for dataset in DATASETS.values() if dataset.built_in)
    try:
        yield
    except UnreachableError as error:
        raise Refused(
            "{title} could not be downloaded. Check the connection to the internet and try again, "
            "or choose a set that needs no download: {built_in}.",
            title=title,
            built_in=built_in,
        ) from error
    except (DamagedError, KeyError, EOFError, gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError) as error:
        raise Refused(
            "{title} arrived damaged and was thrown away. Try again later, or choose a set that needs no download: {built_in}.",
            title=title,
            built_in=built_in,
        ) from error
    except OSError as error:
        raise Refused(
            "{title} could not be saved in {folder}. Free some space there or set AECORE_CACHE to a folder that can be written, "
            "or choose a set that needs no download: {built_in}.",
            title=title,
            folder=str(folder),
            built_in=built_in,
        ) from error


@contextmanager
def unfinished(beside: Path) -> Iterator[Path]:
    """A folder of this process's own in which a download may be incomplete; gone at the end.

    Two processes fetching the same set never share one, and each moves whole files into ``beside``.
    """
    beside.mkdir(parents=True, exist_ok=True)
    for old in beside.glob("unfinished-*"):
        # Its owner may remove it at this very moment.
        with suppress(FileNotFoundError):
            if time.time() - old.stat().st_mtime > STALE:
                shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=beside, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def fetch(urls: Sequence[str], md5: str, path: Path, progress: Progress | None) -> None:
    """Download the first of ``urls`` that gives a file with this checksum to ``path``.

    Raises ``DamagedError`` if some server answered but none gave the right bytes, ``UnreachableError`` if none answered.
    """
    failure: Exception = UnreachableError()
    for url in urls:
        try:
            if transfer(url, path, progress) == md5:
                return
            failure = DamagedError(url)
        except UnreachableError as error:
            failure = failure if isinstance(failure, DamagedError) else error
    raise failure


def transfer(url: str, path: Path, progress: Progress | None) -> str:
    """Copy what ``url`` holds to ``path`` and return its MD5; raises ``UnreachableError``, or ``DamagedError`` if it never ends."""
    digest = hashlib.md5(usedforsecurity=False)
    received = 0
    try:
        # The addresses are torchvision's, never a visitor's.
        response = urlopen(Request(url, headers={"User-Agent": "aecore"}), timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        raise UnreachableError(url) from error
    except (OSError, HTTPException, ValueError) as error:
        raise UnreachableError(url) from error
    with response, path.open("wb") as file:
        expected = int(response.headers.get("Content-Length") or 0)
        while True:
            try:
                chunk = response.read(CHUNK)
            except (OSError, HTTPException) as error:
                raise UnreachableError(url) from error
            if not chunk:
                break
            received += len(chunk)
            if received > LARGEST:
                raise DamagedError(url)
            digest.update(chunk)
            file.write(chunk)
            if progress and expected:
                progress(min(received / expected, 1.0))
    if received < expected:
        raise UnreachableError(url)
    return digest.hexdigest()


def place(content: IO[bytes] | gzip.GzipFile, folder: Path, path: Path) -> None:
    """Write ``content`` whole in ``folder``, then move it to ``path`` in one step, so that ``path`` is never half a file."""
    temporary = folder / path.name
    with temporary.open("wb") as file:
        shutil.copyfileobj(content, file, CHUNK)
    temporary.replace(path)


def part_of(progress: Progress | None, start: float, share: float) -> Progress | None:
    """Progress of a part that begins at ``start`` and makes up ``share`` of the whole."""
    return None if progress is None else lambda fraction: progress(min(start + share * fraction, 1.0))
