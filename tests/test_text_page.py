"""Text: what each part shows; in a browser what visitors do in either language, and what bad input gets."""

import ast
import io
import json
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from streamlit.testing.v1 import AppTest

from aecore.data.text import corpora, load_text
from aecore.jobs.errands import Cancelled
from aecore.refusal import Refused
from aecore.takehome import sentences
from aecore.text import corpora as corpora_
from aecore.text import tokens, uses, weights
from aecore.text.measures import recall
from aecore.text.training import MOST_WORDS, Sentences, subject
from aecore.text.variants import SEQUENCES
from pages.ui import (
    mending,
    text_choice,
    text_home,
    text_learning,
    text_map,
    text_mend,
    text_order,
    text_own,
    text_series,
    text_teaching,
    text_words,
    writing,
)
from pages.ui.i18n import LANGUAGES, translator
from pages.ui.text_choice import Reader
from pages.ui.text_teaching import Course, Look
from tests.serving import ROOT, Server
from tests.test_browser import settled
from tests.test_pages import opened

PANELS = ("words", "between", "order", "mend", "strange", "teach", "series", "home")
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
from pages.ui import i18n, text_between, text_choice, text_home, text_learning, text_mend, text_order, text_series, text_words
from aecore.data.text import corpora, load_text
language = {language!r}
name = next(each.name for each in corpora(language))
reader = text_choice.Reader(name, text_choice.shipped(name, ""), load_text(name).held, language)
t = i18n.translator(language)
parts = dict(words=text_words.draw, between=text_between.draw, order=text_order.draw, mend=text_mend.draw, strange=text_mend.strange, home=text_home.draw)
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
    endless = writing.compared("Go.", "Go" + " on" * 60 + ".")
    assert (
        endless.endswith("…")
        and endless.count("badge") == 2 + writing.MORE
        and "…" not in writing.compared("Go.", "Go" + " on" * writing.MORE)
    )


def test_what_cannot_be_seen_is_named_and_what_is_lost_is_struck_out() -> None:
    assert writing.compared("a\u202eb", "a").count("U+202E") == 1 and "\u202e" not in writing.compared("\u202e cat", "\u202e dog")
    assert writing.compared("a<b", "a<b") == ":gray-badge[a] :gray-badge[\\<] :gray-badge[b]"
    assert writing.compared("Go , now", "Go now") == ":gray-badge[Go] :red-badge[~~␣,~~] :gray-badge[now]"


@pytest.mark.parametrize(("sentence", "long"), [("zxq wvut blorp", False), ("?!...", False), ("blorp " * 50, False), ("Zxq! " * 40, True)])
def test_a_sentence_of_unknown_words_is_called_so_and_a_long_one_too(sentence: str, long: bool) -> None:
    app = opened("text", lang="en", sentence=sentence)
    assert [each.value for each in app.warning if "knows no word" in each.value]
    assert ("only its first 64 words" in said(app)) is long


@pytest.mark.parametrize(("name", "field"), [("between", "from"), ("mend", "whole"), ("strange", "strange")])
@pytest.mark.parametrize("sentence", ["", "?!...", "A" * 300, "\u202e👩‍👩‍👧 ↑ \u2060x", "word " * 70, "<b>$x$</b> :red[x]"])
def test_every_panel_takes_any_sentence(name: str, field: str, sentence: str) -> None:
    app = panel(name, **{field: sentence})
    assert not app.exception


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
def test_the_map_has_each_word_with_its_kind_and_names_the_chosen_one_first(dims: int) -> None:
    words = text_words.known(reader().words)
    points, names = words.vectors[:6, :dims].numpy(), [*words.words[:5], "a" * 200]
    found = text_map.data(points, names, ["a", "a", "a", "b", "b", "c"], names[4], "six words")
    assert found["words"] == [*names[:5], "a" * 29 + "…"] and found["kinds"] == ["a", "b", "c"] and found["kind"] == [0, 0, 0, 1, 1, 2]
    assert found["marked"] == 4 and found["order"] == [4, 0, 3, 5, 1, 2] and found["dims"] == dims
    drawn = np.array(found["points"])
    assert np.allclose(drawn[1:] - drawn[0], points[1:] - points[0], atol=1e-3) and np.allclose(drawn.max(0), -drawn.min(0))


def test_the_way_between_two_sentences_begins_and_ends_there() -> None:
    app = panel("between")
    table = app.table[0].value
    given = [app.text_input(key=f"knob-{name}").value for name in ("from", "to")]
    ends = uses.reconstruct(reader().words, given)
    assert table.iloc[[0, -1], 1].tolist() == ends and ("comes back as another" in said(app)) is (ends != given)
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
    odd = uses.strangeness(found.words, [text_mend._odd(found)])[0]
    rows = text_mend._by_word(odd, translator("en"))
    assert text_mend.mean(odd) == pytest.approx(sum(nats for _, nats in rows) / len(rows)) and text_mend.mean(odd) > usual[-1]
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


def test_stopping_keeps_what_was_learnt_and_looks_at_it_once_more() -> None:
    asked = course(steps=5_000)

    def report(done: float, glimpse: Any = None) -> None:
        if isinstance(glimpse, Look):
            asked.enough.set()

    look = text_teaching.teach(asked, report, lambda: False)
    last, found = look.last, look.last.result
    assert found and 1 <= last.step < 5_000 and look.looks[-1].step == last.step == look.losses[-1][0]
    taught = subject("recurrent", dict(asked.knobs), asked.train, asked.held)
    assert isinstance(taught, Sentences) and last.words == pytest.approx(recall(found.recurrent, taught.held, taught.counted).total.words)
    assert [back for _, back in last.samples] == uses.reconstruct(found, [given for given, _ in last.samples])


def test_cancelling_ends_also_before_the_first_step() -> None:
    corpus, seen = load_text("everyday-en"), []

    def report(done: float, glimpse: Any = None) -> None:
        seen.append(glimpse)

    with pytest.raises(Cancelled):
        text_teaching.teach(Course("recurrent", {"steps": 1}, corpus.train, corpus.valid, 60.0), report, lambda: len(seen) > 3)
    assert len(seen) == 4 and seen == sorted(seen) and 0 < seen[-1] < 0.5


def begun_and_stopped(app: AppTest, closed: None) -> AppTest:
    """A run that was begun, stopped once there is something to keep, and has ended."""
    app.button(key="teach-begin").click().run()
    until(app, lambda: "stop-text-teach" in {each.key for each in app.button})
    app.button(key="stop-text-teach").click().run()
    return until(app, lambda: "teach-use" in {each.key for each in app.button})


def until(app: AppTest, there: Callable[[], bool]) -> AppTest:
    for _ in range(300):
        if there():
            return app
        time.sleep(0.1)
        app.run()
    raise AssertionError(said(app))


def test_a_run_is_stopped_on_the_page_and_stays_while_settings_change(closed: None) -> None:
    app = begun_and_stopped(panel("teach", teach_steps="6000", teach_width="32", teach_embedding="16"), closed)
    assert not app.exception and "that is what is kept" in said(app)
    before = app.session_state["text-teach-begun"]
    app.slider(key="knob-teach_layers").set_value(2).run()
    assert not app.exception and "that is what is kept" in said(app) and app.session_state["text-teach-begun"] is before
    app.button(key="teach-begin").click().run()
    assert not app.exception and app.session_state["text-teach-begun"].name != before.name


def test_the_collapse_is_begun_and_stopped_too(closed: None) -> None:
    app = panel("between")
    app.button(key="text-collapse").click().run()
    until(app, lambda: "stop-text-collapse" in {each.key for each in app.button})
    app.button(key="stop-text-collapse").click().run()
    until(app, lambda: "Beta 1 from the first step" in said(app) and "stop-text-collapse" not in {each.key for each in app.button})
    assert not app.exception and len(app.metric) == 4 and "that is what is kept" in said(app)


def test_a_double_click_begins_one_run(closed: None) -> None:
    app = panel("teach", teach_steps="6000", teach_width="32", teach_embedding="16")
    app.button(key="teach-begin").click().run()
    name = app.session_state["text-teach-begun"].name
    app.button(key="teach-begin").click().run()
    assert app.session_state["text-teach-begun"].name == name


def test_a_long_text_is_read_beside_the_page_and_a_short_one_after_it(closed: None) -> None:
    app = panel("teach", teach_corpus="own")
    long = "\n".join(f"Number {place} is a number; número {place}." for place in range(900))
    with patch.object(text_own, "AT_ONCE", len(long)):
        app.text_area(key="teach-pasted").set_value(long).run()
        assert not app.exception and "asked-text-read" in app.session_state
        until(app, lambda: bool(app.success))
        assert "900 sentences" in app.success[0].value
        app.text_area(key="teach-pasted").set_value("one word").run()
        assert "at least 20" in said(app)
        app.text_area(key="teach-pasted").set_value(long).run()
        until(app, lambda: bool(app.success))


def test_knobs_of_the_page_leave_those_of_others_alone() -> None:
    for variant in text_learning.VARIANTS_:
        own = [text_learning._usual(variant, each) for each in SEQUENCES[variant].model.Plan.knobs()]
        assert all(each.name.startswith(text_learning.PREFIX) for each in own)
        assert {
            name: next(each.default for each in own if each.name == f"teach_{name}") for name in text_learning.USUAL[variant]
        } == text_learning.USUAL[variant]


def test_a_browser_may_send_as_much_as_is_read() -> None:
    assert corpora_.MAX_BYTES < text_own.MOST_SENT * 1_000_000  # which is how Streamlit counts


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
    assert "Your model reads" in said(app) and "knob-corpus" not in {each.key for each in app.selectbox}
    app.toggle(key="text-mine").set_value(False).run()
    assert not app.exception and app.success


def unzipped(content: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.parametrize("variant", ["recurrent", "bag-of-words"])
def test_what_was_taught_goes_home_and_works_there(variant: str, tmp_path: Path) -> None:
    asked, corpus = course(variant), load_text("everyday-en")
    last = text_teaching.teach(asked, lambda done, glimpse=None: None, lambda: False).last
    assert last.result is not None
    sentence, card = 'The "dog" saw Ann\'s 👩‍👩‍👧 in {May}.', text_home.card_of(last.result, last, corpus)
    folder = unzipped(sentences.bundle(last.result, card, sentence), tmp_path)
    assert sorted(each.name for each in folder.iterdir()) == [f"my-sentences{end}" for end in (".card.json", ".py", ".safetensors")]
    model, name, vocabulary, read = weights.restore(folder / "my-sentences.safetensors")
    assert vocabulary is not None and name == variant and read.metrics["held out"]["words"] == last.words and read.licence == corpus.licence
    back = uses.reconstruct(last.result, [sentence])[0]
    assert uses.reconstruct(uses.Taught(name, model, vocabulary), [sentence]) == [back]
    ran = subprocess.run([sys.executable, "-I", "-X", "utf8", folder / "my-sentences.py"], capture_output=True, check=True, timeout=60)
    assert f"out: {back}" in ran.stdout.decode() and not ran.stderr


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def test_what_was_taken_home_comes_back() -> None:
    last = text_teaching.teach(course(), lambda done, glimpse=None: None, lambda: False).last
    assert last.result is not None
    card = text_home.card_of(last.result, last, load_text("everyday-en"))
    content = sentences.bundle(last.result, card, "She sings.")
    taught, read = sentences.unbundle("my.zip", content)
    assert uses.reconstruct(taught, ["She sings."]) == uses.reconstruct(last.result, ["She sings."]) and read.data == card.data
    app = panel("home")
    app.file_uploader(key="home-file").set_value(("my.zip", content, "application/zip")).run()
    assert not app.exception and not app.error
    mine = app.session_state["text-taught"]
    assert mine.language == "en" and mine.card and mine.sentences == load_text("everyday-en").held and app.session_state["text-mine"]


def test_what_is_brought_back_is_read_as_hostile() -> None:
    taught, card = text_choice.packed("everyday-en", "-bag")
    weights_, words = weights.pack(taught.model, card, taught.variant, taught.vocabulary)
    many = json.loads(words) | {"plan": {**json.loads(words)["plan"], "width": 1024}}
    for files in (
        {"a.safetensors": weights_},
        {"a.card.json": words},
        {"a.safetensors": weights_, "a.card.json": words, "b.card.json": words},
        {"a.safetensors": weights_[:-1] + b"x", "a.card.json": words},
        {"a.safetensors": weights_, "a.card.json": json.dumps(many).encode()},
        {"a.safetensors": b"PK" + weights_, "a.card.json": words},
        {"../a.safetensors": weights_, "a.card.json": words},
    ):
        with pytest.raises(Refused):
            sentences.unbundle("x\n\u202e.zip", zipped(files))
    with pytest.raises(Refused, match="no code for a whole sentence"):
        mender, card = text_choice.packed("everyday-en", "-mend")
        sentences.unbundle("m.zip", sentences.bundle(mender, card, "A catt."))
    app = panel("home")
    app.file_uploader(key="home-file").set_value(("<b>.zip", b"no zip", "application/zip")).run()
    assert not app.exception and app.error and "text-taught" not in app.session_state


def test_a_strangers_card_writes_no_code() -> None:
    taught, card = text_choice.packed("everyday-en", "")
    evil = '"""\\'
    tree = ast.parse(sentences.script(taught, replace(card, data=evil, source=evil, licence=evil), evil + "\n'"))
    assert "Licence" in (ast.get_docstring(tree) or "") and len(tree.body) == len(ast.parse(sentences.script(taught, card, "x")).body)


@pytest.mark.parametrize("kind", ["-variational", "-mend"])
def test_what_comes_with_the_lab_goes_home_too(kind: str, tmp_path: Path) -> None:
    taught, card = text_choice.packed("everyday-pt", kind)
    given = "Minha irmã stá felz toda noite."
    folder = unzipped(sentences.bundle(taught, card, given), tmp_path)
    ran = subprocess.run([sys.executable, "-I", "-X", "utf8", folder / f"{card.name}.py"], capture_output=True, check=True, timeout=60)
    back = uses.mend(taught, [given])[0].sentence if kind == "-mend" else uses.reconstruct(taught, [given])[0]
    assert ran.stdout.decode().splitlines()[:2] == [f"in:  {given}", f"out: {back}"] and not ran.stderr


def test_words_go_to_the_projector_with_their_kinds(tmp_path: Path) -> None:
    found = reader()
    folder = unzipped(text_home.points(found.words, "en"), tmp_path)
    vectors, named = ((folder / name).read_text(encoding="utf-8").splitlines() for name in ("vectors.tsv", "metadata.tsv"))
    known = text_words.known(found.words)
    assert named[0] == "word\tkind" and len(vectors) == len(named) - 1 == len(known.words) and "monday\tweekdays" in named
    place = known.words.index("monday")
    assert [float(each) for each in vectors[place].split("\t")] == pytest.approx(known.vectors[place].tolist(), rel=1e-6)
    own = unzipped(text_home.points(found.words, ""), tmp_path)
    assert (own / "metadata.tsv").read_text(encoding="utf-8").splitlines() == list(known.words)


def test_the_longest_vocabulary_fits_on_a_card() -> None:
    words = tuple(f"{place:04d}" + "\U0001f469" * 196 for place in range(MOST_WORDS))
    taught, card = weights.load("text-en")
    _, content = weights.pack(taught.model, card, taught.variant, tokens.Vocabulary(taught.vocabulary.tokens, words))
    found = weights.read_card(content)[1]
    assert found is not None and found.words == words


def named(page: Page) -> int:
    """How many words of the map are named; none of the names covers another, or leaves the map."""
    names = page.locator('.words text.name[visibility="visible"]')
    boxes = names.evaluate_all(
        "them => them.map(it => it.getBoundingClientRect()).map(box => [box.left, box.top + 2, box.right, box.bottom - 2])"
    )
    left, top, right, bottom = page.locator(".words > svg").evaluate(
        "it => { const box = it.getBoundingClientRect(); return [box.left, box.top, box.right, box.bottom]; }"
    )
    for place, (a, b, c, d) in enumerate(boxes):
        assert left <= a and top <= b and c <= right and d <= bottom
        assert all(c <= e or a >= g or d <= f or b >= h for e, f, g, h in boxes[:place])
    return len(boxes)


def unfold(page: Page, title: str) -> None:
    page.get_by_test_id("stExpander").get_by_text(title, exact=True).click()
    settled(page)


def test_a_visit_in_english(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/text?lang=en")
    expect(page.get_by_text("Every word came back, out of 192 numbers.")).to_be_visible(timeout=180_000)
    field = page.get_by_label("Your sentence")
    field.fill("The dog drinks a shirt on Monday.")
    field.press("Enter")
    page.wait_for_url("**sentence=The+dog+drinks+a+shirt+on+Monday.*")
    expect(page.get_by_text("Every word came back, out of 192 numbers.")).to_be_visible()
    unfold(page, "Words: neighbours, analogies, a map")
    expect(page.get_by_text("Two words of a kind are nearer")).to_be_visible()
    expect(page.locator(".words text.name").first).to_be_visible()
    assert named(page) > 20
    unfold(page, "Words: neighbours, analogies, a map")
    unfold(page, "Mend a damaged sentence")
    expect(page.get_by_text("Letters that are wrong")).to_be_visible()
    unfold(page, "Teach one yourself, live")
    page.get_by_role("button", name="Teach it").click()
    expect(page.get_by_text("Words that come back, of sentences held out")).to_be_visible(timeout=180_000)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("that is what is kept")).to_be_visible(timeout=90_000)
    page.get_by_role("button", name="Use what I taught, above").click()
    expect(page.get_by_text("Use what I taught", exact=True)).to_be_visible()
    expect(page.get_by_text("Every word came back, out of 192 numbers.")).to_be_hidden()
    page.get_by_role("button", name="Teach it").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=90_000)
    page.reload()  # nobody watches that run any more, so it makes way
    unfold(page, "Teach one yourself, live")
    page.get_by_role("button", name="Teach it").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=20_000)
    assert server.alive()


def test_a_visit_in_portuguese_on_a_phone_with_bad_input(browser: Browser, server: Server) -> None:
    with browser.new_context(locale="pt-BR", viewport={"width": 400, "height": 800}) as context:
        page = context.new_page()
        page.goto(f"{server.url}/text?teach_corpus=own")
        expect(page.get_by_text("Todas as palavras voltaram, a partir de 192 números.")).to_be_visible(timeout=180_000)
        unfold(page, "Ensine um você mesmo, ao vivo")
        chosen = page.get_by_test_id("stFileUploader").locator("input[type=file]")
        chosen.set_input_files([{"name": "a.txt", "mimeType": "text/plain", "buffer": bytes(range(256)) * 40}])
        expect(page.get_by_text("não é um texto")).to_be_visible()
        chosen.set_input_files([{"name": "b.txt", "mimeType": "text/plain", "buffer": b"palavra"}])
        expect(page.get_by_text("são necessárias pelo menos 20")).to_be_visible()
        expect(page.get_by_role("button", name="Ensinar", exact=True)).to_have_count(0)
        unfold(page, "Palavras: vizinhas, analogias, um mapa")
        expect(page.locator(".words text.name").first).to_be_visible()
        assert 10 < named(page) < page.locator(".words text.name").count()
        unfold(page, "Palavras: vizinhas, analogias, um mapa")
        unfold(page, "Consertar uma frase danificada")
        expect(page.get_by_text(WRONG)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.goto(f"{server.url}/denoise?part=text")
        expect(page.get_by_text(WRONG)).to_be_visible(timeout=180_000)
        page.goto(f"{server.url}/text?teach_steps=40&teach_width=32&teach_embedding=16")
        unfold(page, "Ensine um você mesmo, ao vivo")
        page.get_by_role("button", name="Ensinar", exact=True).click()
        page.get_by_role("button", name="Usar acima o que ensinei").click(timeout=180_000)
        expect(page.get_by_text("Não é a mesma frase")).to_be_visible()
        expect(page.get_by_text("Usar o que ensinei", exact=True)).to_be_visible()
