"""The app as visitors meet it, in a real browser."""

import io
import os
import re
import signal
import struct
import time
import zipfile
import zlib
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as TooLate

from aecore.models import VARIANTS
from tests.serving import Server, serving
from tests.synthetic import zipped

LONG = "train?lang=en&epochs=500&seed={seed}"


def start(page: Page) -> None:
    """Press Train and wait until the run learns."""
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text(re.compile("Epoch .* of"))).to_be_visible(timeout=90_000)


def stop(page: Page) -> float:
    """Press Stop; seconds until the page says that the run has stopped."""
    began = time.perf_counter()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped. What was learnt is kept.")).to_be_visible()
    return time.perf_counter() - began


def settled(page: Page) -> None:
    """Wait until the page's script has come to its end: what it offers to download changes until then."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=90_000)


def download(page: Page, name: str) -> Path:
    """What a button hands over; asked for again where the page was drawn anew under the click."""
    for patience in (15_000, 60_000):
        try:
            with page.expect_download(timeout=patience) as waiting:
                page.get_by_role("button", name=name).click()
            return waiting.value.path()
        except TooLate:
            settled(page)
    pytest.fail(f"{name} hands over nothing")


def go_to(page: Page, title: str) -> None:
    """Choose a page in the navigation, in the section Learn."""
    page.get_by_text("Learn", exact=True).click()
    page.locator("a").filter(has_text=re.compile(f"^{title}$")).click()


def pixels(page: Page, selector: str) -> list[int]:
    """The red channel of a canvas."""
    script = "(c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 === 0)"
    return page.locator(selector).evaluate(script)


def test_home_draws_a_digit_again_and_answers_to_each_change(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/?lang=en")
    expect(page.locator(".score")).to_contain_text("Read back from")
    first_in, first_out = pixels(page, ".picture.input"), pixels(page, ".picture.output")
    assert max(first_in) > 200 and max(first_out) > 150
    apart = sum(abs(a - b) for a, b in zip(first_in, first_out, strict=True)) / len(first_in)
    assert apart < 25, "the output should look like the input"

    page.get_by_role("button", name="Pick digit 7").click()
    deadline = time.time() + 5
    while pixels(page, ".picture.output") == first_out and time.time() < deadline:
        page.wait_for_timeout(50)
    second_out = pixels(page, ".picture.output")
    assert second_out != first_out

    bar = page.locator(".bar").nth(5)
    bar.focus()
    for _ in range(4):
        page.keyboard.press("PageUp")
    expect(page.locator(".score")).to_contain_text("dragged")
    assert pixels(page, ".picture.output") != second_out
    page.get_by_role("button", name="Back to the picture's own code").click()
    expect(page.locator(".score")).to_contain_text("Read back from")


def test_drawing_on_home_changes_picture_and_code(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/?lang=en")
    expect(page.locator(".score")).to_contain_text("Read back from")
    before = page.locator(".bar").first.get_attribute("aria-valuenow")
    box = page.locator(".picture.input").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 4
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + box["height"] / 2, steps=8)
    page.mouse.up()
    expect(page.locator(".bar").first).not_to_have_attribute("aria-valuenow", before or "")
    assert 20 < sum(value > 100 for value in pixels(page, ".picture.input")) < 150, "one stroke, drawn on an empty picture"


def test_train_to_the_end_and_take_the_result_home(page: Page, server: Server, tmp_path: Path) -> None:
    page.goto(f"{server.url}/train?lang=en&epochs=2&seed=11")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("The run is complete.")).to_be_visible(timeout=180_000)
    expect(page.get_by_text("Test loss", exact=True)).to_be_visible()
    expect(page.get_by_text("Your guess")).to_be_visible()
    expect(page.get_by_text("Drawn again from their codes")).to_be_visible()
    page.get_by_text("Take it home").first.click()
    settled(page)
    with zipfile.ZipFile(download(page, "Whole model (ZIP)")) as archive:
        assert sorted(archive.namelist()) == ["digits-undercomplete.json", "digits-undercomplete.safetensors"]
        archive.extractall(tmp_path)
    from aecore import load

    model, card = load(tmp_path / "digits-undercomplete.safetensors")
    assert card.plan["seed"] == 11
    assert model.parameter_count() == 784 * 32 + 32 + 32 * 784 + 784
    assert download(page, "Curves (CSV)").read_text().splitlines()[0].startswith("step,epoch,seconds,train_reconstruction")


PANELS = {
    "denoising": "Damaged and cleaned",
    "variational": "Pictures nobody drew",
    "top-k": "The 60 units that change pictures most",
    "contractive": "A test picture, then the changes that its code feels most",
}


@pytest.mark.parametrize("variant", PANELS)
def test_a_variant_shows_what_is_its_own(page: Page, server: Server, variant: str) -> None:
    page.goto(f"{server.url}/train?lang=en&variant={variant}&epochs=2&seed=61")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("The run is complete.")).to_be_visible(timeout=180_000)
    expect(page.get_by_text(PANELS[variant]).first).to_be_visible()


def test_what_is_inside_is_computed_when_opened(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/train?lang=en&epochs=1&seed=62")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("The run is complete.")).to_be_visible(timeout=180_000)
    expect(page.get_by_text("Variance explained")).to_have_count(0)
    page.get_by_text("What the code looks like").click()
    expect(page.get_by_text("Variance explained")).to_be_visible()
    page.get_by_text("What each unit draws").click()
    expect(page.get_by_text("The 32 units that change pictures most")).to_be_visible()
    expect(page.get_by_text("Variance explained")).to_be_visible()


def test_a_link_within_the_app_opens_its_settings_although_others_were_set_before(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/train?lang=en&code=9")
    expect(page.get_by_role("spinbutton", name="Code size")).to_have_value("9")
    go_to(page, "Home")
    expect(page.locator(".score")).to_be_visible()
    go_to(page, "Train")
    expect(page.get_by_role("spinbutton", name="Code size")).to_have_value("9")
    go_to(page, "Home")
    page.get_by_role("link", name="Train it").nth(list(VARIANTS).index("variational")).click()
    expect(page.get_by_role("spinbutton", name="Code size")).to_have_value("20")
    page.go_back()
    page.go_back()
    expect(page.get_by_role("spinbutton", name="Code size")).to_have_value("9")


def test_stop_in_the_middle_keeps_what_was_learnt(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/{LONG.format(seed=21)}")
    start(page)
    seconds = stop(page)
    assert seconds < 3, f"Stop took {seconds:.2f} s"
    expect(page.get_by_text("Test loss", exact=True)).to_be_visible()


def test_a_paused_run_waits_for_its_visitor(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/{LONG.format(seed=22)}")
    start(page)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Nothing is lost")).to_be_visible(timeout=5_000)
    page.reload()
    expect(page.get_by_text("Nothing is lost")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text(re.compile("Epoch .* of 500"))).to_be_visible()
    assert stop(page) < 3


def test_learning_from_the_test_pictures_too_is_measured_on_both_splits(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/train?lang=en&epochs=1&seed=23&train_on_test=true")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("The run is complete.")).to_be_visible(timeout=180_000)
    page.get_by_text("Learnt from the test pictures too: what difference").click()
    page.get_by_role("button", name="Train it the other way round too").click()
    expect(page.get_by_text(re.compile("Test pictures come back .* % better|made no gain"))).to_be_visible(timeout=180_000)
    expect(page.get_by_role("row").filter(has_text="training pictures only")).to_be_visible()
    page.get_by_text("Beside your").click()
    expect(page.get_by_role("row").filter(has_text="Train on test pictures too")).to_be_visible()


def test_a_reload_finds_the_run_again_and_may_stop_it(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/{LONG.format(seed=31)}")
    start(page)
    page.reload()
    expect(page.get_by_text(re.compile("Epoch .* of 500"))).to_be_visible()
    assert stop(page) < 3


def test_the_run_goes_on_while_the_visitor_looks_at_another_page(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/{LONG.format(seed=41)}")
    start(page)
    go_to(page, "Home")
    expect(page.locator(".score")).to_be_visible()
    go_to(page, "Train")
    expect(page.get_by_text(re.compile("Epoch .* of 500"))).to_be_visible()
    stop(page)


def test_change_of_language_keeps_the_page_and_its_settings(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/train?code=9&lang=en")
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    page.get_by_role("radio", name="Português").click()
    expect(page.get_by_role("heading", name="Treinar", exact=True)).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Tamanho do código")).to_have_value("9")
    page.reload()
    expect(page.get_by_role("heading", name="Treinar", exact=True)).to_be_visible()


def test_a_browser_in_portuguese_is_greeted_in_portuguese(browser: Browser, server: Server) -> None:
    context = browser.new_context(locale="pt-BR")
    page = context.new_page()
    page.goto(f"{server.url}/train")
    expect(page.get_by_role("heading", name="Treinar", exact=True)).to_be_visible(timeout=20_000)
    context.close()


def huge_png() -> bytes:
    """A PNG that says it is 50,000 x 50,000 pixels."""
    header = struct.pack(">II5B", 50_000, 50_000, 8, 2, 0, 0, 0)
    chunks = b""
    for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")):
        chunks += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return b"\x89PNG\r\n\x1a\n" + chunks


HOSTILE = {
    "not a ZIP": ("bad.zip", b"this is no ZIP at all", "not a whole ZIP file"),
    "empty ZIP": ("empty.zip", zipped({}), "holds no picture"),
    "names outside": ("outside.zip", zipped({"../../a.png": b"x"}), "not safe"),
    "bomb": ("bomb.zip", zipped({"a.png": b"\0" * 60_000_000}), "only a trap does"),
    "huge picture": ("huge.png", huge_png(), "million pixels"),
    "text": ("text.png", b"hello", "not a picture"),
    "picture in the name": (
        "![x](http://pictures.example/a.png) ![y](https:&sol;&sol;p.example)<img src=x>.png",
        b"hello",
        "not a picture",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_bad_upload_gets_a_sentence_and_the_server_lives(page: Page, server: Server, case: str) -> None:
    name, content, sentence = HOSTILE[case]
    page.goto(f"{server.url}/train?lang=en&data=own")
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": content})
    expect(page.get_by_test_id("stAlert").get_by_text(sentence)).to_be_visible()
    assert server.alive()


def test_a_download_without_a_network_gets_a_sentence(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/train?lang=en&data=kmnist")
    page.get_by_role("button", name="Download Kuzushiji-MNIST").click()
    expect(page.get_by_test_id("stAlert").get_by_text("could not be downloaded")).to_be_visible()
    expect(page.get_by_role("button", name="Train", exact=True)).to_have_count(0)


def test_own_pictures_are_trained_on_and_shown_to_nobody_else(page: Page, browser: Browser, server: Server) -> None:
    from PIL import Image

    entries = {}
    for index in range(40):
        file = io.BytesIO()
        Image.new("RGB", (40, 30), (index * 6, 255 - index * 6, 90)).save(file, "PNG")
        entries[f"{'warm' if index > 19 else 'cold'}/{index}.png"] = file.getvalue()
    page.goto(f"{server.url}/train?lang=en&data=own&epochs=3&batch=8")
    page.locator("input[type=file]").set_input_files({"name": "mine.zip", "mimeType": "application/zip", "buffer": zipped(entries)})
    expect(page.get_by_text("40 pictures in 2 classes are ready")).to_be_visible()
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("The run is complete.")).to_be_visible(timeout=180_000)
    page.reload()
    expect(page.get_by_text("The run is complete.")).to_be_visible()
    stranger = browser.new_context(locale="en-US").new_page()
    stranger.goto(page.url)
    expect(stranger.get_by_text("no longer kept here")).to_be_visible()
    expect(stranger.get_by_text("Drawn again from their codes")).to_have_count(0)
    stranger.context.close()


def test_a_killed_worker_is_said_and_the_run_goes_on(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/{LONG.format(seed=51)}")
    start(page)
    page.wait_for_timeout(2500)
    workers = [each for each in psutil.Process(server.pid).children(recursive=True) if each.is_running()]
    for each in workers:
        each.cpu_percent()
    page.wait_for_timeout(700)
    os.kill(max(workers, key=lambda each: each.cpu_percent()).pid, signal.SIGKILL)
    expect(page.get_by_text("goes on from")).to_be_visible()
    expect(page.get_by_text(re.compile("Epoch .* of 500"))).to_be_visible(timeout=90_000)
    stop(page)


def test_a_deep_link_on_a_fresh_server_opens_within_the_frame(page: Page, tmp_path: Path) -> None:
    with serving(tmp_path / "log.txt") as fresh:
        page.goto(f"{fresh.url}/train?lang=en&code=12")
        expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
        expect(page.get_by_role("spinbutton", name="Code size")).to_have_value("12")
        expect(page.get_by_text("Learn", exact=True)).to_be_visible()
    assert "Traceback" not in (tmp_path / "log.txt").read_text()


@pytest.mark.parametrize("slug", ["", "train", "compare", "denoise", "shelf"])
def test_nothing_sticks_out_on_a_phone(browser: Browser, server: Server, slug: str) -> None:
    context = browser.new_context(viewport={"width": 400, "height": 800}, locale="pt-BR", color_scheme="dark")
    page = context.new_page()
    page.goto(f"{server.url}/{slug}")
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=20_000)
    page.wait_for_timeout(1500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    context.close()
