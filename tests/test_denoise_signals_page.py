"""Sound and series on Denoise: what is drawn, and in a browser a sample mended, own files in and out, refusals, learning from one file."""

import base64
import io
import re
import struct
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image
from playwright.sync_api import Page, expect

from aecore.signals import samples
from pages.ui import learning, spectra
from tests.serving import Server
from tests.test_browser import settled
from tests.test_pages import opened


def test_a_tone_is_bright_at_its_pitch() -> None:
    time = np.arange(8000) / 8000
    found = spectra.spectrogram(np.sin(2 * np.pi * 1000 * time)[None], 8000)
    assert (found.top, found.seconds) == (4.0, 1.0)
    brightest = (found.power.mean(1).argmax() + 0.5) / len(found.power) * found.top
    assert brightest == pytest.approx(1.0, abs=0.06)


def test_a_spectrogram_is_a_small_picture_whatever_the_length() -> None:
    noise = np.random.default_rng(1).normal(size=(2, 2_000_000))
    found = spectra.spectrogram(noise, 48_000)
    address = spectra.address(found, spectra.loudest(found))
    assert len(address) < 60_000
    with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as picture:
        assert picture.size == (spectra.COLUMNS, spectra.ROWS)


@pytest.mark.parametrize("length", [1, 3, 100])
def test_short_sounds_have_a_picture_too(length: int) -> None:
    found = spectra.spectrogram(np.ones((1, length)), 8000)
    assert np.isfinite(found.power).all()
    assert spectra.address(found, spectra.loudest(found)).startswith("data:image/png")


def test_a_lone_spike_survives_being_drawn_with_fewer_points() -> None:
    values = np.zeros(100_000)
    values[61_803] = 1
    kept = spectra.thinned(values, 400)
    assert len(kept) <= 400
    assert 61_803 in kept
    assert spectra.outline(values[None])[1].max() == 1


def test_learning_shows_itself_and_ends_when_nobody_wants_it() -> None:
    seen: list[tuple[float, Any]] = []
    values = torch.randn(1, 1000, generator=torch.Generator().manual_seed(1))
    output, losses = learning.learn(values, lambda done, glimpse=None: seen.append((done, glimpse)), lambda: len(seen) > 1)
    assert (output, losses) == (None, ())
    assert len(seen) == 2
    done, look = seen[-1]
    assert 0 < done < 1
    assert len(look.losses) >= 2
    assert look.output.shape == look.noisy.shape == look.places.shape == (learning.CLOSE,)
    assert torch.equal(torch.from_numpy(look.noisy), values[0, torch.from_numpy(look.places)])


@pytest.mark.parametrize(("part", "words"), [("sound", "som"), ("series", "tempo")])
def test_a_part_opens_by_its_link_in_portuguese(part: str, words: str) -> None:
    app = opened("denoise", lang="pt_BR", part=part)
    assert not app.exception
    assert any(words in each.value for each in app.markdown)
    assert app.query_params["part"] == part


def test_a_bad_part_is_said_and_pictures_are_shown() -> None:
    app = opened("denoise", lang="en", part="smell")
    assert not app.exception
    assert any("pictures, sound, series" in each.value for each in app.warning)


def wav(seconds: float, rate: int = 8000, channels: int = 1, subtype: str = "PCM_16") -> bytes:
    """A low tone with noise."""
    count = int(rate * seconds)
    tone = 0.3 * np.sin(2 * np.pi * 200 * np.arange(count) / rate)[:, None] * np.ones(channels)
    file = io.BytesIO()
    noise = np.random.default_rng(1).normal(0, 0.1, tone.shape)
    soundfile.write(file, tone + noise, rate, subtype=subtype, format="WAV")
    return file.getvalue()


def three_hours() -> bytes:
    """A short WAV that says it lasts three hours."""
    content = bytearray(wav(1))
    place = content.index(b"data") + 4
    content[place : place + 4] = struct.pack("<I", 3 * 3600 * 8000 * 2)
    return bytes(content)


def table(rows: int) -> bytes:
    """A clock, a wave with noise, a text, and a wave to be left alone, under a name that would fetch a picture."""
    rng = np.random.default_rng(1)
    numbers = [f"{row * 0.01:.2f};{np.sin(row / 20) + rng.normal(0, 0.3):.3f};a{row};{np.cos(row / 9):.3f}" for row in range(rows)]
    lines = ["time;![x](http://pictures.example/a.png);note;other", *(each.replace(".", ",") for each in numbers), ""]
    return "\r\n".join(lines).encode()


def decibels(page: Page, label: str) -> float:
    metric = page.get_by_test_id("stMetric").filter(has_text=label)
    expect(metric).to_be_visible(timeout=180_000)
    found = re.search(r"(-?[\d.]+) dB", metric.inner_text())
    assert found
    return float(found[1])


def upload(page: Page, server: Server, query: str, name: str, content: bytes) -> None:
    page.goto(f"{server.url}/denoise?lang=en&task=blind&{query}")
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": content})


def downloaded(page: Page, name: str) -> bytes:
    button = page.get_by_role("button", name=name)
    expect(button).to_be_visible(timeout=180_000)
    settled(page)
    with page.expect_download() as waiting:
        button.click()
    return waiting.value.path().read_bytes()


def roughness(values: np.ndarray) -> float:
    return float(np.diff(values, axis=0).std())


def test_a_sound_is_mended_without_a_click_seen_heard_and_judged(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/denoise?lang=en&part=sound")
    before, after = decibels(page, "Noisy (SI-SDR)"), decibels(page, "Mended (SI-SDR)")
    assert before == pytest.approx(5, abs=0.3)
    assert after > before + 4
    expect(page.locator("audio")).to_have_count(4)
    expect(page.get_by_test_id("stVegaLiteChart").locator("svg, canvas")).to_have_count(4)
    page.get_by_role("radio", name="Wave", exact=True).click()
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(4)
    page.get_by_role("slider", name="Strength").focus()
    page.keyboard.press("Home")
    expect(page.get_by_test_id("stMetric").filter(has_text="Mended (SI-SDR)")).to_contain_text(f"{before:.1f} dB")
    page.get_by_text("Beside it: filters that never learnt anything").click()
    expect(page.get_by_role("row").filter(has_text="Autoencoder")).to_contain_text("dB", timeout=180_000)


def test_an_own_sound_comes_back_in_its_rate_channels_and_format(page: Page, server: Server) -> None:
    content = wav(2, 22_050, 2, "PCM_24")
    upload(page, server, "part=sound&sound=own", "mine.wav", content)
    mended = soundfile.SoundFile(io.BytesIO(downloaded(page, "Take the mended sound home")))
    noisy = soundfile.SoundFile(io.BytesIO(content))
    assert (mended.samplerate, mended.channels, mended.subtype, mended.frames) == (22_050, 2, "PCM_24", noisy.frames)
    assert roughness(mended.read()) < 0.6 * roughness(noisy.read()), "smoother than it was"


def test_a_series_comes_back_with_only_the_chosen_column_changed(page: Page, server: Server) -> None:
    content = table(900)
    upload(page, server, "part=series&series=own", "mine.csv", content)
    expect(page.get_by_role("button", name="Take the mended series home")).to_be_visible(timeout=180_000)
    page.get_by_role("button", name="Remove other").click()
    before, after = content.decode().splitlines(), downloaded(page, "Take the mended series home").decode().splitlines()
    assert before[0] == after[0]
    cells = [[line.split(";") for line in lines[1:]] for lines in (before, after)]
    assert [(row[0], row[2], row[3]) for row in cells[0]] == [(row[0], row[2], row[3]) for row in cells[1]]
    noisy, mended = (np.array([float(row[1].replace(",", ".")) for row in each]) for each in cells)
    assert roughness(mended) < 0.6 * roughness(noisy)


def test_the_ecg_sample_is_mended_and_can_be_looked_at_closely(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/denoise?lang=en&part=series")
    assert decibels(page, "Mended (SI-SDR)") > decibels(page, "Noisy (SI-SDR)") + 3
    page.get_by_role("radio", name="4 ×").click()
    expect(page.get_by_role("slider", name="Part")).to_be_visible()
    assert "sample" in samples.ecg().columns


@pytest.mark.parametrize(
    ("query", "name", "content", "sentence"),
    [
        ("part=sound&sound=own", "text.wav", b"hello", "not a WAV sound"),
        ("part=sound&sound=own", "empty.wav", wav(0), "no sound in it"),
        ("part=sound&sound=own", "long.wav", three_hours(), "more than 15 minutes"),
        ("part=series&series=own", "words.csv", b"name,town\nana,recife\nbia,natal\n", "no column of numbers"),
        ("part=series&series=own", "picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0", "not a table of text"),
        ("part=series&series=own", "empty.csv", b"\n", "no column of numbers"),
    ],
    ids=["text", "empty", "three hours", "words", "picture", "empty table"],
)
def test_a_bad_file_gets_a_sentence_and_the_server_lives(
    page: Page, server: Server, query: str, name: str, content: bytes, sentence: str
) -> None:
    upload(page, server, query, name, content)
    expect(page.get_by_test_id("stAlert").get_by_text(sentence)).to_be_visible(timeout=90_000)
    assert server.alive()


def test_learning_from_a_file_alone_is_shown_live_and_can_be_cancelled(page: Page, server: Server) -> None:
    upload(page, server, "part=sound&sound=own&way=alone", "mine.wav", wav(3))
    expect(page.get_by_text(re.compile(r"Learning from this file alone: \d+ %"))).to_be_visible(timeout=90_000)
    words = page.get_by_text(re.compile(r"as the network sees them after step \d+"))
    expect(words).to_be_visible(timeout=90_000)
    first = words.inner_text()
    expect(words).not_to_have_text(first)
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text("Cancelled. Change a setting, or begin again.")).to_be_visible(timeout=3_000)
    page.get_by_role("button", name="Begin again").click()
    expect(words).to_be_visible(timeout=90_000)
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text("Cancelled. Change a setting, or begin again.")).to_be_visible(timeout=3_000)


def test_a_long_sound_can_be_cancelled(page: Page, server: Server) -> None:
    upload(page, server, "part=sound&sound=own", "long.wav", wav(90, 48_000, subtype="PCM_U8"))
    button = page.get_by_role("button", name="Cancel", exact=True)
    expect(button).to_be_visible(timeout=90_000)
    button.click()
    expect(page.get_by_text("Cancelled. Change a setting, or begin again.")).to_be_visible(timeout=3_000)
