"""Portuguese and English at parity: every text has its translation, with the same gaps, and none is left over."""

import string
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from aecore.models import VARIANTS
from aecore.refusal import Refused
from pages.ui import i18n
from tests.messages import messages
from tests.serving import ROOT

CATALOGUE = ROOT / "pages" / "locale" / "pt_BR" / "messages.po"


def translations() -> dict[str, str]:
    with CATALOGUE.open("rb") as file:
        return {str(each.id): str(each.string) for each in read_po(file, locale="pt_BR") if each.id}


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_is_translated_and_no_translation_is_left_over() -> None:
    found = translations()
    wanted = messages()
    assert len(wanted) > 100, "the texts were not found in the source"
    assert sorted(text for text in wanted if not found.get(text)) == []
    assert sorted(set(found) - wanted) == []


@pytest.mark.parametrize(("text", "translation"), translations().items(), ids=lambda text: text[:30])
def test_translation_has_the_gaps_of_its_text(text: str, translation: str) -> None:
    assert gaps(text) == gaps(translation)


def lessons(language: str) -> set[str]:
    return {path.stem for path in (ROOT / "pages" / "lessons" / language).glob("*.md")}


def test_lessons_exist_in_every_language() -> None:
    assert lessons("en") == lessons("pt_BR")
    assert {f"variant-{name}" for name in VARIANTS} | {"home"} <= lessons("en")
    for path in Path(ROOT / "pages" / "lessons").rglob("*.md"):
        assert len(path.read_text(encoding="utf-8")) > 500, path


def test_numbers_are_written_as_the_language_writes_them() -> None:
    portuguese, english = i18n.translator("pt_BR"), i18n.translator("en")
    assert portuguese.number(1234.5, 1) == "1.234,5"
    assert english.number(1234.5, 1) == "1,234.5"
    assert portuguese.figure(0.0935) == "0,0935"
    assert portuguese.size(1_234_567) == "1,2 MB"
    assert english.duration(125) == "2 min 5 s"
    assert portuguese.figure(float("nan")) == "NaN"


def test_a_refusal_is_said_in_portuguese_with_its_details() -> None:
    refused = Refused("{name} must be a number from {low} to {high}.", name="code", low=1, high=0.5)
    assert i18n.translator("pt_BR").refusal(refused) == "code precisa ser um número de 1 a 0,5."
    assert i18n.translator("en").refusal(refused) == "code must be a number from 1 to 0.5."


@pytest.mark.parametrize(("browser", "language"), [("pt-BR", "pt_BR"), ("pt", "pt_BR"), ("en-GB", "en"), ("de", "en"), (None, "en")])
def test_the_browser_chooses_the_first_language(browser: str | None, language: str) -> None:
    assert i18n.closest(browser) == language
