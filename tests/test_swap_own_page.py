"""Own faces in a browser, on a server that allows them: from consent to a marked picture, and nothing of it for anybody else."""

import base64
from collections.abc import Iterator

import pytest
import torch
from playwright.sync_api import Browser, Page, expect

from aecore.data import faces
from aecore.provenance import Findings, label, verify
from pages.ui.i18n import LANGUAGES, Translator, translator
from tests.serving import Server, serving
from tests.test_browser import settled
from tests.test_provenance import bomb
from tests.test_swap_own import enlarged, files_in, mp4, person, png

SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"ftyp")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose host allows own faces, with temporary files of its own."""
    log = tmp_path_factory.mktemp("own") / "log.txt"
    (temporary := log.parent / "temporary").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AECORE_OWN_FACES", "1")
        patch.setenv("TMPDIR", str(temporary))
        with serving(log) as running:
            patch.undo()
            yield running
            written = {each: each.read_bytes() for each in files_in(log.parent) if each.is_file() and each.name != "log.txt"}
    assert not [path for path, content in written.items() if b"Maria" in content or any(each in content[:16] for each in SIGNATURES)]
    assert "Traceback" not in log.read_text(), log.read_text()
    assert log.read_text().count("consent was given") == len(LANGUAGES) and "Maria" not in log.read_text()


def saved(address: str | None) -> Findings:
    """What is found in a picture that a visitor saves from the page."""
    return verify(base64.b64decode((address or "").split(",")[1]), "saved")


def begin(page: Page, host: Server, language: str) -> None:
    """Open the part of the page that is about own faces."""
    page.goto(f"{host.url}/swap?lang={language}")
    page.get_by_text(translator(language)("Own faces"), exact=True).click(timeout=90_000)


def refusals(t: Translator) -> Iterator[tuple[str, bytes, str]]:
    """Files in which there is no face to swap, and the sentence that a visitor reads instead."""
    people = [enlarged(faces.frames("held", name)[:1])[0] for name in faces.PEOPLE]
    black = torch.zeros((1, 3, 64, 64), dtype=torch.uint8)
    yield "wall.png", png(torch.full((3, 200, 200), 90, dtype=torch.uint8)), t("No face was found. Use a picture in which a face is seen from the front, in good light.")  # fmt: skip
    yield "two.png", png(torch.cat(people, 2)), t("{count} faces were found. Cut out the one you mean, then try again.", count=2)
    yield "profile.png", png(enlarged(faces.frames("held", "A")[43:44])[0]), t("The face is turned too far to the side. Use a picture in which both eyes are seen well.")  # fmt: skip
    yield "hour.mp4", mp4(black.expand(100, -1, -1, -1), 1 / 36), t("{name} is longer than {limit} seconds. Cut out a part of it, then try again.", name="#1", limit=30)  # fmt: skip
    yield "bomb.gif", b"GIF89a" + b"\xff" * 4 + bytes(100), t("{name} is a GIF. Send a PNG or JPEG picture, or an MP4 film.", name="#1")
    yield "bomb.png", bomb(50_000, 50_000), t("{name} has more than {limit} million pixels. Make it smaller in a picture editor, then try again.", name="#1", limit=16)  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_from_consent_to_a_marked_picture(page: Page, browser: Browser, host: Server, language: str) -> None:
    t = translator(language)
    fetched: list[str] = []
    page.on("request", lambda sent: fetched.append(sent.url) if sent.url.startswith(f"{host.url}/media/") else None)
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
    icon = set(fetched)
    for place, name in enumerate(faces.PEOPLE):
        film = {"name": "Maria.mp4", "mimeType": "video/mp4", "buffer": person(name, 40)}
        page.get_by_test_id("stFileUploader").nth(place).locator("input").set_input_files([film])
        expect(page.get_by_text(t("Upright, and as large as all others"))).to_have_count(place + 1, timeout=90_000)
    page.get_by_test_id("stMain").get_by_role("button", name=t("Learn"), exact=True).click()
    expect(page.get_by_text(t("As they are"))).to_be_visible(timeout=90_000)
    rows = page.get_by_role("img", name=t("All as {person}, after step {step}", person="", step="").split(",")[0].strip())
    expect(rows).to_have_count(2)
    for each in rows.all():
        found = saved(each.get_attribute("src"))
        assert found.manifest.holds and found.invisible.found
        assert all(label.look(part).found for part in found.frame.split(128, 2)), "each face that is drawn on the way is labelled"
    page.get_by_role("button", name=t("Cancel"), exact=True).click()
    for name, content, words in refusals(t):
        page.get_by_test_id("stFileUploader").nth(2).locator("input").set_input_files(
            [{"name": name, "mimeType": "application/octet-stream", "buffer": content}]
        )
        expect(page.get_by_role("alert").filter(has_text=words)).to_be_visible(timeout=90_000)
        settled(page)
    frame = enlarged(faces.frames("held", "A")[:1])[0]
    page.get_by_test_id("stFileUploader").nth(2).locator("input").set_input_files(
        [{"name": "Maria.png", "mimeType": "image/png", "buffer": png(frame)}]
    )
    button = page.get_by_role("link", name=t("Download, with all marks"))
    expect(button).to_be_visible(timeout=90_000)
    with page.expect_download() as waiting:
        button.click()
    found = verify(waiting.value.path().read_bytes(), "swap.png")
    assert found.visible.found and found.invisible.found and found.manifest.faults == ()
    shown = saved(page.get_by_role("img", name=t("The swap"), exact=True).get_attribute("src"))
    assert shown.visible.found and shown.invisible.found and shown.manifest.holds, "who saves the picture from the page has all marks"
    assert set(fetched) <= icon, "the server keeps no file of it to be fetched"

    stranger = browser.new_context(locale="en-US").new_page()
    begin(stranger, host, language)
    expect(stranger.get_by_label(t("What is the swap for?"))).to_be_visible()
    stranger.context.close()

    page.get_by_role("button", name=t("Delete now")).click()
    expect(page.get_by_label(t("What is the swap for?"))).to_be_visible()
    expect(button).to_have_count(0)
