"""Every page in both languages, without a browser: it runs, says what it should, and takes no bad link amiss."""

import pytest
from streamlit.testing.v1 import AppTest

from aecore.models import VARIANTS
from aecore.training import Plan
from pages.ui import i18n, sitemap
from pages.ui.setup import LESSONS
from tests.serving import ROOT


def opened(slug: str, **query: str) -> AppTest:
    """The app as a visitor sees it who follows a link to ``slug``."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params.update(query)
    app.run()
    if slug != "home":
        app.switch_page(f"pages/{slug}.py").run()
    return app


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize("slug", sitemap.ENTRIES)
def test_page_opens(slug: str, language: str) -> None:
    app = opened(slug, lang=language)
    t = i18n.translator(language)
    assert not app.exception
    assert [each.value for each in app.title] == ["Autoencoder Lab" if slug == "home" else t(sitemap.ENTRIES[slug].title)]
    words = " ".join(each.value for each in app.markdown)
    assert ("autoencoder" in words.lower() or "rede" in words.lower()) if language == "pt_BR" else words


def test_a_link_sets_the_knobs() -> None:
    app = opened("train", lang="en", code="7", variant="convolutional", epochs="3", train_on_test="true", loss="mse")
    assert app.number_input(key="knob-code").value == 7
    assert app.number_input(key="knob-epochs").value == 3
    assert app.toggle(key="knob-train_on_test").value is True
    assert app.query_params["variant"] == "convolutional"
    assert not app.warning


NUMBERS = ("0", "-1", "many", "nan", "inf", "1e999", "", " ", "3,5", "0x10")
MALFORMED = {
    "code": (*NUMBERS, "2049", "32.5", "<script>alert(1)</script>"),
    "epochs": ("0", "501", "1;drop", "9" * 400),
    "rate": ("nan", "0", "-0.001", "1"),
    "seed": ("-1", "1.5", "2147483648", "seed"),
    "depth": ("1e9", "4", "two"),
    "width": ("15", "1025", "wide"),
    "seconds": ("901", "0", "soon"),
    "variant": ("<b>x</b>", "Undercomplete", "../undercomplete", "undercomplete,sparse"),
    "data": ("../etc", "own-", "digits\n", "${data}"),
    "loss": ("MSE", "mae", "{loss}"),
    "schedule": ("One-cycle", "%00"),
    "train_on_test": ("2", "True", "yes"),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in MALFORMED.items() for value in values])
def test_a_bad_value_in_a_link_gives_a_sentence_and_the_default(name: str, value: str) -> None:
    app = opened("train", **{"lang": "en", name: value})
    assert not app.exception
    assert [each for each in app.warning if "The link asked for something else" in each.value]
    usual = {each.name: each.default for each in (*Plan.knobs(), *VARIANTS["undercomplete"].model.Config.knobs())}
    for each in (*app.number_input, *app.slider, *app.selectbox, *app.toggle):
        asked = str(each.key).removeprefix("knob-")
        assert asked not in usual or each.value == usual[asked]


def test_there_are_forty_malformed_links() -> None:
    assert sum(map(len, MALFORMED.values())) >= 40


def test_a_link_restores_variant_data_knobs_seed_and_language() -> None:
    query = {"lang": "pt_BR", "variant": "denoising", "data": "clothes", "code": "77", "noise": "masking", "level": "0.25", "seed": "9"}
    app = opened("train", **query, body="convolutional", batch="64")
    assert not app.exception and not app.warning
    assert app.title[0].value == "Treinar"
    values = {str(each.key).removeprefix("knob-"): each.value for each in (*app.number_input, *app.slider, *app.selectbox, *app.toggle)}
    wanted = {"variant": "denoising", "data": "clothes", "code": 77, "noise": "masking", "level": 0.25, "seed": 9, "body": "convolutional"}
    assert wanted | {"batch": 64} == {name: values[name] for name in [*wanted, "batch"]}
    assert query.items() <= {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}.items()


def test_an_unknown_run_in_a_link_is_said() -> None:
    app = opened("train", lang="en", run="0123456789abcdef")
    assert not app.exception
    assert [each for each in app.info if "no longer kept" in each.value]


def test_a_malformed_run_in_a_link_is_ignored() -> None:
    app = opened("train", lang="en", run="../../etc/passwd")
    assert not app.exception
    assert not app.info


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_can_be_chosen_and_begins_with_its_own_defaults(variant: str) -> None:
    app = opened("train", lang="en", code="9")
    app.selectbox(key="knob-variant").select(variant).run()
    assert not app.exception
    assert not app.error
    usual = VARIANTS[variant].model.Config().code
    assert app.number_input(key="knob-code").value == (9 if variant == "undercomplete" else usual)


def test_no_two_settings_share_a_name() -> None:
    for variant in VARIANTS.values():
        names = [knob.name for knob in (*Plan.knobs(), *variant.model.Config.knobs())] + ["data", "variant", "run", "lang"]
        assert len(names) == len(set(names)), variant.name


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_exercise_sets_what_it_names(lesson: str) -> None:
    app = opened("train", lang="en", code="99", seed="5")
    app.selectbox(key="lesson").select(lesson).run()
    assert not app.exception
    assert not app.error
    wanted = LESSONS[lesson]
    usual = VARIANTS[str(wanted["variant"])].model.Config().code
    assert app.number_input(key="knob-code").value == wanted.get("code", usual)
    assert app.number_input(key="knob-seed").value == 0, "settings from before must not linger"


def test_a_model_too_large_is_refused_in_a_sentence() -> None:
    app = opened("train", lang="en", data="faces-128", code="2048")
    assert not app.exception
    assert [each for each in app.error if "million parameters" in each.value]
