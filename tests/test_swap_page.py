"""Swap: the notice, the scene, the joins and their figures, the film, the lesson and the steps; in a browser what visitors do."""

import base64
import inspect
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor

from aecore.data import faces
from aecore.jobs.errands import Cancelled
from aecore.provenance import certificate, label, verify
from aecore.swap.blend import Finish
from pages.ui import mending, swap_clip, swap_gallery, swap_joins, swap_lesson, swap_notice, swap_scores, swap_stage, swap_steps, swapping
from pages.ui.i18n import LANGUAGES, translator
from pages.ui.swap_joins import ALIGNED, NAIVE, NAMES, SHARED, Asked
from tests.serving import Server
from tests.test_pages import opened

ASKED = Asked("A-to-B", 64, 0)


@pytest.fixture(autouse=True)
def own_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The key is made in a folder of the tests, and pictures are marked by that key."""
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path_factory.getbasetemp() / "provenance-cache"))
    certificate._credentials.cache_clear()
    yield
    certificate._credentials.cache_clear()
    mending.close()


def report(done: float, glimpse: object = None) -> None:
    """Reports that nobody reads."""


def content(address: str) -> bytes:
    """What an address holds."""
    return base64.b64decode(address.split(",")[1])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notice_comes_first_and_names_the_laws(language: str) -> None:
    app, t = opened("swap", lang=language), translator(language)
    assert not app.exception and not app.error and not app.warning
    notice = next(each.proto.body for each in app.get("html") if "<section" in each.proto.body)
    assert f'role="region" aria-label="{t("Before you swap a face")}" tabindex="0"' in notice
    for law in ("13.709/2018", "216-B", "218-C", "15.123/2025", "2024/1689", "X)", "art. 50"):
        assert law in notice, law
    main = [type(each).__name__ for each in app.main]
    open_to_all = notice.split("<details>")[0]
    assert "LGPD" in open_to_all and t("European Union") in open_to_all and ("AI Act" in open_to_all or "Regulamento da IA" in open_to_all)
    assert notice and main.index("Html") < main.index("Subheader"), "nothing stands before the notice"
    assert "st.dialog" not in inspect.getsource(swap_notice) + inspect.getsource(swapping)


@pytest.mark.parametrize("language", LANGUAGES)
def test_five_pictures_and_only_what_a_network_drew_is_marked(language: str) -> None:
    items = swap_stage.items(ASKED, 5, translator(language))
    assert len(items) == 5 and len({each.source for each in items}) == 5
    for place, each in enumerate(items):
        found = verify(content(each.source), "file", search=False)
        assert found.frame.shape == (3, 256, 256) and each.alt and len(each.figures) == 4
        drawn = 0 < place < 4
        assert (found.visible.found, found.invisible.found, found.manifest.holds) == (drawn, drawn, drawn)


def test_the_shared_encoder_is_nearest_to_the_truth_and_the_naive_join_fails() -> None:
    rows = {each.name: each for each in swap_scores.work(ASKED)(report, lambda: False)}
    assert list(rows) == list(swap_scores.WORDS)
    assert rows["unchanged"].closer == 0 and rows["truth"].closer == 1 and rows["truth"].near.ssim_face == 1
    shared, naive, aligned = (rows[name].near.psnr_face for name in (SHARED, NAIVE, ALIGNED))
    assert shared > aligned + 1.5 and shared > naive + 3 and shared > rows["nearest"].near.psnr_face + 3
    assert rows[SHARED].closer > 0.8 > rows[NAIVE].closer
    assert swap_scores.work(ASKED)(report, lambda: True) is swap_scores.work(ASKED)(report, lambda: False), "kept for all visitors"
    with pytest.raises(Cancelled):
        swap_scores.work(Asked("B-to-A", 64, 0))(report, lambda: True)


def test_more_pairs_align_better_and_people_keep_apart() -> None:
    truth, masks = swap_joins.frames("held", "B", 64), swap_joins.masks("held", "B", 64)
    source = swap_joins.frames("held", "A", 64)
    found = []
    for pairs in (5, 600):
        output = swap_joins.join(ALIGNED, Asked("A-to-B", 64, pairs)).swap(source, "A", "B")
        found.append(swap_scores.nearness(output, truth, masks).psnr_face)
    assert found[1] > found[0] + 1
    assert Asked("B-to-A", 64, 0).target == "A" and Asked("B-to-A", 64, 0).key != ASKED.key


def test_every_scene_can_be_asked_for() -> None:
    values = swap_stage.wishes()
    assert values.shape == (60, 5) and [swap_stage.closest(each) for each in values] == list(range(60))
    assert np.ptp(values[:, 0]) > 60 and values[:, 2:].min() >= 0


def test_a_link_opens_a_scene_and_buttons_lead_on() -> None:
    app = opened("swap", lang="en", direction="B-to-A", alignment="pairs", pairs="100", frame="59")
    assert not app.exception and not app.warning
    assert app.slider(key="knob-pairs").value == 100
    yaw = app.slider(key="knob-face-yaw").value
    app.button(key="swap-next").click().run()
    assert app.session_state["knob-frame"] == 0 and app.slider(key="knob-face-yaw").value != yaw
    app.slider(key="knob-face-mouth").set_value(100).run()
    place = app.session_state["knob-frame"]
    assert app.query_params["frame"] in (str(place), [str(place)]) and swap_stage.wishes()[place, 2] > 50
    assert not app.exception


@pytest.mark.parametrize(
    ("name", "value"), [("direction", "A-to-A"), ("frame", "60"), ("frame", "-1"), ("size", "63"), ("alignment", "<b>")]
)
def test_a_bad_link_gives_a_sentence_and_the_default(name: str, value: str) -> None:
    app = opened("swap", **{"lang": "en", name: value})
    assert not app.exception
    assert [each for each in app.warning if "The link asked for something else" in each.value]


def test_what_is_taken_home_is_marked() -> None:
    found = verify(swap_stage.file(ASKED, 5), "swap.png")
    assert found.visible.found and found.invisible.found and found.manifest.state == "own" and found.frame.shape == (3, 256, 5 * 256)
    assert [label.look(each).found for each in found.frame.split(256, 2)[1:]] == [True, True, True, False], "also of those cut out"


def test_the_film_is_marked_and_its_flicker_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, masks = swap_joins.frames, swap_joins.masks
    monkeypatch.setattr(swap_joins, "frames", lambda *asked: whole(*asked)[:8])
    monkeypatch.setattr(swap_joins, "masks", lambda *asked: masks(*asked)[:8])
    monkeypatch.setattr(swap_clip, "_films", {})
    told: list[float] = []
    film = swap_clip.work(SHARED, ASKED)(lambda done, glimpse=None: told.append(done), lambda: False)
    found = verify(film.content, "swap.mp4")
    assert found.visible.found and found.invisible.found and found.manifest.holds and found.frame.shape == (3, 256, 512)
    assert label.look(found.frame[:, :, 256:]).found, "whoever cuts the swap out has the label too"
    assert len(told) == 8 and 0 < film.flicker < 30 and film.still > 0
    assert swap_clip.work(SHARED, ASKED)(report, lambda: True) is film
    with pytest.raises(Cancelled):
        swap_clip.work(NAIVE, ASKED)(report, lambda: True)


def test_the_lesson_learns_and_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swap_lesson, "STEPS", 6)
    monkeypatch.setattr(swap_lesson, "EVERY", 3)
    monkeypatch.setattr(swap_lesson, "_courses", {})
    run = swap_lesson.Run("B-to-A", swap_lesson.NOTHING, 1)
    seen: list[swap_lesson.Course] = []
    course = swap_lesson.work(run)(lambda done, glimpse=None: seen.append(glimpse), lambda: False)
    assert [each.steps for each in seen] == [(0,), (0, 3), (0, 3, 6)] and seen[-1] is course
    assert course.last != course.first and verify(content(course.last), "row").manifest.holds
    assert len(course.psnr) == 3 and all(5 < each < 40 for each in course.psnr)
    assert swap_lesson.work(run)(report, lambda: True) is course
    with pytest.raises(Cancelled):
        swap_lesson.work(replace(run, seed=2))(report, lambda: True)


def test_each_step_has_its_picture_and_switches_matter() -> None:
    shown = swap_steps.pictures(ASKED, 5, 15, True, True, "feather")
    marks = [verify(content(each), "file", search=False).manifest for each in shown]
    assert [each.holds for each in marks] == [False, False, True, False, True, True]
    assert marks[-1].source == "compositeWithTrainedAlgorithmicMedia" and marks[2].source == "trainedAlgorithmicMedia"
    picture = swap_steps.taken(ASKED, 5, 15)
    assert picture.shape == (3, 256, 256) and not torch.equal(picture, swap_steps.taken(ASKED, 5, -15))
    results: list[Tensor] = []
    for upright, finish in (
        (True, Finish()),
        (False, Finish()),
        (True, Finish(False)),
        (True, Finish(True, "poisson")),
        (True, Finish(True, "hard")),
    ):
        results.append(swap_steps.stepped(picture, ASKED, upright, finish).result)
    assert all(not torch.equal(each, results[0]) for each in results[1:])
    corner = results[0][:, :8, :8]
    assert torch.equal(corner, picture[:, :8, :8]), "outside of the face nothing changes"


def test_faces_are_enlarged_once_and_fit_their_frame() -> None:
    frame = faces.frames("held", "A", 64)[0]
    assert swap_gallery.large(frame).shape == (3, 256, 256) and swap_gallery.enlarged(frame[None], 64) is not None
    assert torch.equal(swap_gallery.enlarged(frame[None], 64), frame[None])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_visitor_reads_the_notice_sees_the_film_and_stops_a_lesson(page: Page, server: Server, language: str, tmp_path: Path) -> None:
    t = translator(language)
    page.goto(f"{server.url}/swap?lang={language}")
    notice = page.get_by_role("region", name=t("Before you swap a face"))
    expect(notice.get_by_role("heading", name=t("What it did to people"))).to_be_visible(timeout=180_000)
    notice.focus()
    expect(notice).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(notice.get_by_text("13.709/2018")).to_be_visible()
    for words in (*NAMES.values(), "Source: {person}", "Truth: {person}"):
        person = "A" if "Source" in words else "B"
        expect(page.get_by_role("img", name=re.compile("^" + re.escape(t(words, person=person)))).first).to_be_visible(timeout=90_000)
    page.get_by_text(t("The performance, before and after")).click()
    expect(page.locator("video")).to_be_visible(timeout=90_000)
    with page.expect_download() as waiting:
        page.get_by_role("button", name=re.compile(r"MP4")).click()
    waiting.value.save_as(tmp_path / "swap.mp4")
    found = verify((tmp_path / "swap.mp4").read_bytes(), "swap.mp4")
    assert found.visible.found and found.invisible.found and found.manifest.state in ("own", "intact")
    page.get_by_text(t("Teach it for a minute")).click()
    page.get_by_role("button", name=t("Teach"), exact=True).click()
    expect(page.get_by_text(t("The swap now"))).to_be_visible(timeout=180_000)
    page.get_by_role("button", name=t("Cancel"), exact=True).click()
    expect(page.get_by_text(re.compile(re.escape(t("Stopped after {steps} steps. So far it had come:").split("{")[0])))).to_be_visible()
    page.get_by_text(t("Own faces"), exact=True).click()
    expect(page.get_by_text(t("Own faces are switched off on this server. Whoever runs it may allow them by the setting {setting}.", setting="AECORE_OWN_FACES=1"))).to_be_visible()  # fmt: skip


def test_on_a_phone_the_lesson_s_table_scrolls_and_not_the_page(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto(f"{server.url}/swap?lang=pt_BR")
    page.locator("summary").filter(has_text=translator("pt_BR")("Explain: why a shared encoder swaps faces")).click(timeout=180_000)
    expect(page.locator("[data-testid=stMarkdownContainer] table").filter(has_text="ingênua")).to_be_visible()
    assert page.get_by_test_id("stMain").evaluate("each => each.scrollWidth - each.clientWidth") == 0
