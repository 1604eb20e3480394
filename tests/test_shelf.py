"""The shelf: shipped models for all, own ones for their owner alone, and one sentence for whatever is not a model."""

import io
import json
import pickle
import re
import tomllib
import zipfile
from dataclasses import replace
from functools import cache as once
from html import escape
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from streamlit.testing.v1 import AppTest

from aecore import recipes, weights
from aecore.data import DATASETS, Images
from aecore.jobs import Order, View
from aecore.models import Autoencoder, build
from aecore.training import Finished, Plan, Training
from aecore.weights import Card
from pages.ui import cache, i18n, shelf, shelf_card, state
from tests.serving import ROOT, Server
from tests.synthetic import blobs, zipped
from tests.test_browser import settled

HOSTILE_WORDS = "<img src=x onerror=alert(1)> **bold** [link](http://p.example) $x$ :material/home:"


@once
def learnt() -> tuple[Autoencoder, Card]:
    """A tiny model, trained on spots the size of digits and said to be of digits."""
    data = blobs((1, 28, 28), train=40, test=10)
    plan = Plan(epochs=1, batch=16)
    model = build("undercomplete", data.shape, code=3, depth=0)
    ended = next(event for event in Training(model, data, plan).events() if isinstance(event, Finished))
    return model, weights.card_for(model, "tiny-spots", "digits", plan, ended)


@once
def pair() -> tuple[bytes, bytes]:
    """The two files of the tiny model."""
    return weights.pack(*learnt())


def changed(**fields: object) -> bytes:
    """The tiny model's card, some of its fields changed."""
    return json.dumps(json.loads(pair()[1]) | fields).encode()


def legacy_pt() -> bytes:
    return pickle.dumps({"encoder.weight": [1.0]})


def modern_pt() -> bytes:
    file = io.BytesIO()
    torch.save(learnt()[0].state_dict(), file)
    return file.getvalue()


def opened(**query: str) -> AppTest:
    """The Shelf as a new visitor sees it."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params.update({"lang": "en"} | query)
    app.run()
    app.switch_page("pages/shelf.py").run()
    assert not app.exception
    return app


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    app.file_uploader[0].set_value([(name, content, "application/octet-stream") for name, content in files]).run()
    assert not app.exception
    return app


def html(app: AppTest) -> str:
    return " ".join(each.proto.body for each in app.get("html"))


def own(app: AppTest) -> dict[str, shelf.Model]:
    return shelf.own(app.session_state["visitor"])


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_every_shipped_model_has_its_card(language: str) -> None:
    app = opened(lang=language)
    assert {f"open-{name}" for name in weights.shipped()} <= {each.key for each in app.button}
    assert len(app.get("image")) >= len(weights.shipped())
    assert all(each.proto.imgs[0].alt for each in app.get("image"))


@pytest.mark.parametrize("name", weights.shipped())
def test_a_link_opens_one_model_in_full(name: str) -> None:
    app = opened(model=name)
    card = weights.load(name)[1]
    words = html(app)
    assert all(each in words for each in (name, card.sha256, card.created, escape(card.source)))
    assert "nats per pixel" in words and not app.warning
    recipe = next(each.value for each in app.code if each.language == "toml")
    assert recipes.parse(tomllib.loads(recipe)).variant == card.variant


@pytest.mark.parametrize("name", ["nothing", "../../etc/passwd", "own-0123456789ab", "<b>x</b> ![y](http://p.example)", "x" * 5000])
def test_a_bad_link_gets_a_sentence_and_all_models(name: str) -> None:
    app = opened(model=name)
    assert len(app.warning) == 1 and "There is no model called" in app.warning[0].value
    assert len(app.warning[0].value) < 300 and "<b>" not in app.warning[0].value
    assert [each for each in app.button if each.key == f"open-{weights.shipped()[0]}"]


def test_open_and_back() -> None:
    name = weights.shipped()[0]
    app = opened()
    app.button(key=f"open-{name}").click().run()
    assert app.query_params["model"] == name and name in html(app)
    app.button(key="all").click().run()
    assert "model" not in app.query_params
    assert app.button(key=f"open-{name}")


@pytest.mark.parametrize("files", ["two", "zip"])
def test_an_own_model_is_taken_shown_and_taken_off(files: str) -> None:
    tensors, card = pair()
    two = (("tiny.safetensors", tensors), ("tiny.json", card))
    app = upload(opened(), *(two if files == "two" else [("tiny.zip", shelf.whole(*learnt()))]))
    assert not app.error
    (name,) = own(app)
    assert app.query_params["model"] == name
    assert "tiny-spots" in html(app)
    recipe = next(each.value for each in app.code if each.language == "toml")
    assert recipes.parse(tomllib.loads(recipe)).plan == Plan(epochs=1, batch=16)

    app.button(key="all").click().run()
    assert app.button(key=f"open-{name}")
    assert not app.file_uploader[0].value, "the uploader begins anew"
    app.button(key=f"open-{name}").click().run()
    app.button(key=f"remove-{name}").click().run()
    assert own(app) == {}
    assert f"open-{name}" not in {each.key for each in app.button}


def test_a_stranger_sees_nothing_of_an_own_model() -> None:
    app = upload(opened(), ("tiny.zip", shelf.whole(*learnt())))
    (name,) = own(app)
    stranger = opened(model=name)
    assert "There is no model called" in stranger.warning[0].value
    assert f"open-{name}" not in {each.key for each in stranger.button}
    assert "tiny-spots" not in html(stranger)


BAD = {
    "pickle": (lambda: [("model.pt", modern_pt())], "This is a pickle"),
    "old pickle": (lambda: [("model.pt", legacy_pt())], "This is a pickle"),
    "pickle called safetensors": (lambda: [("a.safetensors", modern_pt()), ("a.json", pair()[1])], "This is a pickle"),
    "changed digest": (lambda: [("a.safetensors", pair()[0]), ("a.json", changed(sha256="0" * 64))], "not the ones that the card describes"),
    "card alone": (lambda: [("a.json", pair()[1])], "The weights are missing"),
    "weights alone": (lambda: [("a.safetensors", pair()[0])], "The card is missing"),
    "two models": (lambda: [("a.safetensors", pair()[0]), ("b.safetensors", pair()[0]), ("a.json", pair()[1])], "One model at a time"),
    "cut short": (lambda: [("a.safetensors", pair()[0][:-100]), ("a.json", pair()[1])], "not the ones that the card describes"),
    "empty": (lambda: [("a.safetensors", b""), ("a.json", pair()[1])], "not the ones that the card describes"),
    "card of 100 kB": (lambda: [("a.safetensors", pair()[0]), ("a.json", b" " * 100_000)], "more than 64 kB"),
    "card with a wrong field": (lambda: [("a.safetensors", pair()[0]), ("a.json", changed(licence=3))], "field licence"),
    "card of a huge model": (lambda: [("a.safetensors", pair()[0]), ("a.json", changed(shape=[3, 512, 512], knobs={"code": 2048}))], "million parameters"),
    "no ZIP": (lambda: [("a.zip", b"nothing")], "is not a ZIP of one model"),
    "ZIP that reaches outside": (lambda: [("a.zip", zipped({"../a.json": pair()[1], "../a.safetensors": pair()[0]}))], "is not a ZIP of one model"),
    "bomb": (lambda: [("a.zip", zipped({"a.json": b"\0" * 60_000_000}))], "is not a ZIP of one model"),
    "small bombs": (lambda: [("a.zip", zipped({f"{n}.json": b"\0" * 1_000_000 for n in range(50)}))], "is not a ZIP of one model"),
    "ZIP with a large card": (lambda: [("a.zip", zipped({"a.json": b"\0" * 900_000, "a.safetensors": pair()[0]}))], "more than 64 kB"),
    "ZIP of a pickle": (lambda: [("a.zip", zipped({"model.pt": legacy_pt()}))], "is not a ZIP of one model"),
    "Markdown in the name": (lambda: [("![x](http://p.example/a.png)<b>.zip", b"no")], "is not a ZIP of one model"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_gets_one_sentence(case: str) -> None:
    files, sentence = BAD[case]
    app = upload(opened(), *files())
    assert len(app.error) == 1 and sentence in app.error[0].value
    assert "![" not in app.error[0].value and "<b>" not in app.error[0].value
    assert own(app) == {}


def test_a_second_file_completes_the_first() -> None:
    tensors, card = pair()
    app = upload(opened(), ("a.json", card))
    assert app.error
    app = upload(app, ("a.json", card), ("a.safetensors", tensors))
    assert not app.error and len(own(app)) == 1


@pytest.mark.parametrize("data", ["own-" + "0" * 64, HOSTILE_WORDS])
def test_a_model_of_unknown_pictures_is_shown_without_them(data: str) -> None:
    app = upload(opened(), ("a.safetensors", pair()[0]), ("a.json", changed(data=data)))
    assert not app.error
    assert [each for each in app.info if "not on this server" in each.value]
    recipe = next(each.value for each in app.code if each.language == "toml")
    assert tomllib.loads(recipe)["data"] == data
    app.button(key="all").click().run()
    assert not app.exception


def test_text_on_a_card_is_never_acted_on() -> None:
    fields = dict.fromkeys(("data", "licence", "source", "reason"), HOSTILE_WORDS)
    metrics = {"train": {HOSTILE_WORDS: 1.0}, "test": {HOSTILE_WORDS: 2.0}}
    app = upload(
        opened(), ("a.safetensors", pair()[0]), ("a.json", changed(**fields, metrics=metrics, versions={HOSTILE_WORDS: HOSTILE_WORDS}))
    )
    assert not app.error
    assert html(app).count("&lt;img src=x onerror=alert(1)&gt; **bold**") == 7 and "<img" not in html(app)
    spoken = [each.value for kind in (app.markdown, app.caption, app.subheader, app.title) for each in kind]
    assert not [each for each in spoken if "bold" in each]


def test_the_oldest_own_models_go_when_room_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "_kept", {})
    model, card = learnt()
    made = [replace(card, sha256=f"{n:064x}"[::-1]) for n in range(20)]
    names = [shelf.keep("first", model, each) for each in made]
    assert list(shelf.own("first")) == names[: -shelf.MOST_MODELS - 1 : -1]

    one = shelf.OVERHEAD + shelf.size(model)
    monkeypatch.setattr(shelf, "MOST_BYTES", 3 * one)
    shelf.keep("first", model, made[0])
    assert len(shelf.own("first")) == 3
    monkeypatch.setattr(shelf, "MOST_BYTES_IN_ALL", 4 * one)
    shelf.keep("second", model, made[0])
    shelf.keep("second", model, made[1])
    assert (len(shelf.own("first")), len(shelf.own("second"))) == (2, 2)
    shelf.keep("second", model, made[1])
    assert len(shelf.own("second")) == 2, "the same weights again take no second place"


def view(data: str, model: Autoencoder, plan: Plan, ended: Finished) -> View:
    """A finished run that has learnt ``model``."""
    order = Order("undercomplete", model.config.values(), data, plan)
    values = {"id": order.key, "order": order, "status": "finished", "finished": ended, "weights": weights.pack(*learnt())[0]}
    return View(**dict.fromkeys(View.__dataclass_fields__) | values)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("kind", ["digits", "own"])
def test_a_finished_run_is_put_on_the_shelf_with_its_card(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "visitor", lambda: "somebody")
    pictures: Images = blobs((1, 28, 28), train=40, test=10)
    data = "digits" if kind == "digits" else cache.keep_own(pictures)
    model, card = learnt()
    ended = Finished(card.reason, card.steps, card.steps, card.seconds, card.metrics["train"], card.metrics["test"])
    name = shelf.put(view(data, model, Plan(epochs=1, batch=16), ended))
    kept, words = shelf.models("somebody")[name]
    assert words.sha256 == card.sha256 and words.metrics == card.metrics
    assert words.licence == (DATASETS["digits"].licence if kind == "digits" else "Not stated")
    assert torch.equal(kept(pictures.test.float() / 255), model(pictures.test.float() / 255))
    assert name not in shelf.models("somebody else")
    assert set(weights.shipped()) < set(shelf.models("somebody"))


def test_the_recipe_of_a_card_is_the_recipe_of_its_run() -> None:
    for name in weights.shipped():
        card = weights.load(name)[1]
        told = recipes.parse(tomllib.loads(shelf_card.recipe(card)))
        assert told == recipes.read(weights.FOLDER / f"{name}.toml")


def test_train_opens_with_the_settings_of_a_model_whatever_was_set_before(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/train?lang=en&variant=convolutional&code=7&seed=5")
    expect(page.get_by_role("spinbutton", name="Code size")).to_have_value("7")
    page.get_by_text("Look inside", exact=True).click()
    page.locator("a").filter(has_text=re.compile("^Shelf$")).click()
    page.get_by_role("button", name="Open digits-variational").click(timeout=180_000)
    page.get_by_role("button", name="Train with these settings").click()
    expect(page.get_by_role("spinbutton", name="Code size")).to_have_value("20")
    page.wait_for_url("**/train?variant=variational**")
    assert "seed" not in page.url
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_an_own_model_in_the_browser_from_upload_to_downloads(page: Page, browser: Browser, server: Server, tmp_path: Path) -> None:
    tensors, _ = pair()
    page.goto(f"{server.url}/shelf?lang=en")
    expect(page.get_by_role("button", name=f"Open {list(weights.shipped())[-1]}")).to_be_visible(timeout=180_000)
    page.get_by_text("Put a model of your own here").click()
    send = page.locator("input[type=file]")
    send.set_input_files([{"name": "model.pt", "mimeType": "application/octet-stream", "buffer": modern_pt()}])
    expect(page.get_by_test_id("stAlert").get_by_text("This is a pickle")).to_be_visible()
    page.get_by_role("button", name="Remove model.pt").click()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    card = changed(licence=HOSTILE_WORDS, source="![x](http://p.example/a.png)")
    for name, content in {"tiny-spots.safetensors": tensors, "tiny-spots.json": card}.items():
        (tmp_path / name).write_bytes(content)
    send.set_input_files([tmp_path / "tiny-spots.json", tmp_path / "tiny-spots.safetensors"])
    expect(page.get_by_text(HOSTILE_WORDS)).to_be_visible()
    expect(page.get_by_text("![x](http://p.example/a.png)")).to_be_visible()
    expect(page.get_by_text("Drawn again from 3 numbers each")).to_be_visible()
    settled(page)

    got = {}
    for label in ("Whole model (ZIP)", "Encoder half", "Decoder half", "Card (JSON)"):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=label).click()
        got[label] = waiting.value.path().read_bytes()
    with zipfile.ZipFile(io.BytesIO(got["Whole model (ZIP)"])) as archive:
        archive.extractall(tmp_path / "whole")
    model, read = weights.load(tmp_path / "whole" / "tiny-spots.safetensors")
    assert read.licence == HOSTILE_WORDS
    x = torch.rand(2, 1, 28, 28)
    halves = [weights.load_half(got[label], got["Card (JSON)"]) for label in ("Encoder half", "Decoder half")]
    assert torch.equal(halves[1](halves[0](x)), model.decoder(model.encoder(x)))

    page.reload()
    expect(page.get_by_text(HOSTILE_WORDS)).to_be_visible()
    stranger = browser.new_context(locale="en-US").new_page()
    stranger.goto(page.url)
    expect(stranger.get_by_text("There is no model called")).to_be_visible()
    expect(stranger.get_by_text("Your own", exact=True)).to_have_count(0)
    stranger.context.close()
    assert server.alive()


@pytest.mark.parametrize("path", ["shelf", "shelf?model=faces-64-convolutional"])
def test_the_shelf_fits_a_phone(browser: Browser, server: Server, path: str) -> None:
    context = browser.new_context(viewport={"width": 400, "height": 800}, locale="pt-BR", color_scheme="dark")
    page = context.new_page()
    page.goto(f"{server.url}/{path}")
    expect(page.get_by_test_id("stImage").or_(page.locator(".strip img")).first).to_be_visible(timeout=90_000)
    page.wait_for_timeout(1000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    context.close()
