"""The report of a run: one file that asks for nothing else, in the visitor's language, with nothing in it that acts."""

import base64
import io
import zipfile
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from aecore.inspect import Baselines
from aecore.jobs import Order, View
from aecore.jobs.views import Snapshot
from aecore.models import VARIANTS, find
from aecore.training import Finished, Plan, Reported, Started
from pages.ui import i18n, report, takehome

VOID = {"meta", "img"}
ENDED = Finished(
    "complete", 140, 140, 3.21, {"cross_entropy": 0.11, "mse": 0.01, "psnr": 20.0}, {"cross_entropy": 0.12346, "mse": 0.011, "psnr": 19.6}
)
REPORTS = tuple(
    Reported(70 * n, float(n), 0.1 * n, 1000.0, {"reconstruction": 0.3 / n}, {"reconstruction": 0.4 / n}, True) for n in range(1, 4)
)


def seen(variant: str = "undercomplete", **changes: object) -> View:
    """A finished run as a page sees it."""
    pictures = np.arange(8 * 28 * 28, dtype=np.uint8).reshape(8, 1, 28, 28)
    order = Order(variant, find(variant).model.Config().values(), "digits", Plan(epochs=3))
    snapshot = Snapshot(140, pictures, np.zeros((1, 2), np.float32), np.zeros(1, np.int64))
    nothing = View(**dict.fromkeys(View.__dataclass_fields__))  # type: ignore[arg-type]
    view = replace(nothing, order=order, started=Started("cpu", 1, 50_992, 9000, 0, 210), finished=ENDED, reports=REPORTS)
    return replace(view, **{"snapshot": snapshot, "originals": pictures, **changes})  # type: ignore[arg-type]


class Reader(HTMLParser):
    """Notes each element with its attributes, all text, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID and not (self.get_starttag_text() or "").endswith("/>"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not (self.get_starttag_text() or "").endswith("/>") or (self.open and self.open[-1] == tag):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_report_says_what_the_page_says(variant: str, language: str) -> None:
    t = i18n.translator(language)
    view = seen(variant)
    found = Reader(report.page(view, "http://localhost/train?run=1&lang=en", t))
    name = "cross_entropy" if view.order.knobs["loss"] == "cross-entropy" else "mse"
    for words in (
        t(VARIANTS[variant].title),
        t.figure(ENDED.test[name]),
        t.figure(ENDED.train[name]),
        t.number(50_992),
        VARIANTS[variant].source,
    ):
        assert words in found.text
    for knob in (*find(variant).model.Config.knobs(), *Plan.knobs()):
        assert t(knob.label) in found.text
    assert "{" not in found.text, "a gap was left open"


def test_a_report_asks_for_nothing_else() -> None:
    text = report.page(seen(), "http://localhost/train", i18n.translator("en"))
    found = Reader(text)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in found.elements}
    for tag, attributes in found.elements:
        assert str(attributes.get("src", "data:")).startswith("data:")
        assert tag == "a" or "href" not in attributes
    assert "url(http" not in text and "@import" not in text


def test_nothing_in_a_report_acts() -> None:
    evil = '"><img src=x onerror=alert(1)><script>'
    found = Reader(report.page(seen(), f"http://localhost/?{evil}", i18n.translator("en")))
    assert "script" not in {tag for tag, _ in found.elements}
    assert all(not name.startswith("on") for _, attributes in found.elements for name in attributes)
    assert any(evil in str(value) for _, attributes in found.elements for value in attributes.values())


def test_a_run_stopped_at_once_has_a_report() -> None:
    text = report.page(seen(reports=(), snapshot=None), "", i18n.translator("en"))
    assert "polyline" not in text and "data:image" not in text


def test_own_pictures_are_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report.cache, "baselines", lambda *_: Baselines(0.05, 0.1, 0.2))
    view = seen()
    view = replace(view, order=replace(view.order, data="own-" + "0" * 64))
    assert "My own pictures" in Reader(report.page(view, "", i18n.translator("en"))).text


def test_the_curve_stays_inside_its_axes() -> None:
    worse = [replace(each, validation={"reconstruction": float("nan")}) for each in REPORTS]
    for reports in (REPORTS, worse):
        text = report.curve(reports, Baselines(0.05, 0.12, 0.26), 32, "loss", i18n.translator("pt_BR"))
        assert "nan" not in text and text.count("<polyline") == 4
    assert ">0,1<" in text


@pytest.mark.parametrize(("low", "high"), [(0.0, 2.0), (0.064, 0.262), (0.0, 500.0), (-0.002, 0.067)])
def test_ticks_are_few_round_and_inside(low: float, high: float) -> None:
    found = report.ticks(low, high)
    assert 3 <= len(found) <= 6
    assert low <= found[0] < found[-1] <= high + 1e-9


def test_the_page_gives_script_and_notebook_of_its_run() -> None:
    with zipfile.ZipFile(io.BytesIO(takehome.script(seen(), "mine"))) as archive:
        assert sorted(archive.namelist()) == ["mine.ipynb", "mine.py", "pictures.npz"]
        assert "SHOWN = 0.1235" in archive.read("mine.py").decode()


def test_pictures_in_a_report_are_pictures() -> None:
    found = Reader(report.page(seen(), "", i18n.translator("en")))
    sources = [str(attributes["src"]) for tag, attributes in found.elements if tag == "img"]
    assert len(sources) == 2
    for each in sources:
        with Image.open(io.BytesIO(base64.b64decode(each.split(",")[1]))) as image:
            assert image.size == (8 * 28 + 7, 28)
