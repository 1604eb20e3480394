"""Latent space: what is chosen, drawn and touched; in a browser what visitors do, and how fast it answers."""

import csv
import io
import re
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
import torch
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from aecore import inspect, latent
from aecore.inspect.judgement import AT_ONCE
from aecore.jobs.errands import Cancelled
from aecore.latent import Projection
from aecore.training import Plan
from pages.ui import atlas, cache, latent_choice, latent_map, latent_time, latent_walk, mending
from pages.ui.i18n import translator
from pages.ui.latent_choice import Asked, Chosen
from tests.serving import Server
from tests.synthetic import blobs, zipped
from tests.test_browser import settled
from tests.test_pages import opened

NAME = "digits-undercomplete"
BUSY = 8  # times slower than they should be, this many at most, on a machine that does other things


def asked(count: int = 300) -> Asked:
    model, card = cache.model(NAME)
    return Asked(NAME, model, card, "digits", "test", latent.sample(2_000, count, 0), 0)


def chosen(count: int = 300) -> Chosen:
    return latent_choice.encoded(asked(count))


@pytest.fixture
def closed() -> Any:
    """Lines of errands that end with the test."""
    yield
    mending.close()


def test_codes_are_those_of_the_chosen_pictures_and_found_once() -> None:
    found, data = chosen(), cache.data("digits")
    assert torch.equal(found.images, data.test[found.rows]) and torch.equal(found.labels, data.test_labels[found.rows])
    assert torch.allclose(found.codes, inspect.encode(found.model, found.images), atol=1e-4) and found.count == 2_000
    x = found.images[:5].float() / 255
    with torch.no_grad():
        assert torch.allclose(found.errors[:5], (found.model(x) - x).square().mean((1, 2, 3)), atol=1e-6)
    assert chosen() is found and chosen(200).fingerprint != found.fingerprint


def test_encoding_tells_how_far_it_is_and_stops() -> None:
    seen: list[float] = []
    latent_choice.work(asked(AT_ONCE + 1))(lambda done, glimpse=None: seen.append(done), lambda: False)
    assert seen == [pytest.approx(AT_ONCE / (AT_ONCE + 1)), 1.0]
    with pytest.raises(Cancelled):
        latent_choice.work(asked(AT_ONCE + 2))(lambda done, glimpse=None: None, lambda: True)


def test_the_sheet_holds_every_picture() -> None:
    found = chosen()
    sheet = atlas.sheet_of(found)
    picture = np.asarray(Image.open(io.BytesIO(sheet.content)))
    row, column = divmod(123, sheet.across)
    assert (picture[28 * row : 28 * row + 28, 28 * column : 28 * column + 28] == found.images[123, 0].numpy()).all()
    assert sheet.mimetype == "image/png" and atlas.sheet_of(found) is sheet


TOUCH = {"pictures": "p", "key": "m"}


@pytest.mark.parametrize(
    ("touch", "rows", "at"),
    [
        ({"kind": "point", "row": 3}, [3], [0, 0]),
        ({"kind": "group", "rows": [4, 2, 2]}, [2, 4], [0, 0]),
        ({"kind": "place", "at": [0.5, -1]}, [], [0.5, -1]),
    ],
)
def test_a_touch_is_read(touch: dict[str, object], rows: list[int], at: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {"map": {"touch": {**touch, **TOUCH}}})
    found = atlas.touched("map", "p", "m", 5, 2)
    assert found and found.rows.tolist() == rows and found.at[0].tolist() == at


@pytest.mark.parametrize(
    "touch",
    [
        None,
        "point",
        {},
        {"kind": "point", "row": 5},
        {"kind": "point", "row": -1},
        {"kind": "point", "row": "x"},
        {"kind": "point", "row": 1e400},
        {"kind": "group", "rows": []},
        {"kind": "group", "rows": [1, 99]},
        {"kind": "group", "rows": 7},
        {"kind": "place", "at": [1]},
        {"kind": "place", "at": [float("nan"), 0]},
        {"kind": "place", "at": "ab"},
        {"kind": "place", "at": [0, 0], "key": "another map"},
        {"kind": "point", "row": 1, "pictures": "others"},
        {"kind": "<script>"},
    ],
)
def test_a_bad_touch_is_none(touch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {"map": {"touch": TOUCH | touch if isinstance(touch, dict) else touch}})
    assert atlas.touched("map", "p", "m", 5, 2) is None


def test_the_walk_moves_and_begins_and_ends_at_its_ends() -> None:
    found = chosen()
    steps = latent.decode(found.model, latent.linear(found.codes[0], found.codes[1], latent_walk.STEPS))
    assert torch.allclose(steps[[0, -1]], latent.decode(found.model, found.codes[:2]), atol=1e-5)
    address = latent_walk.animation((steps * 255).byte().numpy())
    assert address.startswith("data:image/webp;base64,") and len(address) < 200_000


def test_a_map_grows_while_a_model_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latent_time, "PLAN", Plan(epochs=2, batch=64))
    data, found = blobs((1, 28, 28)), chosen()
    small = replace(found, data=data, images=data.test, labels=data.test_labels, codes=found.codes[:40])
    seen: list[float] = []
    grown = latent_time.work(small)(lambda done, glimpse=None: seen.append(done), lambda: False)
    assert grown.steps[0] == 0 and list(grown.steps) == sorted(set(grown.steps)) and len(grown.points) == len(grown.steps) > 3
    assert grown.points.shape[1:] == (40, 2) and seen[-1] == 1.0
    assert not torch.allclose(grown.points[0], grown.points[-1], atol=0.1)
    with pytest.raises(Cancelled):
        latent_time.work(small)(lambda done, glimpse=None: None, lambda: True)


def test_columns_begin_with_the_colour() -> None:
    found, t = chosen(), translator("pt_BR")
    for colour, first in (("class", "Classe"), ("error", "Erro (MSE)"), ("value", "Valor 3 do código")):
        columns = latent_map.columns(found, latent_map.Look(Projection(), colour, 3), t)
        assert columns[0].name == first and all(len(each.words()) == len(found.codes) for each in columns)
    alone = replace(found, labels=torch.zeros_like(found.labels))
    assert [each.name for each in latent_map.columns(alone, latent_map.Look(Projection(), "class", 0), t)] == ["Erro (MSE)"]


BAD = {
    "not numbers": lambda codes: torch.full_like(codes, float("nan")),
    "the same code": lambda codes: torch.ones_like(codes),
    "at least two pictures": lambda codes: codes[:1],
}


@pytest.mark.parametrize("sentence", BAD)
def test_codes_that_make_no_map_get_a_sentence(sentence: str, closed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    found = chosen()
    bad = replace(found, codes=BAD[sentence](found.codes), fingerprint=sentence)
    monkeypatch.setattr(latent_choice, "encoded", lambda *_: bad)
    app = opened("latent", lang="en")
    assert not app.exception and [each for each in app.error if sentence in each.value]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"points": "2", "dims": "3"}, "at least 3 pictures"),
        ({"weights": "faces-64-convolutional", "method": "code", "first": "40"}, "there is no value 40"),
        ({"method": "t-sne", "dims": "3"}, "takes minutes"),
    ],
)
def test_a_map_that_cannot_be_is_refused(query: dict[str, str], sentence: str, closed: None) -> None:
    app = opened("latent", lang="en", **query)
    for _ in range(50):
        if app.error or app.warning or app.exception:
            break
        time.sleep(0.1)
        app.run()
    assert not app.exception and [each for each in (*app.error, *app.warning) if sentence in each.value]


@pytest.mark.parametrize(
    ("name", "value"), [("weights", "../x"), ("pictures", "own-x"), ("points", "1"), ("method", "som"), ("dims", "4"), ("colour", "<b>")]
)
def test_a_bad_link_gives_a_sentence_and_the_default(name: str, value: str, closed: None) -> None:
    app = opened("latent", **{"lang": "en", name: value})
    assert not app.exception and [each for each in app.warning if "The link asked for something else" in each.value]


def test_a_link_opens_what_its_sender_saw(closed: None) -> None:
    app = opened(
        "latent", lang="en", weights="digits-variational", method="code", first="3", colour="value", value="5", points="500", draw="7"
    )
    assert app.selectbox(key="knob-weights").value == "digits-variational" and app.number_input(key="knob-first").value == 3
    assert [each.value for each in app.caption if "Drawn at random from 2,000, with seed 7" in each.value]


def canvas(page: Page) -> Any:
    found = page.locator("canvas.points").first
    expect(found).to_be_visible(timeout=180_000)
    page.wait_for_function("c => c.atlas.frames > 0", arg=found.element_handle())
    settled(page)
    return found


def spot(page: Page, row: int) -> tuple[float, float]:
    """Where a point of the map is on the screen."""
    found = canvas(page)
    box = found.bounding_box()
    assert box
    x, y = found.evaluate("(c, row) => c.atlas.at(row)", row)
    return box["x"] + x, box["y"] + y


def test_hover_click_lasso_and_walk(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/latent?lang=en&points=400")
    row = 20
    x, y = spot(page, row)
    page.mouse.move(x, y)
    card = page.locator(".card").first
    expect(card).to_be_visible()
    shown = int(card.locator("canvas").get_attribute("data-row") or -1)
    pixels = card.locator("canvas").evaluate("c => [...c.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, k) => k % 4 === 0)")
    data = cache.data("digits")
    rows = latent.sample(2_000, 400, 0)
    assert pixels == data.test[rows[shown], 0].flatten().tolist() and f"Class: {data.test_labels[rows[shown]]}" in card.inner_text()
    page.mouse.click(x, y)
    expect(page.get_by_text(re.compile(r"Picture \d+, class \d; beside it"))).to_be_visible()
    settled(page)
    page.get_by_role("button", name="A", exact=True).click()
    expect(page.get_by_text(re.compile(r"From A \(Picture \d+, class \d\) to B"))).to_be_visible()
    box = page.locator("canvas.points").first.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] - 12, box["y"] + box["height"] - 30)
    expect(page.get_by_text("Nobody lives here. This is what the decoder draws")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="B", exact=True).click()
    expect(page.get_by_text(re.compile(r"to B \(A place where nobody lives\)"))).to_be_visible()
    settled(page)
    corners = [(8, 45), (box["width"] - 8, 45), (box["width"] - 8, box["height"] - 8), (8, box["height"] - 8), (8, 60)]
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + corners[0][0], box["y"] + corners[0][1])
    page.mouse.down()
    for right, down in corners[1:]:
        page.mouse.move(box["x"] + right, box["y"] + down, steps=3)
    began = time.perf_counter()
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page.get_by_text("Mean of the pictures; beside it, drawn from the mean of their codes")).to_be_visible()
    assert time.perf_counter() - began < 0.5 * BUSY
    expect(page.get_by_text(re.compile(r"(3\d\d|400) pictures, \d+ % of class"))).to_be_visible()
    settled(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Selection (CSV)").click()
    lines = list(csv.reader(waiting.value.path().read_text().splitlines()))
    assert lines[0][:5] == ["position", "Class", "Error (MSE)", "x", "y"] and 300 <= len(lines) - 1 <= 400
    page.locator(".legend button").filter(has_text="4").first.click()
    expect(page.get_by_text(re.compile(r"\d+ pictures, 100 % of class 4"))).to_be_visible()


def test_a_new_colour_sends_no_pictures_again(page: Page, server: Server) -> None:
    media: list[str] = []
    frames: list[int] = []
    page.on("response", lambda answer: media.append(answer.url) if re.search(r"[^c]/media/", answer.url) else None)
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(len(frame))))
    page.goto(f"{server.url}/latent?lang=en")
    canvas(page)
    page.wait_for_timeout(500)
    sent = set(media)
    before, told = len(media), len(frames)
    page.get_by_role("radio", name="Error", exact=True).click()
    expect(page.locator(".legend .ramp").first).to_be_visible()
    settled(page)
    again = [page.request.get(each) for each in media[before:]]
    assert all(each.url in sent and len(each.body()) < 1_000 for each in again)  # the wordmark, which is Streamlit's
    assert any(len(page.request.get(each).body()) > 100_000 for each in sent) and sum(frames[told:]) < 150_000


def test_ten_thousand_points_stay_fluid(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/latent?lang=en&part=train&points=10000&dims=3")
    found = canvas(page)
    figures = found.evaluate(
        """async (c) => {
      const box = c.getBoundingClientRect(), at = (kind, x, more) => new PointerEvent(kind, { pointerId: 1, clientX: box.x + x, clientY: box.y + 250, ...more });
      const hover = [];
      for (let k = 0; k < 20; k++) {
        const began = performance.now();
        c.dispatchEvent(at("pointermove", 150 + 8 * k, {}));
        hover.push(performance.now() - began);
      }
      const times = [];
      for (let k = 0; k < 30; k++) {
        c.dispatchEvent(new WheelEvent("wheel", { deltaY: k < 15 ? -20 : 20, clientX: box.x + 200, clientY: box.y + 200, cancelable: true }));
        await new Promise(requestAnimationFrame);
        times.push(performance.now());
      }
      return { rate: 29000 / (times[29] - times[0]), hover: hover.sort((a, b) => a - b)[10] };
    }"""
    )
    assert figures["rate"] > 30 / BUSY and figures["hover"] < 100, figures


def test_keys_and_three_dimensions(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/latent?lang=en&dims=3&points=300")
    found = canvas(page)
    assert "Map of 300 codes in 3 dimensions" in (found.get_attribute("aria-label") or "")
    found.focus()
    before = found.evaluate("c => [c.atlas.yaw, c.atlas.zoom]")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("+")
    after = found.evaluate("c => [c.atlas.yaw, c.atlas.zoom]")
    assert after[0] != before[0] and after[1] > before[1]
    page.keyboard.press("Shift+Enter")
    expect(page.get_by_text("A click has no depth")).to_be_visible()
    page.keyboard.press("Home")
    assert found.evaluate("c => [c.atlas.yaw, c.atlas.zoom]") == before


def test_t_sne_is_drawn_by_an_errand_and_blends(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/latent?lang=en&method=t-sne&points=150&perplexity=5")
    found = canvas(page)
    box = found.bounding_box()
    assert box
    page.mouse.click(box["x"] + 12, box["y"] + box["height"] - 14)
    expect(page.get_by_text("A blend: this map has no formula")).to_be_visible()


def test_what_is_taken_home_opens_elsewhere(page: Page, server: Server, browser: Browser, tmp_path: Path) -> None:
    page.goto(f"{server.url}/latent?lang=en&points=120")
    canvas(page)
    page.get_by_test_id("stExpander").get_by_text("Take it home", exact=True).click()
    files: dict[str, bytes] = {}
    for label in ("Map as a web page (HTML)", "For the Embedding Projector (ZIP)", "Points and codes (CSV)"):
        expect(page.get_by_role("button", name=label)).to_be_visible()
        settled(page)
        with page.expect_download() as waiting:
            page.get_by_role("button", name=label).click()
        files[waiting.value.suggested_filename] = waiting.value.path().read_bytes()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save the map as a picture (PNG)").first.click()
    assert Image.open(io.BytesIO(waiting.value.path().read_bytes())).width > 300
    with zipfile.ZipFile(io.BytesIO(files["projector.zip"])) as archive:
        assert len(archive.read("vectors.tsv").splitlines()) == 120 and len(archive.read("metadata.tsv").splitlines()) == 121
    assert len(files["codes.csv"].splitlines()) == 121
    (tmp_path / "map.html").write_bytes(files["map.html"])
    with browser.new_context(offline=True) as context:
        tab = context.new_page()
        errors: list[str] = []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.goto((tmp_path / "map.html").as_uri())
        expect(tab.locator(".legend button")).to_have_count(10)
        assert errors == []


def test_own_photographs_by_a_convolutional_code(page: Page, server: Server) -> None:
    rng = np.random.default_rng(0)
    photos = {}
    for place in range(40):
        file = io.BytesIO()
        Image.fromarray(rng.integers(0, 255, (60, 80, 3), dtype=np.uint8)).save(file, "JPEG")
        photos[f"{'ab'[place % 2]}/{place}.jpg"] = file.getvalue()
    page.goto(f"{server.url}/latent?lang=en&pictures=own")
    page.get_by_role("button", name="Take the convolutional model").click()
    expect(page.get_by_text("Photographs need a model")).to_have_count(0)
    files: Any = [{"name": "a.zip", "mimeType": "application/zip", "buffer": zipped(photos)}]
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(files)
    canvas(page)
    expect(page.locator(".legend button")).to_have_text(["a", "b"])


def test_a_phone_in_portuguese(browser: Browser, server: Server) -> None:
    with browser.new_context(locale="pt-BR", viewport={"width": 400, "height": 800}, has_touch=True) as context:
        page = context.new_page()
        page.goto(f"{server.url}/latent?points=300")
        found = canvas(page)
        expect(page.get_by_role("heading", name="Espaço latente")).to_be_visible()
        assert "Mapa de 300 códigos" in (found.get_attribute("aria-label") or "")
        found.scroll_into_view_if_needed()
        box = found.bounding_box()
        assert box and box["width"] > 300
        page.touchscreen.tap(box["x"] + box["width"] - 14, box["y"] + 60)
        expect(page.get_by_text("Ninguém mora aqui. Isto é o que o decodificador desenha")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_model_is_sent_here_from_the_shelf(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/shelf?lang=en&model=digits-variational")
    page.get_by_role("link", name="See its codes on a map").click()
    canvas(page)
    expect(page.get_by_text("Its codes have 20 numbers.")).to_be_visible()
