"""The pictures of Denoise: batches and their limits, scores, the mismatch table; in a browser what visitors do and what is refused."""

import io
import re
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect

from aecore.jobs.errands import Cancelled
from aecore.metrics import psnr, ssim
from aecore.refusal import Refused
from aecore.training import Plan
from pages.ui import batch, cache, many, mended, mismatch
from pages.ui.i18n import translator
from pages.ui.mended import likeness, mend
from tests.serving import Server
from tests.test_browser import huge_png, settled
from tests.test_denoise import ten_thousand_frames


def picture(side: int, kind: str, frames: int = 1) -> bytes:
    """A smooth picture with some noise, as a file."""
    rng = np.random.default_rng(1)
    across = np.linspace(40, 200, side)[None, :, None] * np.ones((side, 1, 3))
    sheets = [Image.fromarray((across + rng.normal(0, 20, across.shape)).clip(0, 255).astype(np.uint8)) for _ in range(frames)]
    file = io.BytesIO()
    sheets[0].save(file, kind, **({"save_all": True, "append_images": sheets[1:]} if frames > 1 else {}))
    return file.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def ignore(done: float, glimpse: object = None) -> None:
    """Reports that nobody reads."""


BAD = {
    "text.png": (b"hello", "not a picture"),
    "film.gif": (ten_thousand_frames(), "more than one picture"),
    "film.webp": (picture(16, "WEBP", frames=3), "more than one picture"),
    "torn.jpg": (picture(64, "JPEG")[:600], "damaged"),
    "huge.png": (huge_png(), "million pixels"),
}


def test_a_batch_goes_on_after_each_refusal_and_keeps_formats_and_sizes() -> None:
    inside = zipped({"holiday/a.jpg": picture(40, "JPEG"), "a.JPG": picture(24, "JPEG"), "read me.txt": b"no picture"})
    files = [
        ("b.tiff", picture(32, "TIFF")),
        *((name, content) for name, (content, _) in BAD.items()),
        ("c.zip", inside),
        ("d.zip", inside[:90]),
    ]
    seen: list[float] = []
    result = batch.work(files, None, 0)(lambda done, glimpse=None: seen.append(done), lambda: False)
    assert result.count == 9 and seen == sorted(seen) and 0 < seen[-1] <= 1
    for refusal, (name, words) in zip(
        result.refused, [("d.zip", "not a whole ZIP"), *((name, words) for name, (_, words) in BAD.items())], strict=True
    ):
        assert refusal.details["name"] == name and words in str(refusal)
    with zipfile.ZipFile(io.BytesIO(many.packed(result.kept))) as archive:
        found = {name: Image.open(archive.open(name)) for name in archive.namelist()}
    assert {name: (image.format, image.size) for name, image in found.items()} == {
        "b.tif": ("TIFF", (32, 32)),
        "a.jpg": ("JPEG", (40, 40)),
        "a (2).jpg": ("JPEG", (24, 24)),
    }
    assert sum(len(each.file) for each in result.kept) < result.nbytes < 1_000_000


def test_a_telephones_heic_comes_back_upright_and_without_its_place() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif.get_ifd(0x8825)[2] = (48.0, 12.0, 0.0)
    exif[0x010F] = "Secret Camera"
    file = io.BytesIO()
    Image.open(io.BytesIO(picture(48, "PNG"))).crop((0, 0, 48, 31)).save(file, "HEIF", exif=exif)
    files = [("a.heic", file.getvalue()), ("cut.heic", file.getvalue()[:-20]), ("b.zip", zipped({"c.heic": file.getvalue()}))]
    result = batch.work(files, None, 0)(ignore, lambda: False)
    assert [each.name for each in result.kept] == ["a.heic", "c.heic"] and [each.details["name"] for each in result.refused] == ["cut.heic"]
    content = result.kept[0].file
    upright = Image.open(io.BytesIO(file.getvalue()))
    assert b"Secret" in file.getvalue() and b"Secret" not in content
    assert Image.open(io.BytesIO(content)).size == upright.size and Image.open(io.BytesIO(content)).format == "HEIF"


def test_a_cancelled_batch_ends_at_once() -> None:
    files = [("a.png", picture(16, "PNG"))] * 3
    seen: list[int] = []
    with pytest.raises(Cancelled):
        batch.work(files, None, 0)(lambda done, glimpse: seen.append(len(glimpse.kept)), lambda: 1 in seen)
    assert max(seen) == 1


@pytest.mark.parametrize(("limit", "value", "words"), [("MOST_FILES", 2, "at most 2"), ("MOST_BYTES", 1 << 20, "more than 1 MB together")])
def test_a_batch_has_limits(limit: str, value: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, limit, value)
    with pytest.raises(Refused, match=words):
        many.gather([("a.zip", zipped({f"{place}.png": bytes(400_000) for place in range(3)}))])


def test_pictures_beyond_the_pixels_of_a_batch_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MOST_PIXELS", 1500)
    result = batch.work([(f"{side}.png", picture(side, "PNG")) for side in (32, 40, 16)], None, 0)(ignore, lambda: False)
    assert [each.name for each in result.kept] == ["32.png", "16.png"]
    assert "40.png was left out" in str(result.refused[0])


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("cão, 1.jpeg", "cão_ 1.png"),
        ("..", "picture.png"),
        ("a:b|c.gif", "a_b_c.png"),
        ("x.y.jpg", "x_y.png"),
        ("NEW.png", "NEW (2).png"),
    ],
)
def test_names_in_the_zip_are_safe_and_unique(name: str, safe: str) -> None:
    assert many.safe_name(name, "PNG", ["new.png"]) == safe


def test_a_strangers_file_name_is_no_markup() -> None:
    kept = batch.Kept("<img src=x>.png", b"", b"", b"", (1, 1), 0.1, (20.0, 30.0), False)
    words = batch._figure(kept, translator("pt_BR"))
    assert "<img src=x>" not in words and "&lt;img src=x&gt;" in words and "20,0 → 30,0 dB" in words


def test_similarity_piece_by_piece_is_that_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = torch.Generator().manual_seed(0)
    clean = torch.rand(3, 300, 520, generator=rng)
    noisy = (clean + 0.2 * torch.randn(clean.shape, generator=rng)).clamp(0, 1)
    assert likeness(noisy, clean) == pytest.approx(ssim(noisy, clean), abs=1e-9)
    monkeypatch.setattr(mended, "MOST_PIECES", 3)
    assert 0 < abs(likeness(noisy, clean) - ssim(noisy, clean)) < 5e-3
    assert likeness(clean[:, :5, :7], clean[:, :5, :7]) == pytest.approx(1)


def test_a_mended_picture_knows_its_worth_and_its_weight() -> None:
    clean = torch.linspace(0.2, 0.8, 96).expand(3, 80, 96).contiguous()
    result = mend(clean, None, "gaussian", 0.33, False, ignore, lambda: False)
    before, after = result.score(0), result.score(1)
    assert before.psnr == pytest.approx(psnr(result.noisy, clean)) and after.psnr > before.psnr + 8 and after.ssim > before.ssim
    assert before.psnr < result.score(0.5).psnr < after.psnr
    assert result.nbytes == 3 * clean.numel() * 4
    rows = result.beside
    assert rows["eight looks"].psnr > rows["autoencoder"].psnr
    assert rows["autoencoder"].psnr > rows["median"].psnr > rows["noisy"].psnr
    assert rows["noisy"].seconds is None and all(each.seconds for name, each in rows.items() if name != "noisy")
    with pytest.raises(Cancelled):
        mend(clean, None, None, 0, False, ignore, lambda: True)


def test_whoever_cancels_twelve_megapixels_waits_less_than_a_second() -> None:
    """Between two looks at whether it is still wanted: noise found, colour by colour, then tile by tile. Seconds of this thread's own work."""
    mended.model()
    picture = torch.rand(3, 3000, 4000)
    looked = [time.thread_time()]

    def stopped() -> bool:
        looked.append(time.thread_time())
        return len(looked) > 8

    with pytest.raises(Cancelled):
        mend(picture, None, None, 0, False, ignore, stopped)
    assert np.diff(looked).max() < 1


@pytest.fixture
def few_digits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The mismatch table on 1,000 digits in a brief plan, and nothing learnt."""
    every = cache.data("digits")
    few = replace(
        every, train=every.train[:1000], train_labels=every.train_labels[:1000], test=every.test[:300], test_labels=every.test_labels[:300]
    )
    monkeypatch.setattr(mismatch, "PLAN", Plan(epochs=3, batch=64, rate=5e-3))
    monkeypatch.setattr(cache, "data", lambda name: few)
    monkeypatch.setattr(mismatch, "_learnt", {})
    yield


def test_each_noise_is_undone_best_by_who_was_taught_on_it_or_about(few_digits: None) -> None:
    seen: list[int] = []
    rows = mismatch.learn(lambda done, glimpse=None: seen.append(len(glimpse or ())), lambda: False)
    assert [each.taught for each in rows] == [*mismatch.KINDS, "all"] and seen == sorted(seen) and seen[-1] == 5
    table = np.array([each.psnr for each in rows])
    assert (np.diag(table) > table[:5].mean(0) + 0.1).all(), "whoever was taught on it is above the average"
    assert table[5].min() > table[:5].min() and all(each.seconds > 0 for each in rows)


def test_what_was_learnt_before_a_cancellation_is_kept(few_digits: None) -> None:
    rows: list[int] = []
    with pytest.raises(Cancelled):
        mismatch.learn(lambda done, glimpse=None: rows.append(len(glimpse or ())), lambda: 2 in rows)
    assert list(mismatch._learnt) == list(mismatch.KINDS[:2])


def decibels(page: Page) -> tuple[float, float]:
    """Before and after."""
    metric = page.get_by_test_id("stMetric").filter(has_text="PSNR")
    expect(metric).to_be_visible(timeout=180_000)
    found = re.search(r"([\d.]+) → ([\d.]+) dB", metric.inner_text())
    assert found
    return float(found[1]), float(found[2])


def upload(page: Page, server: Server, files: dict[str, bytes]) -> None:
    page.goto(f"{server.url}/denoise?lang=en&picture=own&task=blind")
    sent = [{"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files.items()]
    page.locator("input[type=file]").set_input_files(sent)  # type: ignore[arg-type]


def test_a_sample_is_mended_without_a_click_and_judged(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/denoise?lang=en&picture=cat")
    before, after = decibels(page)
    assert after > before + 6
    expect(page.get_by_test_id("stMetric").filter(has_text="SSIM")).to_contain_text(re.compile(r"0\.\d{3} → 0\.\d{3}"))
    expect(page.get_by_role("slider", name="Move the border between noisy and mended")).to_be_visible()
    page.get_by_text("Beside it: filters that never learnt anything").click()
    rows = page.get_by_role("row")
    expect(rows.filter(has_text="Total variation")).to_be_visible(timeout=180_000)
    expect(rows.filter(has_text="Autoencoder")).to_have_count(2)
    expect(rows.filter(has_text="eight looks")).to_contain_text(re.compile(r"dB.*0\.\d{3}.* s"))
    page.get_by_role("radio", name="What was removed").click()
    expect(page.get_by_text("detail went too")).to_be_visible()


def test_eight_looks_make_it_cleaner_and_are_in_the_link(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/denoise?lang=en&picture=cat")
    _, once = decibels(page)
    page.get_by_test_id("stCheckbox").get_by_text("Look eight times").click()
    page.wait_for_url(re.compile("careful=true"))
    metric = page.get_by_test_id("stMetric").filter(has_text="PSNR")
    expect(metric).not_to_contain_text(f"→ {once:.2f} dB", timeout=180_000)
    assert decibels(page)[1] > once + 0.05


def test_an_own_picture_comes_back_in_its_format_and_size(page: Page, server: Server) -> None:
    content = picture(120, "JPEG")
    upload(page, server, {"mine.jpg": content})
    button = page.get_by_role("button", name="Take the mended picture home")
    expect(button).to_be_visible(timeout=180_000)
    settled(page)
    with page.expect_download() as waiting:
        button.click()
    with Image.open(waiting.value.path()) as mended, Image.open(io.BytesIO(content)) as noisy:
        assert (mended.format, mended.size, mended.mode) == ("JPEG", (120, 120), "RGB")
        a, b = np.asarray(mended, float), np.asarray(noisy, float)
    assert np.diff(a, axis=0).std() < 0.5 * np.diff(b, axis=0).std(), "smoother than it was"


@pytest.mark.parametrize("name", BAD)
def test_a_bad_picture_gets_a_sentence_and_a_good_one_still_works(page: Page, server: Server, name: str) -> None:
    content, sentence = BAD[name]
    upload(page, server, {name: content})
    expect(page.get_by_test_id("stAlert").get_by_text(sentence)).to_be_visible(timeout=90_000)
    upload(page, server, {"good.png": picture(40, "PNG")})
    expect(page.get_by_role("button", name="Take the mended picture home")).to_be_visible(timeout=180_000)
    assert server.alive()


def test_a_batch_comes_back_as_a_zip_and_says_what_was_refused(page: Page, server: Server) -> None:
    upload(
        page,
        server,
        {name: content for name, (content, _) in BAD.items()} | {"good.jpg": picture(40, "JPEG"), "more.webp": picture(48, "WEBP")},
    )
    expect(page.get_by_text("2 of 7 pictures are mended.")).to_be_visible(timeout=180_000)
    for name, (_, sentence) in BAD.items():
        expect(page.get_by_test_id("stAlert").get_by_role("listitem").filter(has_text=name)).to_contain_text(sentence)
    expect(page.get_by_role("img", name="mended")).to_have_count(2)
    settled(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Take all of them home (ZIP)").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        assert archive.namelist() == ["good.jpg", "more.webp"] and archive.testzip() is None
        assert Image.open(archive.open("more.webp")).size == (48, 48)


def test_odd_pictures_come_back_with_their_size_mode_and_alpha(page: Page, server: Server) -> None:
    rng = np.random.default_rng(2)
    sent = {
        "black.png": Image.new("RGB", (40, 30)),
        "white.bmp": Image.new("RGB", (30, 40), "white"),
        "flat.png": Image.new("L", (33, 21), 90),
        "dot.png": Image.new("RGB", (1, 1), (3, 99, 200)),
        "strip.png": Image.fromarray(rng.integers(0, 256, (3, 5000, 3), dtype=np.uint8)),
        "fine.tiff": Image.fromarray(rng.integers(0, 65536, (50, 60), dtype=np.uint16)),
        "glass.png": Image.fromarray(rng.integers(0, 256, (50, 60, 4), dtype=np.uint8)),
        "mist.webp": Image.fromarray(rng.integers(0, 256, (50, 60, 4), dtype=np.uint8)),
    }
    files = {}
    for name, image in sent.items():
        file = io.BytesIO()
        image.save(file, Image.registered_extensions()[f".{name.partition('.')[2]}"])
        files[name] = file.getvalue()
    upload(page, server, files)
    expect(page.get_by_text("8 of 8 pictures are mended.")).to_be_visible(timeout=180_000)
    settled(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Take all of them home (ZIP)").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        found = {name: Image.open(io.BytesIO(archive.read(name.replace(".tiff", ".tif")))) for name in sent}
    assert {name: (each.size, each.mode) for name, each in found.items()} == {name: (each.size, each.mode) for name, each in sent.items()}
    for name in ("glass.png", "mist.webp"):
        assert np.array_equal(np.asarray(found[name].getchannel("A")), np.asarray(sent[name].getchannel("A")))
    for name in ("black.png", "white.bmp", "flat.png"):
        assert np.abs(np.asarray(found[name], float) - np.asarray(sent[name], float)).max() <= 2


def test_the_camera_is_not_asked_for_before_it_is_chosen(page: Page, server: Server) -> None:
    page.add_init_script(
        "window.asked = 0; Object.defineProperty(navigator, 'mediaDevices', {value: {"
        "enumerateDevices: async () => [], getUserMedia: async () => { window.asked += 1; throw new DOMException('', 'NotFoundError'); }}});"
    )
    page.goto(f"{server.url}/denoise?lang=en&picture=own")
    expect(page.get_by_text("Choose a picture on the left, or several.")).to_be_visible(timeout=90_000)
    assert page.evaluate("window.asked") == 0
    page.get_by_role("combobox", name="Picture").click()
    page.get_by_role("option", name="My camera").click()
    expect(page.get_by_text("Take a picture on the left.")).to_be_visible()
    page.wait_for_function("window.asked > 0")


def test_the_lectures_digits_are_mended_at_any_level(page: Page, server: Server) -> None:
    def error(label: str) -> float:
        metric = page.get_by_test_id("stMetric").filter(has_text=label)
        expect(metric).to_be_visible()
        return float(metric.get_by_test_id("stMetricValue").inner_text())

    page.goto(f"{server.url}/denoise?lang=en&picture=digits&digit-noise=0.8")
    expect(page.get_by_role("img", name="Mended")).to_be_visible()
    strong = error("Error before")
    assert error("Error after") < strong / 3
    page.goto(f"{server.url}/denoise?lang=en&picture=digits")
    expect(page.get_by_role("link", name="Train this one yourself")).to_have_attribute("href", re.compile("variant=denoising.*code=64"))
    assert error("Error before") < strong


def test_damaged_letters_are_mended_and_every_part_is_a_click_away(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/denoise?lang=en&picture=digits")
    page.get_by_role("radio", name="Text", exact=True).click()
    page.wait_for_url(re.compile("part=text"))
    words = page.get_by_text(re.compile(r"Letters that are wrong: .* after mending"))
    expect(words).to_be_visible(timeout=180_000)
    before, after = (float(each) for each in re.findall(r"([\d.]+) %", words.inner_text()))
    assert after < before
    page.get_by_role("textbox", name="Sentence to mend").fill("The dogg drnks watr.")
    page.get_by_role("combobox", name="Damage").click()
    page.get_by_role("option", name="None: it is damaged already").click()
    expect(page.get_by_text("Mended:")).to_contain_text("water", timeout=90_000)
    for part in ("Sound", "Series", "Pictures"):
        expect(page.get_by_role("radio", name=part, exact=True)).to_be_visible()


def test_closer_shows_both_sides_of_the_border(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/denoise?lang=en&picture=cat")
    decibels(page)
    settled(page)
    page.get_by_role("radio", name="4 ×").click()
    view = page.locator(".curtain .view")
    view.evaluate("(v) => new Promise((done) => { const look = () => (v.scrollLeft ? done() : requestAnimationFrame(look)); look(); })")
    border = "(v) => v.querySelector('.stage').offsetWidth / 2 - v.scrollLeft - v.clientWidth / 2"
    assert abs(view.evaluate(border)) < 3
    page.get_by_role("radio", name="What was removed").click()
    expect(page.get_by_role("radio", name="4 ×")).to_have_count(0)


def test_a_large_picture_can_be_cancelled(page: Page, server: Server) -> None:
    file = io.BytesIO()
    Image.new("RGB", (4000, 3000), (90, 120, 200)).save(file, "PNG")
    upload(page, server, {"large.png": file.getvalue()})
    button = page.get_by_role("button", name="Cancel", exact=True)
    expect(button).to_be_visible(timeout=90_000)
    button.click()
    expect(page.get_by_text("Cancelled. Change a setting, or begin again.")).to_be_visible(timeout=3_000)
    expect(page.get_by_role("button", name="Begin again")).to_be_visible()


def test_two_tabs_of_a_visitor_mend_two_pictures(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/denoise?lang=en&picture=rocket")
    rocket = decibels(page)
    other = page.context.new_page()
    other.goto(f"{server.url}/denoise?lang=en&picture=rocket&amount=0.8")
    assert decibels(other)[0] < rocket[0] - 5
    page.get_by_role("radio", name="What was removed").click()
    expect(page.get_by_text("detail went too")).to_be_visible()
    assert decibels(page) == rocket
