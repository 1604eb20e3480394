"""Verify: the sample and its marks, harms, own files and refusals; in a browser what visitors do."""

import base64
import io
import re
from collections.abc import Iterator

import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from aecore.data import faces
from aecore.jobs.errands import Cancelled
from aecore.provenance import certificate, export, verify
from aecore.provenance.harm import HARMS
from aecore.refusal import Refused
from pages.ui import harming, mending, verifying
from pages.ui.i18n import LANGUAGES, translator
from tests.serving import Server
from tests.test_browser import settled
from tests.test_pages import opened
from tests.test_provenance import bomb


@pytest.fixture(autouse=True)
def own_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The key is made in a folder of the tests, and the sample by that key."""
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path_factory.getbasetemp() / "provenance-cache"))
    for each in (certificate._credentials, verifying.sample):
        each.cache_clear()
    yield
    for each in (certificate._credentials, verifying.sample):
        each.cache_clear()
    mending.close()


def report(done: float, glimpse: object = None) -> None:
    """Reports that nobody reads."""


def badges(app: AppTest) -> list[str]:
    """The verdicts on the page, in their order."""
    return re.findall(r":(?:green|red|gray|blue)-badge\[(?::[^:]+: )?([^\]]+)\]", " ".join(each.value for each in app.markdown))


def test_the_sample_is_truly_made_by_a_network_and_carries_all_marks() -> None:
    found = verifying.sample()[1]
    assert found.visible.found and found.invisible.found and found.manifest.state == "own"
    drawn = verifying.drawn("held", "A-to-B", [0, 1])
    assert not torch.equal(drawn, faces.frames("held", "A", 128)[:2]) and verifying.people().shape == (3, 256, 256)
    film = verify(verifying.film(), "film.mp4")
    assert film.visible.found and film.invisible.found and film.manifest.holds and film.frame.shape == (3, 128, 256)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_three_marks_and_what_jpeg_leaves(language: str) -> None:
    app, t = opened("verify", lang=language), translator(language)
    assert not app.exception and not app.error
    assert badges(app) == [t("Found"), t("Found"), t("Intact"), t("Found"), t("Found"), t("Not found")]
    assert t("That no mark is found proves nothing: it may have been removed, or never been there. And a mark tells what made a file, not whether what it shows is true.") in [each.value for each in app.info]  # fmt: skip


def test_a_link_opens_a_harm_and_its_amount() -> None:
    app = opened("verify", **{"lang": "en", "harm": "screenshot", "harm-screenshot": "150"})
    assert app.slider(key="knob-harm-screenshot").value == 150 and badges(app)[3:] == ["Found", "Found", "Not found"]
    app = opened("verify", lang="en", harm="byte")
    assert badges(app)[3:] == ["Found", "Found", "Altered"]


@pytest.mark.parametrize(("name", "value"), [("harm", "../x"), ("harm-jpeg", "101"), ("harm-jpeg", "nan"), ("marked-file", "<b>")])
def test_a_bad_link_gives_a_sentence_and_the_default(name: str, value: str) -> None:
    app = opened("verify", **{"lang": "en", name: value})
    assert not app.exception
    assert [each for each in app.warning if "The link asked for something else" in each.value]


def test_every_harm_changes_the_picture_and_gives_a_picture() -> None:
    picture = verifying.people()
    for name, each in HARMS.items():
        for amount in (each.low, each.default, each.high):
            after = each(picture, amount)
            assert after.dtype == torch.uint8 and after.ndim == 3 and len(after) == 3
        assert each(picture, each.default).shape != picture.shape or not torch.equal(each(picture, each.default), picture), name
        assert name in harming.NAMES and name in harming.AMOUNTS


def test_the_survey_tries_them_all_and_can_be_cancelled() -> None:
    content = export(faces.frames("held", "B", 64)[0], "png")
    found = verify(content, "b.png")
    rows = {each.harm: each for each in harming.survey(content, found.frame)(report, lambda: False)}
    assert list(rows) == [*HARMS, harming.BYTE]
    assert not any(each.manifest for each in rows.values()), "none leaves the manifest whole"
    assert all(rows[name].invisible for name in ("jpeg", "resize", "screenshot", "noise", harming.BYTE))
    assert rows["jpeg"].visible and not rows["crop"].visible and rows["crop"].invisible
    with pytest.raises(Cancelled):
        harming.survey(content, found.frame)(report, lambda: True)


def test_large_pictures_are_tried_on_a_smaller_copy_and_refusals_pass_through() -> None:
    assert harming.small(torch.zeros(3, 300, 1200, dtype=torch.uint8)).shape == (3, 128, 512)
    with pytest.raises(Refused, match="not a picture"):
        verifying.work(b"hello", "a.png")(report, lambda: False)


def upload(page: Page, name: str, content: bytes) -> None:
    sent = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files([sent])  # type: ignore[list-item]


def test_a_visitor_destroys_the_marks_one_after_another(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/verify?lang=en")
    verdicts = page.get_by_test_id("stMarkdownContainer").locator(".stMarkdownBadge")
    expect(verdicts).to_have_count(6, timeout=90_000)
    expect(verdicts.nth(5)).to_contain_text("Not found")
    address = page.get_by_test_id("stImage").locator("img").first.get_attribute("src") or ""
    assert verify(base64.b64decode(address.split(",")[1]), "saved.png").manifest.holds, "who saves the picture from the page has all marks"
    page.get_by_role("button", name="Crop", exact=True).or_(page.get_by_role("radio", name="Crop", exact=True)).click()
    expect(verdicts.nth(3)).to_contain_text("Not found", timeout=90_000)
    expect(page.get_by_text(re.compile("75 % of the longer side are left")).first).to_be_visible(timeout=180_000)
    page.get_by_role("button", name="Blur", exact=True).or_(page.get_by_role("radio", name="Blur", exact=True)).click()
    slider = page.get_by_role("slider", name="Standard deviation (tenths of a pixel)")
    slider.focus()
    page.keyboard.press("End")
    expect(verdicts.nth(4)).to_contain_text("Not found", timeout=180_000)
    assert "harm-blur=40" in page.url


def test_own_files_are_read_and_refused(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/verify?lang=en&marked-file=own")
    upload(page, "mine.webp", export(faces.clip(64)[0][:9], "webp"))
    verdicts = page.get_by_test_id("stMarkdownContainer").locator(".stMarkdownBadge")
    expect(verdicts.nth(2)).to_contain_text("Intact", timeout=180_000)
    expect(verdicts.nth(0)).to_contain_text("Found")
    expect(page.get_by_text("Read from 8 frames together.")).to_be_visible()
    expect(page.get_by_text("anybody can make such a certificate")).to_be_visible()  # the test's key is not the server's
    plain = io.BytesIO()
    Image.new("RGB", (90, 80), "teal").save(plain, "PNG")
    for name, content, words in (
        ("plain.png", plain.getvalue(), "Most programs and networks drop it"),
        ("note.png", b"hello", "is not a picture that can be read here"),
        ("bomb.png", bomb(50_000, 50_000), "million pixels"),
    ):
        settled(page)
        remove = page.get_by_test_id("stFileUploaderDeleteBtn").get_by_role("button").or_(page.get_by_role("button", name="Remove"))
        remove.first.click()
        expect(remove).to_have_count(0)
        settled(page)
        upload(page, name, content)
        expect(page.get_by_text(words).first).to_be_visible(timeout=180_000)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notice_is_read_aloud_and_the_lesson_opens_by_keyboard(page: Page, server: Server, language: str) -> None:
    t = translator(language)
    page.goto(f"{server.url}/verify?lang={language}")
    notice = page.get_by_role("paragraph").filter(has_text=t("That no mark is found proves nothing: it may have been removed, or never been there. And a mark tells what made a file, not whether what it shows is true."))  # fmt: skip
    expect(notice).to_be_visible(timeout=90_000)
    settled(page)
    summary = page.locator("summary").filter(has_text=t("Explain: where a picture comes from"))
    for _ in range(80):
        page.keyboard.press("Tab")
        if summary.evaluate("each => each === document.activeElement"):
            break
    else:
        pytest.fail("Tab does not reach the lesson")
    page.keyboard.press("Enter")
    expect(page.get_by_text("C2PA").last).to_be_visible()
    for picture in page.get_by_test_id("stImage").locator("img").all():
        assert picture.get_attribute("alt")
