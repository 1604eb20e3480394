"""Denoise in a browser: a sample mended without a click, own pictures in and out, refusals, cancelling."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.serving import Server
from tests.test_browser import huge_png, settled


def picture(side: int, kind: str, frames: int = 1) -> bytes:
    """A smooth picture with some noise, as a file."""
    rng = np.random.default_rng(1)
    across = np.linspace(40, 200, side)[None, :, None] * np.ones((side, 1, 3))
    sheets = [Image.fromarray((across + rng.normal(0, 20, across.shape)).clip(0, 255).astype(np.uint8)) for _ in range(frames)]
    file = io.BytesIO()
    sheets[0].save(file, kind, **({"save_all": True, "append_images": sheets[1:]} if frames > 1 else {}))
    return file.getvalue()


def decibels(page: Page, label: str) -> float:
    metric = page.get_by_test_id("stMetric").filter(has_text=label)
    expect(metric).to_be_visible(timeout=60_000)
    found = re.search(r"([\d.]+) dB", metric.inner_text())
    assert found
    return float(found[1])


def upload(page: Page, server: Server, name: str, content: bytes) -> None:
    page.goto(f"{server.url}/denoise?lang=en&picture=own&task=blind")
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": content})


def test_a_sample_is_mended_without_a_click_and_judged(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/denoise?lang=en&picture=cat")
    before, after = decibels(page, "Noisy (PSNR)"), decibels(page, "Mended (PSNR)")
    assert after > before + 6
    expect(page.get_by_role("slider", name="Move the border between noisy and mended")).to_be_visible()
    page.get_by_text("Beside it: filters that never learnt anything").click()
    rows = page.get_by_role("row")
    expect(rows.filter(has_text="Total variation")).to_be_visible(timeout=60_000)
    expect(rows.filter(has_text="Autoencoder")).to_contain_text("dB")
    page.get_by_role("radio", name="What was removed").click()
    expect(page.get_by_text("detail went too")).to_be_visible()


def test_an_own_picture_comes_back_in_its_format_and_size(page: Page, server: Server) -> None:
    content = picture(120, "JPEG")
    upload(page, server, "mine.jpg", content)
    button = page.get_by_role("button", name="Take the mended picture home")
    expect(button).to_be_visible(timeout=60_000)
    settled(page)
    with page.expect_download() as waiting:
        button.click()
    with Image.open(waiting.value.path()) as mended, Image.open(io.BytesIO(content)) as noisy:
        assert (mended.format, mended.size, mended.mode) == ("JPEG", (120, 120), "RGB")
        a, b = np.asarray(mended, float), np.asarray(noisy, float)
    assert np.diff(a, axis=0).std() < 0.5 * np.diff(b, axis=0).std(), "smoother than it was"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("text.png", b"hello", "not a picture"),
        ("film.gif", picture(16, "GIF", frames=30), "more than one picture"),
        ("film.webp", picture(16, "WEBP", frames=3), "more than one picture"),
        ("torn.jpg", picture(64, "JPEG")[:600], "damaged"),
        ("huge.png", huge_png(), "million pixels"),
    ],
    ids=["text", "gif", "webp", "torn", "huge"],
)
def test_a_bad_picture_gets_a_sentence_and_the_server_lives(page: Page, server: Server, name: str, content: bytes, sentence: str) -> None:
    upload(page, server, name, content)
    expect(page.get_by_test_id("stAlert").get_by_text(sentence)).to_be_visible(timeout=30_000)
    assert server.alive()


def test_a_large_picture_can_be_cancelled(page: Page, server: Server) -> None:
    file = io.BytesIO()
    Image.new("RGB", (4000, 3000), (90, 120, 200)).save(file, "PNG")
    upload(page, server, "large.png", file.getvalue())
    button = page.get_by_role("button", name="Cancel", exact=True)
    expect(button).to_be_visible(timeout=30_000)
    button.click()
    expect(page.get_by_text("Cancelled. Change a setting, or begin again.")).to_be_visible(timeout=3_000)
    expect(page.get_by_role("button", name="Begin again")).to_be_visible()


def test_two_tabs_of_a_visitor_mend_two_pictures(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/denoise?lang=en&picture=rocket")
    rocket = decibels(page, "Noisy (PSNR)")
    other = page.context.new_page()
    other.goto(f"{server.url}/denoise?lang=en&picture=rocket&amount=0.8")
    assert decibels(other, "Noisy (PSNR)") < rocket - 5
    page.get_by_role("radio", name="What was removed").click()
    expect(page.get_by_text("detail went too")).to_be_visible()
    assert decibels(page, "Noisy (PSNR)") == rocket
