"""Compress: codecs and their files, damage and refusals, curves and duels, batches; in a browser what visitors do."""

import io
import math
import re
import time
import zipfile
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from aecore import weights
from aecore.codec import container, rivals
from aecore.codec.halves import PhotoDecoder
from aecore.codec.rivals import RIVALS
from aecore.codec.weights import SHIPPED, load_half
from aecore.jobs.errands import Cancelled
from aecore.refusal import Refused
from pages.ui import cache, codecs, curve, domain, duel, halves, many, mending, packed, parcels, rates, unpacking
from pages.ui.i18n import translator
from tests.serving import Server
from tests.synthetic import zipped
from tests.test_browser import settled
from tests.test_pages import opened

PHOTO, DIGITS = (partial(codecs.shipped, name) for name in (codecs.PHOTO, "digits"))


def photograph(width: int = 96, height: int = 80, channels: int = 3) -> torch.Tensor:
    """Smooth shades with a sharp edge, uint8 ``(C, H, W)``."""
    rows, columns = torch.linspace(30, 220, height)[:, None], torch.linspace(0, 30, width)
    picture = (rows + columns).expand(channels, -1, -1).clone()
    picture[:, height // 3 : height // 2, width // 4 : width // 2] = 20
    return picture.round().byte()


def file_of(picture: torch.Tensor, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture.permute(1, 2, 0).numpy()).save(file, kind)
    return file.getvalue()


def report(done: float, glimpse: object = None) -> None:
    """Reports that nobody reads."""


def wanted() -> bool:
    return False


def made(picture: torch.Tensor, codec: codecs.Codec) -> packed.Packed:
    return packed.pack(picture, codec, 50, report, wanted)


@pytest.mark.parametrize("channels", [3, 1])
def test_a_photograph_goes_through_both_halves(channels: int) -> None:
    found = made(photograph(channels=channels), PHOTO())
    assert found.numbers == 256 * 5 * 6 and 0.1 < found.rate < 4
    assert abs(len(found.file) - found.promised / 8) < 40
    result = unpacking.work(found.file, "none", [PHOTO, DIGITS], found)(report, wanted)
    assert result.picture.shape == found.picture.shape and result.score and result.score.psnr > 28
    assert Image.open(io.BytesIO(packed.png(result.picture))).size == (96, 80)
    assert unpacking.work(found.file, "none", [PHOTO], None)(report, wanted).score is None


@pytest.mark.parametrize("codec", [PHOTO, DIGITS])
@pytest.mark.parametrize(
    ("damage", "sentence"),
    [("byte", "has changed"), ("end", "end of this file is missing|has changed"), ("version", "format 2"), ("other", "another model")],
)
def test_each_damage_gets_its_refusal(codec: codecs.Ready, damage: str, sentence: str) -> None:
    found = made(cache.data("digits").test[0], codec())
    with pytest.raises(Refused, match=sentence):
        unpacking.work(found.file, damage, [PHOTO, DIGITS], found)(report, wanted)


@pytest.mark.parametrize("content", [b"", b"a", b"aec", bytes(40), b"aec\x11" + bytes(20)])
@pytest.mark.parametrize("damage", unpacking.DAMAGES)
def test_any_bytes_can_be_damaged_and_are_refused(content: bytes, damage: str) -> None:
    with pytest.raises(Refused):
        unpacking.work(content, damage, [PHOTO, DIGITS], None)(report, wanted)


def test_a_picture_is_made_to_fit_its_codec() -> None:
    digit = cache.data("digits").test[3]
    assert codecs.fitted(digit, (1, 28, 28)) is digit
    assert codecs.fitted(photograph(), (1, 28, 28)).shape == (1, 28, 28)
    assert codecs.fitted(digit, (3, 64, 64)).shape == (3, 64, 64)
    assert codecs.fitted(digit, None) is digit


def test_models_of_the_shelf_are_codecs_where_their_code_is_short() -> None:
    found = codecs.choices("nobody", translator("en"))
    assert "digits-undercomplete" in found and "digits-overcomplete" not in found
    title, ready = found["digits-undercomplete"]
    codec = ready()
    digit = cache.data("digits").test[5]
    result = made(digit, codec)
    assert "·" in title and result.numbers == 32 and len(result.file) < 45
    back = unpacking.work(result.file, "none", [PHOTO, DIGITS, ready], result)(report, wanted)
    assert back.score and back.score.psnr > 14
    with pytest.raises(Refused, match="another model"):
        unpacking.work(result.file, "none", [PHOTO, DIGITS], None)(report, wanted)
    assert set(found) <= {codecs.PHOTO, *codecs.SMALL, *weights.shipped()}


def test_compression_ends_when_it_is_no_longer_wanted() -> None:
    with pytest.raises(Cancelled):
        packed.pack(photograph(), PHOTO(), 50, report, lambda: True)
    with pytest.raises(Cancelled):
        curve.work(photograph)(report, lambda: True)


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_meets_a_number_of_bytes(name: str) -> None:
    rng = np.random.default_rng(0)
    picture = torch.from_numpy((photograph(160, 128).numpy() * 0.8 + rng.integers(0, 50, (3, 128, 160))).astype(np.uint8))
    sizes = [len(RIVALS[name].write(picture, each)) for each in RIVALS[name].steps]
    assert sizes == sorted(sizes)
    for size in (2_000, 6_000):
        found = RIVALS[name].nearest(picture, size)
        assert abs(len(found) / size - 1) < 0.05 and rivals.read(found, 3).shape == picture.shape
    grey = RIVALS[name].nearest(picture[:1], 2_000)
    assert rivals.read(grey, 1).shape == (1, 128, 160)


def test_curves_grow_point_by_point_and_rise() -> None:
    seen: list[int] = []
    found = curve.work(photograph)(lambda done, glimpse: seen.append(len(glimpse.points)), wanted)
    assert seen == list(range(len(found.points))) and found.whole and found.sides == (96, 80)
    for name in (rates.OURS, *RIVALS):
        points = sorted(found.of(name))
        assert len(points) >= 6 and points[-1][1] > points[0][1] + 3
    lines = curve.table(found.points).decode().splitlines()
    assert len(lines) == 1 + len(found.points) and lines[0] == "format,bits per pixel,PSNR in dB"
    table, spec = rates.chart(found.points, translator("pt_BR"))
    assert table.num_rows == len(found.points) + sum(map(len, rivals.PUBLISHED.values()))
    assert set(table["curve"].to_pylist()) >= {*RIVALS, *rivals.PUBLISHED} and len(spec["layer"]) == 3


def test_savings_are_those_of_points_that_rise() -> None:
    theirs = [(0.2, 25.0), (0.4, 30.0), (0.8, 35.0)]
    ours = [(rate / 2, score) for rate, score in theirs]
    assert curve.saving(theirs, ours) == pytest.approx(-50)
    worse = [*ours, (0.41, 35.0), (0.5, 34.0), (0.9, math.inf)]
    assert curve.saving(theirs, worse) == pytest.approx(-50)
    assert math.isnan(curve.saving(theirs, [(0.1, math.inf)])) and math.isnan(curve.saving(theirs, [(0.1, 40.0), (0.2, 50.0)]))


def test_only_the_middle_of_a_large_picture_is_tried_and_none_of_a_small_one() -> None:
    large = torch.zeros(3, 700, 900, dtype=torch.uint8)
    assert curve.middle(large).shape == (3, 640, 640)
    with pytest.raises(Refused, match="28 x 28"):
        curve.middle(torch.zeros(1, 28, 28, dtype=torch.uint8))


def test_a_duel_is_fought_at_equal_bytes() -> None:
    found = duel.work(lambda: photograph(256, 192), 60, "WebP")(report, wanted)
    assert abs(found.theirs.size / found.ours.size - 1) < 0.1
    assert Image.open(io.BytesIO(found.theirs.seen)).size == (256, 192) and found.ours.psnr > 25 < found.theirs.psnr


def test_the_digit_codec_is_short_on_digits_and_wrong_on_photographs() -> None:
    digits, photographs = domain.tried()
    assert digits.ours < 40 < digits.webp < digits.png and digits.psnr > 17.7
    assert photographs.ours < 60 < photographs.webp and photographs.psnr < 13


def test_a_batch_goes_both_ways_and_on_after_each_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = made(photograph(), PHOTO()).file
    files = [
        ("a.png", file_of(photograph())),
        ("b.aec", whole),
        ("cut.aec", whole[:-5]),
        ("text.aec", b"hello"),
        ("text.png", b"hello"),
        ("c.zip", zipped({"in/a.jpg": file_of(photograph(64, 64), "JPEG"), "in/d.aec": whole, "note.txt": b"no"})),
    ]
    seen: list[float] = []
    work = parcels.work(files, PHOTO, 50, [PHOTO, DIGITS])
    result = work(lambda done, glimpse=None: seen.append(done), wanted)
    assert [each.name for each in result.kept] == ["a.aec", "b.png", "a (2).aec", "d.png"]
    assert [name for name, _ in result.refused] == ["cut.aec", "text.aec", "text.png"] and result.count == 7
    sentences = [parcels._words(*each, translator("en")) for each in result.refused]
    assert sentences[0] == "cut.aec: The end of this file is missing. Ask for it again."
    assert "not an .aec file" in sentences[1] and sentences[2].startswith("text.png is not a picture")
    assert seen == sorted(seen)
    with zipfile.ZipFile(io.BytesIO(many.packed(result.kept))) as archive:
        assert container.read(archive.read("a.aec")).width == 96 and Image.open(archive.open("b.png")).size == (96, 80)
    monkeypatch.setattr(parcels, "MOST_PIXELS", 8_000)
    assert len(parcels.work(files, PHOTO, 50, [PHOTO])(report, wanted).kept) == 1
    with pytest.raises(Cancelled):
        work(report, lambda: True)


def test_a_strangers_file_name_is_no_markdown() -> None:
    words = parcels._words("![x](http://a.b)", Refused("This file is bad."), translator("en"))
    assert "![x]" not in words and words.endswith("This file is bad.")


def test_each_half_is_smaller_than_the_whole_and_works_alone() -> None:
    decoder = load_half(halves.file("decoder"))
    assert isinstance(decoder, PhotoDecoder) and len(halves.file("encoder")) < SHIPPED.stat().st_size
    found = made(photograph(), PHOTO())
    picture = decoder.read(found.file)
    assert picture is not None and picture.shape == found.picture.shape


@pytest.fixture
def closed() -> Any:
    """Lines of errands that end with the test."""
    yield
    mending.close()


def finished(app: AppTest, metric: str) -> AppTest:
    """The page once its errands have ended."""
    for _ in range(100):
        if any(each.label == metric for each in app.metric) or app.error:
            return app
        time.sleep(0.1)
        app.run()
    raise AssertionError(f"no {metric}")


def test_a_digit_brings_its_own_codec_and_comes_back(closed: None) -> None:
    app = finished(opened("compress", lang="en", picture="digits", place="7"), "PSNR")
    assert not app.exception and app.selectbox(key="knob-codec").value == "digits"
    size = next(each.value for each in app.metric if each.label == "File")
    assert size.endswith(" B") and float(size[:-2]) < 40
    app.selectbox(key="knob-picture").select("cat").run()
    assert app.selectbox(key="knob-codec").value == "photo"


@pytest.mark.parametrize(("name", "value"), [("codec", "../x"), ("quality", "101"), ("quality", "nan"), ("damage", "fire"), ("place", "0")])
def test_a_bad_link_gives_a_sentence_and_the_default(name: str, value: str, closed: None) -> None:
    app = opened("compress", **{"lang": "en", "picture": "digits", "codec": "photo", name: value})
    assert not app.exception
    assert [each for each in app.warning if "The link asked for something else" in each.value]


def test_a_link_opens_a_refusal(closed: None) -> None:
    app = finished(opened("compress", lang="pt_BR", picture="digits", damage="byte"), "PSNR")
    assert len(app.error) == 1 and not app.exception


def upload(page: Page, label: str, files: dict[str, bytes]) -> None:
    sent = [{"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files.items()]
    page.get_by_test_id("stFileUploader").filter(has_text=label).locator("input[type=file]").set_input_files(sent)  # type: ignore[arg-type]


REFUSALS = {
    "One bit is flipped": "This file has changed since it was written",
    "The end is cut off": "The end of this file is missing",
    "It is of a newer format": "This file is of format",
    "Another decoder gets it": "This file was written by another model",
}


def test_a_file_made_in_one_session_opens_in_another(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/compress?lang=en&picture=own")
    upload(page, "Your picture", {"mine.png": file_of(photograph())})
    button = page.get_by_role("button", name="Take the file home (.aec)")
    expect(button).to_be_visible(timeout=180_000)
    expect(page.get_by_test_id("stMetric").filter(has_text="PSNR")).to_contain_text(re.compile(r"\d\d\.\d\d dB"), timeout=180_000)
    settled(page)
    with page.expect_download() as waiting:
        button.click()
    content = waiting.value.path().read_bytes()
    assert container.read(content).height == 80
    browser = page.context.browser
    assert browser is not None
    with browser.new_context(locale="en-US") as other:
        stranger = other.new_page()
        stranger.goto(f"{server.url}/compress?lang=en&picture=digits&file=own")
        upload(stranger, "An .aec file", {"a.aec": content})
        expect(stranger.get_by_test_id("stMetric").filter(has_text="96 × 80")).to_be_visible(timeout=180_000)
        for damage, sentence in REFUSALS.items():
            stranger.get_by_role("radio", name=damage).or_(stranger.get_by_role("button", name=damage)).click()
            expect(stranger.get_by_test_id("stAlert").filter(has_text=sentence)).to_be_visible(timeout=90_000)


def test_many_files_come_back_as_a_zip(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/compress?lang=en&picture=digits&codec=photo")
    page.get_by_text("Many at once").click()
    upload(page, "or a ZIP of them", {"a.png": file_of(photograph()), "b.aec": made(photograph(), PHOTO()).file, "c.aec": b"hello"})
    expect(page.get_by_text("2 of 3 files are ready.")).to_be_visible(timeout=180_000)
    expect(page.get_by_test_id("stAlert")).to_contain_text("c.aec: This is not an .aec file")
    settled(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Take all of them home (ZIP)").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        assert archive.namelist() == ["a.aec", "b.png"] and archive.testzip() is None


def test_curve_and_duel_appear_when_they_are_asked_for(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/compress?lang=en&picture=own")
    upload(page, "Your picture", {"mine.png": file_of(photograph(160, 128))})
    page.get_by_text("Rate and distortion: this picture").click()
    expect(page.get_by_role("button", name="Points of the curve (CSV)")).to_be_visible(timeout=180_000)
    page.get_by_text("At equal bytes: what each format keeps").click()
    expect(page.get_by_role("slider", name="Move the border between JPEG and ours")).to_be_visible(timeout=180_000)


def test_a_stranger_learns_to_read_and_a_cipher_stays_shut(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/compress?lang=en&picture=digits")
    page.get_by_text("Break it, then lock it").click()
    page.get_by_test_id("stMain").get_by_role("button", name="Learn", exact=True).click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible(timeout=90_000)
    expect(page.get_by_text("What the stranger sees, from 10 known pairs")).to_be_visible(timeout=90_000)
    page.get_by_label("Passphrase", exact=True).fill("correct horse battery")
    page.get_by_test_id("stForm").get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_role("button", name="Download the locked file")).to_be_visible(timeout=90_000)
    page.get_by_label("Passphrase to open it").fill("wrong horse battery")
    page.get_by_test_id("stForm").get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_test_id("stAlert").filter(has_text="The passphrase is wrong, or the file")).to_be_visible(timeout=90_000)
    page.get_by_label("Passphrase to open it").fill("correct horse battery")
    page.get_by_test_id("stForm").get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_test_id("stAlert").filter(has_text="Open: not a bit of it has changed")).to_be_visible(timeout=90_000)
