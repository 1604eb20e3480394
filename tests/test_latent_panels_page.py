"""What a code is worth, as the page measures and tells it: sentences, charts, files, and bad input."""

import csv
import io
import re
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from streamlit.testing.v1 import AppTest

from aecore import latent
from aecore.data import Images
from aecore.jobs.errands import Cancelled
from aecore.latent import Figure
from aecore.models import build
from aecore.refusal import Refused
from pages.ui import anomalies, cache, compared, i18n, latent_choice, lies, measuring, mending
from pages.ui.compared import Measure
from pages.ui.latent_choice import Chosen
from tests.serving import Server
from tests.synthetic import blobs

EN, PT = i18n.translator("en"), i18n.translator("pt_BR")
SHARE, ERROR = Measure("share", "Accuracy", percent=True), Measure("error", "Error", more=False)


def ways(code: tuple[float, ...], pca: tuple[float, ...]) -> dict[str, Figure]:
    return {"pixels": Figure((0.5,) * len(code)), "pca": Figure(pca), "code": Figure(code)}


@pytest.mark.parametrize(
    ("measure", "code", "pca", "words"),
    [
        (SHARE, (0.90, 0.92), (0.80, 0.82), ["better than PCA, 91.0 % against 81.0 %", "no spread to judge"]),
        (SHARE, (0.90, 0.92), (0.80, 0.83), ["better", "difference of 9.5 percentage points exceeds", "(0.71)"]),
        (SHARE, (0.70, 0.72), (0.80, 0.83), ["worse than PCA, 71.0 % against 81.5 %", "10.5 percentage points exceeds"]),
        (SHARE, (0.80, 0.90), (0.81, 0.85), ["better", "2.0 percentage points lies within its spread", "(4.2)", "does not decide"]),
        (ERROR, (0.010, 0.012), (0.030, 0.020), ["better than PCA, 0.0110 against 0.0250", "0.014 exceeds"]),
        (ERROR, (0.030, 0.020), (0.010, 0.012), ["worse than PCA, 0.0250 against 0.0110", "0.014 exceeds"]),
        (SHARE, (0.5, 0.5), (0.5, 0.5), ["come out the same, 50.0 %."]),
    ],
)
def test_the_sentence_says_what_came_out_also_when_the_code_loses(
    measure: Measure, code: tuple[float, ...], pca: tuple[float, ...], words: list[str]
) -> None:
    said = compared.verdict("Accuracy", measure, ways(code, pca), EN)
    for each in words:
        assert each in said
    assert "worse" not in said or "better" not in said


def test_the_sentence_is_judged_seed_by_seed() -> None:
    """Both vary much, but always together: the code is better by the same amount each time."""
    code, pca = (0.2, 0.5, 0.901), (0.1, 0.4, 0.8)
    assert Figure(code).spread > 0.3
    assert "exceeds" in compared.verdict("Accuracy", SHARE, ways(code, pca), EN)
    assert "10,0 pontos percentuais supera" in compared.verdict("Accuracy", SHARE, ways(code, pca), PT)


def test_charts_show_means_and_spreads_with_labelled_axes() -> None:
    found = ways((0.8, 0.9), (0.7, 0.7))
    chart = compared.bars(found, SHARE, PT)
    bar = chart.data[0]
    assert list(bar.x) == ["Pixels", "PCA", "Código"]
    assert list(bar.y) == pytest.approx([50, 70, 85])
    assert list(bar.error_y.array) == pytest.approx([0, 0, 100 * Figure((0.8, 0.9)).spread])
    assert chart.layout.yaxis.title.text == "Acurácia (%)"
    chart = compared.lines({1: found, 100: found}, Measure("seconds", "Seconds to train", 3), EN)
    assert [each.name for each in chart.data] == ["Pixels", "PCA", "Code"]
    assert list(chart.data[2].x) == [1, 100]
    assert list(chart.data[2].y) == pytest.approx([0.85, 0.85])
    assert (chart.layout.xaxis.title.text, chart.layout.yaxis.title.text) == ("Labels per class", "Seconds to train")
    assert chart.layout.xaxis.type == chart.layout.yaxis.type == "log"


def test_a_file_holds_every_seed() -> None:
    rows = list(csv.reader(io.StringIO(compared.table(("way", "seed", "value"), [("pca", 0, 0.1), ("pca", 1, 1 / 3)]).decode())))
    assert rows[0] == ["way", "seed", "value"]
    assert float(rows[2][2]) == 1 / 3


def test_an_answer_is_kept_for_all_and_the_oldest_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "_answers", {})
    monkeypatch.setattr(measuring, "MOST_KEPT", 2)
    told: list[float] = []

    def asked(name: str) -> measuring.Question:
        return measuring.Question("test", name, lambda progress: (progress(0.5), name)[1], lambda found, t: None)

    for name in ("a", "b", "c"):
        assert asked(name).work(lambda done, glimpse=None: told.append(done), lambda: False) == name
    assert list(measuring._answers) == ["test-b", "test-c"]
    assert told == [0.5] * 3
    with pytest.raises(Cancelled):
        asked("d").work(lambda done, glimpse=None: None, lambda: True)
    assert "test-d" not in measuring._answers


@pytest.mark.parametrize("method", lies.MAPS)
@pytest.mark.parametrize("count", [40, 120, 1500])
def test_three_maps_are_asked_for_that_the_points_allow(method: str, count: int) -> None:
    seeds, reaches = (lies.asked(method, change, count) for change in lies.CHANGES)
    assert [each.seed for each in seeds] == [0, 1, 2]
    assert {each.start for each in seeds} == {"random"}
    assert len(set(reaches)) == 3
    assert all(latent.needed(each) <= count for each in reaches)
    if count == 1500:
        assert [each.perplexity if method == "t-sne" else each.neighbours for each in reaches] == [5, 30, 100]


def test_maps_of_one_line_agree_and_noise_does_not() -> None:
    line = torch.linspace(0, 1, 60)[:, None] * torch.ones(60, 5)
    told: list[float] = []
    found = lies.find(line, "t-sne", "reach", told.append)
    noise = lies.find(torch.randn(60, 50, generator=torch.Generator().manual_seed(0)), "t-sne", "reach", lambda done: None)
    assert told == sorted(told) and told[-1] == 1
    assert [each.points.shape for each in found.maps] == [(60, 2)] * 3
    assert found.kept > noise.kept + 0.1
    assert min(each.true.trustworthiness for each in found.maps) > 0.9 > max(each.true.trustworthiness for each in noise.maps)


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (torch.full((60, 3), torch.nan), "not numbers"),
        (torch.ones(60, 3), "same code"),
        (torch.randn(6, 3), "at least"),
        (torch.randn(1, 3), "two"),
    ],
)
def test_codes_without_a_map_are_refused(codes: torch.Tensor, words: str) -> None:
    for change in lies.CHANGES:
        with pytest.raises(Refused, match=words):
            lies.find(codes, "t-sne", change, lambda done: None)


def test_a_strangers_class_is_only_a_name() -> None:
    assert "<img" not in lies.legend({"<img src=x onerror=alert(1)>": "#000000"})
    chart = lies.scatter(np.zeros((2, 2), np.float32), ["a", "b"], ["#000000", "#ffffff"], EN)
    assert chart.layout.xaxis.title.text and chart.layout.yaxis.title.text
    assert chart.layout.yaxis.scaleanchor == "x"


def test_the_strangest_pictures_are_those_that_come_back_worst() -> None:
    data = blobs()
    flat = Images(data.train, data.train_labels, data.test.clone(), data.test_labels, data.classes)
    flat.test[:5] = 255 - flat.test[:5]  # light becomes dark: nobody has ever seen that
    told: list[float] = []
    measured = latent.anomaly(flat, 1, "undercomplete", {"code": 2, "width": 16}, progress=told.append)
    assert told[-1] == 1 and told == sorted(told)
    assert measured.left_out == 1 and measured.drawn.shape == (10, 1, 12, 12)
    errors = (flat.test[measured.worst].float() / 255 - measured.drawn).square().flatten(1).mean(1)
    assert (errors.diff() <= 0).all(), "worst first"
    assert set(measured.worst[:5].tolist()) == set(range(5))
    chart = anomalies.roc(measured, EN)
    assert chart.data[0].x[0] == 0 and chart.data[0].y[-1] == 100
    assert chart.layout.xaxis.title.text == "False alarms (%)"


def test_a_class_that_is_all_there_is_cannot_be_left_out() -> None:
    data = blobs()
    one = Images(data.train, data.train_labels * 0, data.test, data.test_labels * 0, ("all",))
    with pytest.raises(Refused, match="leave a class out"):
        latent.anomaly(one, 0, "undercomplete", {})


def chosen(data: Images | None = None, spoil: bool = False) -> Chosen:
    """An untrained model of three values, or one that has gone astray, and all test pictures of ``data``."""
    data = data or blobs(test=120)
    model = build("undercomplete", data.shape, seed=0, code=3)
    if spoil:
        with torch.no_grad():
            next(model.parameters()).fill_(torch.nan)
    codes = model.eval().encode(data.test.float() / 255).detach()
    name = f"{len(data.test)}-{len(data.test_labels.unique())}-{spoil}"
    known = replace(cache.model(latent_choice.START)[1], sha256=name, variant="undercomplete")
    count = len(data.test)
    return Chosen(
        name=name,
        model=model,
        card=known,
        source=name,
        data=data,
        part="test",
        rows=torch.arange(count),
        count=count,
        draw=0,
        images=data.test,
        labels=data.test_labels,
        codes=codes,
        errors=torch.zeros(count),
        fingerprint=name,
    )


def drawn(part: str, found: object, language: str) -> None:
    """The script of a page with one open panel."""
    import importlib

    from pages.ui import i18n

    module, name = part.split(".")
    getattr(importlib.import_module(f"pages.ui.{module}"), name)(found, i18n.translator(language))


@pytest.fixture(autouse=True)
def own_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest puts its script in the place of the program's main file, and processes started later would run it."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


def measured(part: str, found: Chosen, language: str = "en") -> AppTest:
    """Open a panel, press its button, wait for the answer."""
    app = AppTest.from_function(drawn, default_timeout=60, args=(part, found, language)).run()
    assert not app.exception
    if app.button:
        assert [each.label for each in app.button] == ["Measure" if language == "en" else "Medir"]
        app.button[0].click().run()
    owners = mending.lines()[1]._errands
    for _ in range(600):
        if all(each.status not in mending.UNDER_WAY for each in owners.values()):
            break
        time.sleep(0.05)
    return app.run()


def said(app: AppTest) -> str:
    return "\n".join(each.value for each in (*app.markdown, *app.error, *app.info, *app.caption))


@pytest.mark.parametrize(
    ("part", "language", "words"),
    [
        ("worth._reduction", "en", r"\*\*Neighbours kept\*\*: the code does (better|worse) than PCA, [\d.]+ % against [\d.]+ %"),
        ("worth._apart", "en", r"\*\*Linear probe accuracy\*\*: the code"),
        ("worth._noise", "pt_BR", r"\*\*Deslocamento pelo ruído\*\*: o código se sai (melhor|pior) que a PCA, 0,\d+ contra 0,\d+"),
        ("worth._downstream", "en", r"\*\*Accuracy with 10 labels per class\*\*: the code"),
        ("anomalies._draw", "en", r"\*\*Chance that a stranger comes back worse \(AUC\)\*\*: the code"),
        ("lies._draw", "en", r"Of the 12 nearest neighbours of a picture on one of these maps, \d+ %"),
    ],
)
def test_a_panel_is_measured_on_a_press_and_then_known_to_all(part: str, language: str, words: str) -> None:
    app = measured(part, chosen(), language)
    assert not app.exception
    assert re.search(words, said(app)), said(app)
    assert not app.error
    again = AppTest.from_function(drawn, default_timeout=60, args=(part, chosen(), language)).run()
    assert re.search(words, said(again)), "another visitor finds it done"
    assert not [each for each in again.button if each.label in ("Measure", "Medir")]


def one_class() -> Images:
    data = blobs(test=60)
    return Images(data.train, data.train_labels * 0, data.test, data.test_labels * 0, ("all",))


@pytest.mark.parametrize(
    ("part", "data", "words"),
    [
        ("worth._apart", one_class(), "of one class, or have no label"),
        ("worth._downstream", one_class(), "of one class, or have no label"),
        ("anomalies._draw", one_class(), "there must be pictures of it, and of others"),
        ("worth._noise", one_class(), "Moved by noise"),
        ("worth._reduction", blobs(test=20), "Neighbourhoods of 12 need more than 24 pictures"),
        ("worth._apart", blobs(test=4), "To judge 2 classes takes at least 6 pictures"),
        ("lies._draw", blobs(test=8), "needs at least"),
    ],
)
def test_bad_input_gets_a_sentence(part: str, data: Images, words: str) -> None:
    app = measured(part, chosen(data))
    assert not app.exception
    assert words in said(app)
    assert "Something went wrong" not in said(app)


@pytest.mark.parametrize("part", ["worth._reduction", "worth._apart", "worth._noise", "worth._downstream", "lies._draw"])
def test_codes_that_are_no_numbers_get_a_sentence(part: str) -> None:
    app = measured(part, chosen(spoil=True))
    assert not app.exception
    assert [each.value for each in app.error if "training went astray" in each.value]


def test_the_section_is_closed_and_computes_nothing_until_asked() -> None:
    app = AppTest.from_function(drawn, default_timeout=60, args=("worth.section", chosen(), "en")).run()
    assert not app.exception
    assert not app.button
    assert [each.label for each in app.expander][-1].startswith("Explain")
    assert len(app.expander) == 5
    assert "Trustworthiness" in app.expander[4].markdown[0].value


def opened(page: Page, server: Server, title: str, query: str = "lang=en") -> Locator:
    """A panel of the page, opened."""
    page.goto(f"{server.url}/latent?{query}")
    panel = page.get_by_test_id("stExpander").filter(has=page.locator("summary", has_text=title))
    expect(panel).to_be_visible(timeout=180_000)
    panel.locator("summary").click()
    return panel


def in_view(page: Page, locator: Callable[[], Locator]) -> None:
    box = locator().bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= page.viewport_size["width"] + 1


def test_a_claim_is_measured_in_the_browser_and_taken_home(page: Page, server: Server) -> None:
    panel = opened(page, server, "Fewer dimensions")
    panel.get_by_role("button", name="Measure").click()
    expect(panel.get_by_text("the code does worse than PCA, 74.2 % against 79.5 %")).to_be_visible(timeout=180_000)
    expect(panel.locator(".js-plotly-plot")).to_have_count(4)
    with page.expect_download() as waiting:
        panel.get_by_role("button", name="Figures of every seed (CSV)").click()
    rows = list(csv.DictReader(waiting.value.path().read_text().splitlines()))
    assert len(rows) == 4 * 3 * 5
    kept = [float(each["value"]) for each in rows if (each["measure"], each["way"]) == ("overlap", "code")]
    assert f"{100 * np.mean(kept):.1f}" == "74.2"


def test_a_claim_is_told_in_portuguese_on_a_phone(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 400, "height": 900})
    panel = opened(page, server, "O treino que vem depois", "lang=pt_BR")
    panel.get_by_role("button", name="Medir").click()
    expect(panel.get_by_text("Acurácia com 10 rótulos por classe")).to_be_visible(timeout=180_000)
    expect(panel.locator(".js-plotly-plot")).to_have_count(2)
    in_view(page, lambda: panel.locator(".js-plotly-plot").first)


def test_anomalies_show_progress_and_can_be_cancelled(page: Page, server: Server) -> None:
    panel = opened(page, server, "Anomalies")
    panel.get_by_role("button", name="Measure").click()
    expect(panel.get_by_text(re.compile(r"Measuring: [1-9]\d* %"))).to_be_visible(timeout=90_000)
    panel.get_by_role("button", name="Cancel", exact=True).click()
    expect(panel.get_by_text("Cancelled. Change a setting, or begin again.")).to_be_visible(timeout=3_000)
