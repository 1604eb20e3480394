"""Parts of the interface that need no page: who a visitor is, charts, pictures, what crosses from the browser."""

import base64
import io

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit import config

from aecore.inspect import Baselines
from aecore.models import VARIANTS, blueprint
from aecore.training import Reported
from pages.ui import explain, figures, i18n, state, widgets
from tests.serving import ROOT


def test_the_hidden_option_that_keeps_a_full_room_alive_still_exists() -> None:
    assert "runner.postScriptGC" in config.get_config_options()
    assert "postScriptGC = false" in (ROOT / ".streamlit" / "config.toml").read_text()


def masked(token: bytes, mask: bytes) -> str:
    text = bytes(each ^ mask[place % 4] for place, each in enumerate(token))
    return f"2|{mask.hex()}|{text.hex()}|1700000000"


def test_a_visitor_is_the_same_however_the_token_is_masked() -> None:
    token = bytes(range(16))
    assert state.unmasked(masked(token, b"abcd")) == token == state.unmasked(masked(token, b"\x00\xff\x10\x80"))


@pytest.mark.parametrize("cookie", ["", "2|zz|00|1", "2||00|1", "1|00|00|1", "nonsense", "2|00|00"])
def test_a_malformed_token_is_nobody(cookie: str) -> None:
    assert state.unmasked(cookie) == b""


REPORTS = [Reported(70 * n, float(n), 0.1 * n, 1000.0, {"reconstruction": 0.3 / n}, {"reconstruction": 0.4 / n}, True) for n in (1, 2, 3)]


def test_the_loss_chart_holds_both_curves_and_both_lines() -> None:
    table, spec = figures.losses(REPORTS, Baselines(0.05, 0.12, 0.26), 10, 32, "loss", i18n.translator("pt_BR"))
    rows = table.to_pylist()
    lines = {row["line"] for row in rows}
    assert lines == {"imagens de treino", "imagens reservadas", "PCA com 32 números", "piso: uma cópia perfeita"}
    assert [round(row["loss"], 4) for row in rows if row["line"] == "imagens reservadas"] == [0.4, 0.2, 0.1333]
    assert {round(row["loss"], 2) for row in rows if row["line"].startswith("PCA")} == {0.12}
    low, high = spec["encoding"]["y"]["scale"]["domain"]
    assert low < 0.05 < 0.26 <= high
    assert spec["config"]["locale"]["number"]["decimal"] == ","


def test_pictures_side_by_side() -> None:
    pictures = np.arange(3 * 3 * 2 * 2, dtype=np.uint8).reshape(3, 3, 2, 2)
    sheet = widgets.montage(pictures, 2)
    assert sheet.shape == (5, 5, 3)
    assert (sheet[0:2, 3:5] == pictures[1].transpose(1, 2, 0)).all()
    assert (sheet[3:5, 0:2] == pictures[2].transpose(1, 2, 0)).all()
    with Image.open(io.BytesIO(widgets.png(sheet, 4))) as image:
        assert image.size == (20, 20)


GOOD = base64.b64encode(bytes(784)).decode()


@pytest.mark.parametrize(
    "change",
    [
        None,
        "text",
        {},
        {"pixels": GOOD},
        {"pixels": "!!", "serial": 1},
        {"pixels": base64.b64encode(bytes(10)).decode(), "serial": 1},
        {"pixels": GOOD, "serial": 1, "code": [1.0]},
        {"pixels": GOOD, "serial": 1, "code": [float("nan")] * 8},
        {"pixels": GOOD, "serial": 1, "code": ["x"] * 8},
        {"pixels": GOOD, "serial": "x"},
    ],
)
def test_a_malformed_change_from_the_browser_counts_as_none(monkeypatch: pytest.MonkeyPatch, change: object) -> None:
    monkeypatch.setattr(st, "session_state", {"flow": {"change": change}})
    assert widgets.flow_change("flow", 28, 8) is None


def test_a_change_from_the_browser_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {"flow": {"change": {"pixels": GOOD, "serial": 3, "code": [0.5] * 8}}})
    change = widgets.flow_change("flow", 28, 8)
    assert change is not None
    assert change.pixels.shape == (28, 28)
    assert change.code is not None and change.code.tolist() == [0.5] * 8
    assert change.serial == 3


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 64, 64)])
def test_the_diagram_runs_from_picture_through_the_code_to_picture(name: str, shape: tuple[int, int, int]) -> None:
    model = blueprint(name, shape, code=17)
    shapes = explain.sizes(model)
    assert shapes[0] == shapes[-1] == shape
    assert (17,) in shapes
    svg = explain.diagram(model, i18n.translator("en"))
    assert svg.startswith("<svg") and ">17<" in svg and "aria-label" in svg


def test_what_is_minimised_besides_has_a_chart_of_its_own() -> None:
    t = i18n.translator("en")
    assert figures.terms(REPORTS, 10, "unit", t) is None
    terms = [{"reconstruction": 0.3, "codebook": 0.2 / n, "commitment": 0.0} for n in (1, 2)]
    reports = [Reported(n, float(n), 0.1, 1.0, each, each, True) for n, each in enumerate(terms, 1)]
    chart = figures.terms(reports, 10, "unit", t)
    assert chart is not None
    assert [(row["line"], round(row["loss"], 2)) for row in chart[0].to_pylist()] == [("Codebook", 0.2), ("Codebook", 0.1)]
    table, _ = figures.losses(reports, None, 10, 32, "loss", t)
    assert {round(row["loss"], 2) for row in table.to_pylist()} == {0.3}, "the lines compare reconstructions with reconstructions"
