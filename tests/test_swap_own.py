"""Own faces: off by default, consent first, hostile files refused, nothing left behind. The "own" faces are those of the two synthetic people."""

import asyncio
import gc
import io
import logging
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
import torch
from PIL import Image
from starlette.formparsers import MultiPartParser
from streamlit.runtime.caching.cache_resource_api import clear_session_cache
from streamlit.testing.v1 import AppTest
from torch import Tensor
from torch.nn import functional

from aecore.data import faces, picture
from aecore.provenance import certificate, verify
from aecore.provenance.exporting import _film
from aecore.refusal import Refused
from aecore.swap import film, own
from aecore.swap.blend import Finish
from aecore.swap.film import Film
from aecore.swap.own import Album, Consent, Course, Look
from pages.ui import cache, cleaning, mending, server, shelf_view, swap_stage, text_choice
from pages.ui.i18n import LANGUAGES
from pages.ui.swap_kept import Keep
from pages.ui.swap_own import Count
from tests.test_provenance import bomb

PAGE = "from pages.ui import swap_own\nfrom pages.ui.i18n import translator\nswap_own.show(translator({language!r}))\n"


@pytest.fixture(autouse=True)
def own_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A host that allows own faces, with folders of its own."""
    monkeypatch.setenv("AECORE_OWN_FACES", "1")
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(own, "TRIED", 1)
    certificate._credentials.cache_clear()
    yield
    certificate._credentials.cache_clear()
    mending.close()
    disconnect()


def disconnect() -> None:
    """What Streamlit does when a tab is closed; AppTest's is the only session here."""
    clear_session_cache("test session id")


def enlarged(frames: Tensor, side: int = 192) -> Tensor:
    return functional.interpolate(frames.float(), (side, side), mode="bilinear").round().byte()


def png(frame: Tensor, format: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(frame.permute(1, 2, 0).numpy()).save(file, format)
    return file.getvalue()


def mp4(frames: Tensor, rate: float = 15) -> bytes:
    file = io.BytesIO()
    _film(file, frames.permute(0, 2, 3, 1).contiguous().numpy(), rate)
    return file.getvalue()


def person(name: faces.Person, count: int = 16) -> bytes:
    """A film of one person."""
    return mp4(enlarged(faces.frames("clip", name)[:count]))


@pytest.fixture(scope="module")
def albums() -> dict[str, Album]:
    """Both people, read from films."""
    before = os.environ.get("AECORE_OWN_FACES")
    os.environ["AECORE_OWN_FACES"] = "1"
    read = {name: own.read([person(name)]) for name in faces.PEOPLE}
    os.environ.pop("AECORE_OWN_FACES") if before is None else None
    return read


@pytest.mark.parametrize("value", [None, "0", "yes", "true", ""])
def test_nothing_works_where_the_host_has_not_allowed_it(
    value: str | None, albums: dict[str, Album], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AECORE_OWN_FACES") if value is None else monkeypatch.setenv("AECORE_OWN_FACES", value)
    for attempt in (lambda: own.read([b""]), lambda: Course(albums, 1), lambda: own.swapped(b"", None, "A", "B", Finish())):  # type: ignore[arg-type]
        with pytest.raises(Refused, match="switched off on this server"):
            attempt()
    for language in LANGUAGES:
        app = AppTest.from_string(PAGE.format(language=language)).run()
        assert not app.exception and len(app.info) == 1 and "AECORE_OWN_FACES=1" in app.info[0].value.replace("\\", "")
        assert not app.get("form") and not app.get("file_uploader")


@pytest.mark.parametrize(
    "given", [("Trying it out", True, True, False), ("Trying it out", False, True, True), ("Trying", True, True, True)]
)
def test_consent_must_be_complete(given: tuple[str, bool, bool, bool]) -> None:
    with pytest.raises(Refused, match="is missing"):
        Consent(*given).check()


def test_faces_are_found_made_upright_and_counted(albums: dict[str, Album]) -> None:
    for album in albums.values():
        assert album.frames.shape[1:] == (3, 64, 64) and album.landmarks.shape == (len(album.frames), 30, 2)
        assert len(album.frames) + sum(count for _, count in album.left_out) == 16
    nobody = torch.full((3, 200, 200), 90, dtype=torch.uint8)
    both = torch.cat([enlarged(faces.frames("held", name)[:1])[0] for name in faces.PEOPLE], 2)
    photos = [png(each) for each in (*enlarged(faces.frames("held", "A")[:14]), nobody, both, nobody)]
    album = own.read([*photos, b"no picture"])
    reasons = {str(refused)[:7]: count for refused, count in album.left_out}
    assert reasons["No face"] >= 2 and reasons["2 faces"] == 1 and reasons["#18 is "] == 1


def test_hostile_files_are_refused_before_they_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    black = torch.zeros((1, 3, 64, 64), dtype=torch.uint8)
    began = time.perf_counter()
    for content, words in (
        (mp4(black.expand(100, -1, -1, -1), rate=1 / 36), "longer than 30 seconds"),
        (bomb(50_000, 50_000), "million pixels"),
        (png(black[0], "GIF"), "is a GIF"),
        (b"GIF89a" + b"\xff\xff\xff\xff" + b"\0" * 100, "is a GIF"),
        (person("A")[:400], "damaged"),
        (b"\0\0\0\x18ftypisom" + b"\0" * 64, "damaged"),
        (b"", "#1"),
    ):
        with pytest.raises(Refused, match=words):
            own.read([content])
    assert time.perf_counter() - began < 5
    with pytest.raises(Refused, match="from 1 to"):
        own.read([])
    with pytest.raises(Refused, match="from 1 to"):
        own.read([b""] * (own.MOST_FILES + 1))
    monkeypatch.setattr(own, "MOST_BYTES", 10)
    with pytest.raises(Refused, match="MB in all"):
        own.read([b"x" * 6] * 2)
    monkeypatch.setattr(own, "MOST_BYTES", 64 << 20)
    with pytest.raises(Refused, match="Only 0 of 2 pictures"):
        own.read([b"a", b"b"])
    monkeypatch.setattr(picture, "MAX_PIXELS", 100)
    with pytest.raises(Refused, match="million pixels"):
        Film(mp4(black), "#1")


def test_a_film_that_lies_about_its_length_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = faces.frames("clip", "A", 64)[:40]
    told = Film(mp4(frames, 10), "#1")
    assert told.rate == 10 and abs(told.seconds - 4) < 0.2 and len(list(told.frames())) == 40
    assert len(list(Film(mp4(frames, 30), "#1").frames())) == 20, "15 frames a second are kept"
    monkeypatch.setattr(film, "MOST_DECODED", 5)
    with pytest.raises(Refused, match="longer than"):
        list(told.frames())


def test_a_model_learns_both_and_its_swaps_leave_marked_alone(albums: dict[str, Album]) -> None:
    course = Course(albums, 1.0)
    looks = list(course.looks())
    assert looks[-1].step == len(looks) and looks[-1].share > 0
    model, drawn = course.drawn()
    assert {name: frames.shape for name, frames in drawn.items()} == dict.fromkeys("AB", (8, 3, 64, 64))
    content, kind, left = own.swapped(png(enlarged(faces.frames("held", "A")[:1])[0]), model, "A", "B", Finish())
    found = verify(content, "swap.png")
    assert (kind, left) == ("png", 0) and found.visible.found and found.invisible.found and found.manifest.holds
    assert found.manifest.source == "compositeWithTrainedAlgorithmicMedia"
    blank = torch.zeros((4, 3, 192, 192), dtype=torch.uint8)
    content, kind, left = own.swapped(mp4(torch.cat((enlarged(faces.frames("clip", "B")[:8]), blank))), model, "B", "A", Finish())
    found = verify(content, "swap.mp4")
    assert (kind, left) == ("mp4", 4) and found.invisible.found and found.manifest.holds
    with pytest.raises(Refused, match="No face"):
        own.swapped(mp4(blank), model, "A", "B", Finish())


def until(app: AppTest, seen: Callable[[], object]) -> None:
    """Run the page until it shows what is waited for, and no error."""
    deadline = time.time() + 60
    while not seen() and time.time() < deadline:
        time.sleep(0.1)
        app.run()
    assert seen() and not app.exception and not app.error


def keys(app: AppTest) -> list[str | None]:
    return [each.key for each in app.button]


def uploaders(app: AppTest) -> list[Any]:
    return list(app.get("file_uploader"))


def declare(app: AppTest) -> None:
    for box in app.checkbox:
        box.check()
    app.text_input(key="own-purpose").input("A film for Maria's birthday")
    app.button[0].click().run()


def test_consent_is_logged_once_without_names_and_nothing_else_is_shown_before(caplog: pytest.LogCaptureFixture) -> None:
    app = AppTest.from_string(PAGE.format(language="en")).run()
    with caplog.at_level(logging.INFO):
        app.button[0].click().run()
        assert [each.value[:18] for each in app.error] == ["Consent is missing"] and not uploaders(app)
        declare(app)
    said = {each.getMessage() for each in caplog.records if each.name.startswith("pages")}
    assert len(said) == 1 and re.fullmatch(r"Own faces: consent was given in session [0-9a-f]{8}\.", said.pop())
    assert len(uploaders(app)) == 2 and not app.error


def test_the_whole_way_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "MINUTES", (0.01,))
    app = AppTest.from_string(PAGE.format(language="pt_BR"), default_timeout=60).run()
    (folder := tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    began = time.time()
    declare(app)
    for place, name in enumerate(faces.PEOPLE):
        uploaders(app)[place].upload("Maria.mp4", person(name), "video/mp4").run()
    until(app, lambda: "own-learn" in keys(app))
    app.button(key="own-learn").click().run()
    until(app, lambda: len(uploaders(app)) == 3)
    uploaders(app)[2].upload("Maria.png", png(enlarged(faces.frames("held", "A")[:1])[0]), "image/png").run()
    until(app, lambda: [each for each in app.caption if "C2PA" in each.value or "manifesto" in each.value])
    assert not app.get("download_button"), "of its files the server would keep a copy"

    held = [each for each in gc.get_objects() if type(each) is Keep and not each.gone]
    assert len(held) == 1 and held[0].result and verify(held[0].result[0], "swap.png").manifest.holds
    for line in mending.lines():
        assert all(isinstance(each.result, Count | Look | int) and each.glimpse is None for each in line._errands.values())
    assert {each.name for each in files_in(tmp_path)} <= {"signer.pem"}, "a file was written"
    new = [each for each in files_in(Path.cwd()) if each.stat().st_mtime > began]
    assert not [each for each in new if each.suffix in (".png", ".jpg", ".webp", ".mp4") or b"Maria" in each.read_bytes()]

    disconnect()
    assert vars(held[0]) == vars(Keep(gone=True))
    gc.collect()
    assert not [each for each in gc.get_objects() if type(each) is Course]
    second = AppTest.from_string(PAGE.format(language="en")).run()
    assert second.checkbox and not uploaders(second) and not second.get("download_button")


def test_delete_now_ends_what_still_runs_and_forgets(albums: dict[str, Album], monkeypatch: pytest.MonkeyPatch) -> None:
    app = AppTest.from_string(PAGE.format(language="en"), default_timeout=60).run()
    declare(app)
    held = next(each for each in gc.get_objects() if type(each) is Keep and not each.gone)
    held.albums.update(albums)
    app.run()
    app.button(key="own-learn").click().run()
    until(app, lambda: held.drawn)
    app.button(key="own-delete").click().run()
    assert held.gone and not held.albums and app.checkbox and not app.exception
    mending.close()  # waits for the thread
    assert not held.drawn and held.model is None


def files_in(folder: Path) -> list[Path]:
    """All files below a folder but for hidden folders and what Python compiles."""
    found: list[Path] = []
    for path, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if not each.startswith((".", "__pycache__"))]
        found += [Path(path, each) for each in names]
    return found


def test_no_upload_passes_through_a_temporary_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MultiPartParser, "spool_max_size", 1)
    for module in (cache, shelf_view, swap_stage, text_choice):
        monkeypatch.setattr(module, "warm_up", lambda: None)
    for module in (cache, cleaning):
        monkeypatch.setattr(module, "close", lambda: None)

    async def serve() -> None:
        async with server.lifespan(None):
            assert MultiPartParser.spool_max_size > st.get_option("server.maxUploadSize") << 20 >= own.MOST_BYTES

    with ThreadPoolExecutor(1) as aside:  # a browser test before it leaves its loop in this thread
        aside.submit(asyncio.run, serve()).result()
