"""Text: what each part shows; in a browser what visitors do in either language, and what bad input gets."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from streamlit.testing.v1 import AppTest

from aecore.data.text import corpora, load_text
from aecore.jobs.errands import Cancelled
from aecore.text import uses
from aecore.text.variants import SEQUENCES
from pages.ui import (
    mending,
    text_charts,
    text_choice,
    text_learning,
    text_mend,
    text_order,
    text_series,
    text_teaching,
    text_words,
    writing,
)
from pages.ui.i18n import LANGUAGES, translator
from pages.ui.text_choice import Reader
from pages.ui.text_teaching import Course
from tests.serving import ROOT, Server
from tests.test_browser import settled
from tests.test_pages import opened

PANELS = ("words", "between", "order", "mend", "strange", "teach", "series")
WRONG = re.compile("^Letras erradas: ")
SMALL = {"width": 32, "embedding": 16, "code": 16, "batch": 16}


@pytest.fixture
def closed() -> Any:
    """Lines of errands that end with the test."""
    yield
    mending.close()


def reader(language: str = "en") -> Reader:
    name = next(each.name for each in corpora(language))
    return Reader(name, text_choice.shipped(name, ""), load_text(name).held, language)


def panel(name: str, language: str = "en", **query: str) -> AppTest:
    """The page with one panel open."""
    app = AppTest.from_string(
        f"""
from pages.ui import i18n, text_between, text_choice, text_learning, text_mend, text_order, text_series, text_words
from aecore.data.text import corpora, load_text
language = {language!r}
name = next(each.name for each in corpora(language))
reader = text_choice.Reader(name, text_choice.shipped(name, ""), load_text(name).held, language)
t = i18n.translator(language)
parts = dict(words=text_words.draw, between=text_between.draw, order=text_order.draw, mend=text_mend.draw, strange=text_mend.strange)
if {name!r} in parts:
    parts[{name!r}](reader, t)
else:
    dict(teach=text_learning.draw, series=text_series.draw)[{name!r}](t)
""",
        default_timeout=60,
    )
    app.query_params.update(query)
    return app.run()


def said(app: AppTest) -> str:
    return "\n".join(each.value for each in (*app.markdown, *app.caption, *app.success, *app.warning, *app.error, *app.info))


@pytest.mark.parametrize("language", LANGUAGES)
def test_first_sight_brings_a_sentence_back_and_finds_others(language: str) -> None:
    app, t = opened("text", lang=language), translator(language)
    assert not app.exception and [each.value for each in app.title] == [t("Text")]
    sentence = app.text_input(key="knob-sentence").value
    assert sentence == reader(language).sentences[0] and app.success
    near = app.table[0].value.iloc[:, 0].tolist()
    assert len(near) == writing.NEAREST and sentence not in near and set(near) <= set(reader(language).sentences)


def test_what_differs_and_what_is_unknown_are_shown_in_words() -> None:
    app = opened("text", lang="en", sentence="Autoencoders compress pictures *boldly*.")
    assert not app.exception and app.warning and not app.success
    assert "~~Autoencoders~~" in said(app) and "Never met while learning" in said(app)
    assert app.text_input(key="knob-sentence").value == "Autoencoders compress pictures *boldly*."


@pytest.mark.parametrize(
    "sentence", ["", " \n ", "Hi", "👩‍👩‍👧 e\u0301\u0301 \u200d", "a" * 5_000, "[x](javascript:alert(1)) <b>$x$</b>", "\u202e:red[x]"]
)
def test_any_sentence_is_taken(sentence: str) -> None:
    app = opened("text", lang="en", sentence=sentence)
    assert not app.exception and len(app.text_input(key="knob-sentence").value or "") <= text_choice.MOST_LETTERS


def test_words_that_differ_are_compared_side_by_side() -> None:
    assert writing.compared("I see a cat.", "I see a dog.").count("badge") == 5
    assert ":red-badge[~~cat~~ → dog]" in writing.compared("I see a cat.", "I see a dog.")
    assert "~~now~~" in writing.compared("Go now.", "Go.") and "\\+ now" in writing.compared("Go.", "Go now.")


def test_another_sentence_is_another_one() -> None:
    app = opened("text", lang="en")
    first = app.text_input(key="knob-sentence").value
    app.button(key="another-sentence").click().run()
    assert not app.exception and app.text_input(key="knob-sentence").value != first and app.success


def test_another_corpus_brings_its_own_sentence_and_is_in_the_link() -> None:
    app = opened("text", lang="en", sentence="She sings.")
    assert app.text_input(key="knob-sentence").value == "She sings."
    app.selectbox(key="knob-corpus").select("everyday-pt").run()
    assert not app.exception and app.text_input(key="knob-sentence").value == reader("pt_BR").sentences[0] and app.success
    linked = opened("text", lang="en", corpus="everyday-pt", sentence="Ela canta.")
    assert linked.selectbox(key="knob-corpus").value == "everyday-pt" and linked.text_input(key="knob-sentence").value == "Ela canta."


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PANELS)
def test_every_panel_opens(name: str, language: str) -> None:
    app = panel(name, language)
    assert not app.exception and not app.error and said(app)


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_a_kind_have_met(language: str) -> None:
    taught = reader(language).words
    assert text_words.together(taught, language) > 0.9
    word, other = {"en": ("monday", "tuesday"), "pt_BR": ("segunda-feira", "terça-feira")}[language]
    known = text_words.known(taught)
    days = {each.lower() for each in text_words.pairs.kinds(language)["weekdays"]}
    assert len(days & {each for each, _ in text_words.embeddings.neighbours(known, word, 8)}) >= 3 and other in known.words


def test_kinds_of_words_are_all_named() -> None:
    for language in LANGUAGES:
        found = {each for each in text_words.pairs.kinds(language) if not each.startswith("verbs ")}
        assert found <= set(text_words.KINDS) and set(text_words.AT_FIRST) <= found


@pytest.mark.parametrize("dims", [2, 3])
def test_the_map_names_its_words(dims: int) -> None:
    found = reader()
    words = text_words.known(found.words)
    points = words.vectors[:6, :dims].numpy()
    figure = text_charts.words_map(points, words.words[:6], ["a", "a", "b", "b", "c", "c"], words.words[2])
    assert [each.name for each in figure.data] == ["a", "b", "c"] and list(figure.data[1].text) == list(words.words[2:4])
    assert list(figure.data[1].marker.size) == [14, 7] and len({each.marker.symbol for each in figure.data}) == 3


def test_the_way_between_two_sentences_begins_and_ends_there() -> None:
    app = panel("between")
    table = app.table[0].value
    given = [app.text_input(key=f"knob-{name}").value for name in ("from", "to")]
    assert table.iloc[[0, -1], 1].tolist() == uses.reconstruct(reader().words, given)
    before = app.table[1].value.iloc[:, 0].tolist()
    app.button(key="text-draw-again").click().run()
    assert app.table[1].value.iloc[:, 0].tolist() != before
    assert float(app.metric[0].value) > 10 and app.metric[1].value == "32 of 32"


def test_order_counts_for_the_recurrent_one_alone() -> None:
    found = text_order._answer("everyday-en", lambda done: None)
    assert found[""][0] > 0.95 and found[""][1] < 0.3 and found["-bag"][0] == pytest.approx(found["-bag"][1]) and found["-bag"][0] > 0.5


def test_damage_is_mended_and_own_damage_too() -> None:
    app = panel("mend", letters_share="0.3", whole="We will order biscuits at the supermarket tomorrow.")
    assert "Letters that are wrong" in said(app) and "green-badge" in said(app)
    before = said(app)
    app.button(key="letters-anew").click().run()
    assert said(app) != before
    own = panel("mend", letters="none-added", whole="We wil ordr biscits at the supermarkt tomorow.")
    assert not own.exception and "→ biscuits" in said(own) and "Letters that are wrong" not in said(own)


@pytest.mark.parametrize("query", [{"letters": "x"}, {"letters_share": "9"}, {"words_map": "som"}, {"teach_code": "0"}, {"ecg": "<b>"}])
def test_a_bad_link_gives_a_sentence_and_the_default(query: dict[str, str]) -> None:
    name = {"letters": "mend", "letters_share": "mend", "words_map": "words", "teach_code": "teach", "ecg": "series"}[next(iter(query))]
    app = panel(name, **query)
    assert not app.exception and [each for each in app.warning if "The link asked for something else" in each.value]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nonsense_is_stranger_than_what_is_usual(language: str) -> None:
    found = reader(language)
    usual = text_mend.usual(found.words, found.sentences[: text_mend.COMPARED])
    assert uses.strangeness(found.words, [text_mend._odd(found)])[0].mean > usual[-1]
    assert "(end)" in [word for word, _ in text_mend._by_word(uses.strangeness(found.words, ["Go."])[0], translator("en"))]


def test_a_strange_beat_gives_itself_away() -> None:
    model, _ = text_series.shipped()
    values = text_series.held()
    series, first = text_series.changed(values, "extra_beat", model.plan.window)
    strange = text_series.windows.rebuilt(model, series)[1]
    assert first <= int(strange.argmax()) < first + model.plan.window
    assert strange.max() > 2 * text_series.windows.rebuilt(model, values)[1].max()
    assert text_series.changed(values, "as_it_is", model.plan.window)[0].equal(values)


def course(variant: str = "recurrent", seconds: float = 60.0, **knobs: object) -> Course:
    corpus = load_text("everyday-en")
    return Course(variant, {**SMALL, "steps": 30, **knobs}, corpus.train[:200], corpus.valid[:20], seconds, ("two",))


@pytest.mark.parametrize("variant", text_learning.VARIANTS_)
def test_every_variant_learns_live_and_can_be_used(variant: str, closed: None) -> None:
    seen: list[float] = []
    look = text_teaching.teach(course(variant), lambda done, glimpse=None: seen.append(done), lambda: False)
    assert seen[-1] == 1.0 and look.last.result and look.looks and look.losses[-1][0] == 30
    taught = Reader(text_choice.MINE, look.last.result, load_text("everyday-en").held, "en")
    assert taught.words is taught.whole and taught.lab(translator("en")) == "everyday-en"
    assert len(uses.reconstruct(taught.whole, ["She sings."])) == 1
    with pytest.raises(Cancelled):
        text_teaching.teach(course(variant), lambda done, glimpse=None: None, lambda: True)


def test_knobs_of_the_page_leave_those_of_others_alone() -> None:
    for variant in text_learning.VARIANTS_:
        own = [text_learning._usual(variant, each) for each in SEQUENCES[variant].model.Plan.knobs()]
        assert all(each.name.startswith(text_learning.PREFIX) for each in own)
        assert {
            name: next(each.default for each in own if each.name == f"teach_{name}") for name in text_learning.USUAL[variant]
        } == text_learning.USUAL[variant]


def test_own_text_is_read_or_refused_in_a_sentence() -> None:
    app = panel("teach", teach_corpus="own")
    assert not app.exception and app.info
    app.text_area(key="teach-pasted").set_value("one word").run()
    assert not app.exception and "at least 20" in said(app) and not app.success
    app.text_area(key="teach-pasted").set_value("\n".join(f"Number {place} is a number." for place in range(40))).run()
    assert not app.exception and app.success and "40 sentences" in app.success[0].value


def test_a_session_uses_what_it_taught() -> None:
    look = text_teaching.teach(course(), lambda done, glimpse=None: None, lambda: False)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["lang"] = "en"
    app.run()
    app.session_state["text-taught"] = Reader(text_choice.MINE, look.last.result, load_text("everyday-en").held, "")
    app.session_state["text-mine"] = True
    app.switch_page("pages/text.py").run()
    assert not app.exception and "of 16 numbers" in said(app)
    app.toggle(key="text-mine").set_value(False).run()
    assert not app.exception and app.success


def unfold(page: Page, title: str) -> None:
    page.get_by_test_id("stExpander").get_by_text(title, exact=True).click()
    settled(page)


def test_a_visit_in_english(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/text?lang=en")
    expect(page.get_by_text("Every word came back, out of 192 numbers.")).to_be_visible(timeout=60_000)
    field = page.get_by_label("Your sentence")
    field.fill("The dog drinks a shirt on Monday.")
    field.press("Enter")
    page.wait_for_url("**sentence=The+dog+drinks+a+shirt+on+Monday.*")
    expect(page.get_by_text("Every word came back, out of 192 numbers.")).to_be_visible()
    unfold(page, "Words: neighbours, analogies, a map")
    expect(page.get_by_text("Two words of a kind are nearer")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_be_visible()
    unfold(page, "Words: neighbours, analogies, a map")
    unfold(page, "Mend a damaged sentence")
    expect(page.get_by_text("Letters that are wrong")).to_be_visible()
    unfold(page, "Teach one yourself, live")
    page.get_by_role("button", name="Teach it").click()
    expect(page.get_by_text("Words that come back, of sentences held out")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled. Change a setting, or begin again.")).to_be_visible()
    assert server.alive()


def test_a_visit_in_portuguese_on_a_phone_with_bad_input(browser: Browser, server: Server) -> None:
    with browser.new_context(locale="pt-BR", viewport={"width": 400, "height": 800}) as context:
        page = context.new_page()
        page.goto(f"{server.url}/text?teach_corpus=own")
        expect(page.get_by_text("Todas as palavras voltaram, a partir de 192 números.")).to_be_visible(timeout=60_000)
        unfold(page, "Ensine um você mesmo, ao vivo")
        chosen = page.get_by_test_id("stFileUploader").locator("input[type=file]")
        chosen.set_input_files([{"name": "a.txt", "mimeType": "text/plain", "buffer": bytes(range(256)) * 40}])
        expect(page.get_by_text("não é um texto")).to_be_visible()
        chosen.set_input_files([{"name": "b.txt", "mimeType": "text/plain", "buffer": b"palavra"}])
        expect(page.get_by_text("são necessárias pelo menos 20")).to_be_visible()
        expect(page.get_by_role("button", name="Ensinar", exact=True)).to_have_count(0)
        unfold(page, "Consertar uma frase danificada")
        expect(page.get_by_text(WRONG)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.goto(f"{server.url}/denoise?part=text")
        expect(page.get_by_text(WRONG)).to_be_visible(timeout=60_000)
        page.goto(f"{server.url}/text?teach_steps=40&teach_width=32&teach_embedding=16")
        unfold(page, "Ensine um você mesmo, ao vivo")
        page.get_by_role("button", name="Ensinar", exact=True).click()
        page.get_by_role("button", name="Usar acima o que ensinei").click(timeout=60_000)
        expect(page.get_by_text("Não é a mesma frase")).to_be_visible()
        expect(page.get_by_text("Usar o que ensinei", exact=True)).to_be_visible()
