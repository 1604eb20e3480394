"""Compare: what is shown before anything is trained, and how its table fills."""

import re

import pytest
from playwright.sync_api import Page, expect

from aecore import inspect
from aecore.data import load
from aecore.metrics import PCA
from aecore.models import VARIANTS
from aecore.training import measure
from pages.ui import board, i18n
from tests.serving import Server
from tests.test_pages import opened


def test_pca_is_a_linear_autoencoder() -> None:
    data = load("digits")
    model = inspect.pca_model(data, 16)
    x = data.test[:50].float() / 255
    wanted = PCA.fit(data.train, 16).reconstruct(x)
    assert (model(x) - wanted).abs().max() < 1e-4
    assert measure(model, data.test)["mse"] == pytest.approx(inspect.baselines(data, 16, "mse").pca, rel=1e-4)


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_weights_of_every_kind_are_compared_before_anything_is_trained(language: str) -> None:
    app = opened("compare", lang=language)
    t = i18n.translator(language)
    assert not app.exception
    (table,) = app.table
    kinds = list(table.value[t("Kind")])
    assert kinds[:-2] == [t(variant.title) for variant in VARIANTS.values()]
    assert kinds[-2:] == [t(board.LINE), t(board.FLOOR)]
    loss = list(table.value[t("Test loss ({unit})", unit=t("nats per pixel"))])
    assert loss[-1] == t.figure(inspect.baselines(load("digits"), 32, "cross-entropy").floor)
    assert sum(each.startswith("**") for each in loss) == 1, "one is the best"
    assert not any(each.startswith("**") for kind, each in zip(kinds, loss, strict=True) if kind == t("Overcomplete"))


@pytest.mark.parametrize(("name", "value"), [("variants", "all"), ("variants", "sparse,"), ("each-loss", "both"), ("each-epochs", "0")])
def test_a_bad_value_in_a_link_gives_a_sentence_and_the_default(name: str, value: str) -> None:
    app = opened("compare", **{"lang": "en", name: value})
    assert not app.exception
    assert [each for each in app.warning if "The link asked for something else" in each.value]
    assert app.button(key="train-all").label == f"Train all {len(VARIANTS)}"


def test_a_link_chooses_kinds_and_budget() -> None:
    app = opened("compare", lang="en", variants="sparse,undercomplete", **{"each-epochs": "3", "each-loss": "mse"})
    assert not app.exception and not app.warning
    assert app.button(key="train-all").label == "Train all 2"
    assert app.number_input(key="knob-each-epochs").value == 3
    assert "Test loss (squared error)" in app.table[0].value


def test_the_table_fills_and_the_same_again_is_there_at_once(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/compare?lang=en&variants=undercomplete,variational,overcomplete&each-epochs=1&each-seed=7")
    page.get_by_label("Predict: which draws unseen pictures best?").click()
    page.get_by_role("option", name="Variational").click()
    page.get_by_role("button", name="Train all 3").click()
    expect(page.get_by_text("Lowest loss on test pictures")).to_be_visible(timeout=90_000)
    expect(page.get_by_text(re.compile("You guessed right|Your guess was Variational"))).to_be_visible()
    expect(page.get_by_role("button", name="Train all 3")).to_be_disabled()
    row = page.get_by_role("row").filter(has_text="Variational").get_by_role("cell")
    expect(row.nth(5)).to_have_text(re.compile(r"\d\d\.\d"))
    page.reload()
    expect(page.get_by_text("Lowest loss on test pictures")).to_be_visible()
    page.get_by_role("link", name="Variational").click()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    expect(page.get_by_text("Pictures nobody drew").first).to_be_visible()
