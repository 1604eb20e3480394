"""Own faces in a browser, on a server that allows them: from consent to a marked picture, and nothing of it for anybody else."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from aecore.data import faces
from aecore.provenance import verify
from pages.ui.i18n import LANGUAGES, translator
from tests.serving import Server, serving
from tests.test_swap_own import enlarged, person, png


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose host allows own faces."""
    log = tmp_path_factory.mktemp("own") / "log.txt"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AECORE_OWN_FACES", "1")
        with serving(log) as running:
            yield running
    assert "Traceback" not in log.read_text(), log.read_text()
    assert log.read_text().count("consent was given") == len(LANGUAGES) and "Maria" not in log.read_text()


def begin(page: Page, host: Server, language: str) -> None:
    """Open the part of the page that is about own faces."""
    page.goto(f"{host.url}/swap?lang={language}")
    page.get_by_text(translator(language)("Own faces"), exact=True).click(timeout=90_000)


@pytest.mark.parametrize("language", LANGUAGES)
def test_from_consent_to_a_marked_picture(page: Page, browser: Browser, host: Server, language: str) -> None:
    t = translator(language)
    begin(page, host, language)
    page.get_by_label(t("What is the swap for?")).fill("A card for Maria, whom I asked")
    page.get_by_role("button", name=t("I declare this")).click()
    expect(page.get_by_text(t("Consent is missing. All three statements must be true of both people; tick each of them."))).to_be_visible()
    for words in (
        "Both people are myself, or agreed to this purpose in writing.",
        "Both people are adults.",
        "Whoever sees the result will be told that it is a swap, and I leave its marks on.",
    ):
        page.get_by_text(t(words), exact=True).click()
    page.get_by_role("button", name=t("I declare this")).click()
    for place, name in enumerate(faces.PEOPLE):
        film = {"name": "Maria.mp4", "mimeType": "video/mp4", "buffer": person(name, 40)}
        page.get_by_test_id("stFileUploader").nth(place).locator("input").set_input_files([film])
        expect(page.get_by_text(t("Upright, and as large as all others"))).to_have_count(place + 1, timeout=30_000)
    page.get_by_test_id("stMain").get_by_role("button", name=t("Learn"), exact=True).click()
    expect(page.get_by_text(t("As they are"))).to_be_visible(timeout=30_000)
    page.get_by_role("button", name=t("Cancel"), exact=True).click()
    frame = enlarged(faces.frames("held", "A")[:1])[0]
    page.get_by_test_id("stFileUploader").nth(2).locator("input").set_input_files(
        [{"name": "Maria.png", "mimeType": "image/png", "buffer": png(frame)}]
    )
    button = page.get_by_role("button", name=t("Download, with all marks"))
    expect(button).to_be_visible(timeout=30_000)
    with page.expect_download() as waiting:
        button.click()
    found = verify(waiting.value.path().read_bytes(), "swap.png")
    assert found.visible.found and found.invisible.found and found.manifest.faults == ()

    stranger = browser.new_context(locale="en-US").new_page()
    begin(stranger, host, language)
    expect(stranger.get_by_label(t("What is the swap for?"))).to_be_visible()
    stranger.context.close()

    page.get_by_role("button", name=t("Delete now")).click()
    expect(page.get_by_label(t("What is the swap for?"))).to_be_visible()
    expect(button).to_have_count(0)
