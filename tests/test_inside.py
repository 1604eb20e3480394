"""The panels that look inside a model, drawn without a browser for models that have learnt nothing yet."""

import sys

import pytest
from streamlit.testing.v1 import AppTest

from aecore.models import VARIANTS
from pages.ui.i18n import LANGUAGES


@pytest.fixture(autouse=True)
def same_main_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest puts its script in the place of the program's main file, and processes started later would run it."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


def drawn(variant: str, panel: str, language: str) -> None:
    from aecore.models import build
    from pages.ui import i18n, inside

    inside.show(build(variant, (1, 28, 28), seed=0).eval(), "digits", panel, i18n.translator(language))


def opened(variant: str, panel: str, language: str = "en") -> AppTest:
    """The panels of an untrained ``variant``, the one named ``panel`` open."""
    return AppTest.from_function(drawn, default_timeout=60, args=(variant, panel, language)).run()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("panel", ["atoms", "directions", "code"])
def test_an_open_panel_is_drawn_first_and_the_others_wait(panel: str, language: str) -> None:
    app = opened("contractive", panel, language)
    assert not app.exception
    assert len(app.expander) == 3
    assert app.expander[0].caption or app.expander[0].metric or app.expander[0].markdown
    assert not any(each.children for each in app.expander[1:])
    labels = [each.label for each in app.metric]
    assert len(labels) == {"atoms": 0, "directions": 3, "code": 3}[panel]


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_says_what_its_code_feels(variant: str) -> None:
    app = opened(variant, "directions")
    assert not app.exception
    if variant == "vector-quantised":
        assert "the Jacobian is 0" in app.markdown[0].value
    else:
        assert [each.label for each in app.metric] == ["Jacobian, squared", "Directions felt", "Along the pictures"]
