"""Portuguese and English: texts by gettext catalogue, numbers by Babel."""

from functools import cache
from pathlib import Path

from babel import Locale, numbers
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from aecore.refusal import Refused

PAGES = Path(__file__).parent.parent
MARKDOWN = frozenset(r"\`*_{}[]()<>#!|:$~&")
LANGUAGES = {"pt_BR": "Português", "en": "English"}


def marked(text: str) -> str:
    """The text itself: marks a constant for translation, which happens where it is shown."""
    return text


class Translator:
    """Speaks one language. Called with an English text, it gives the text in that language, its gaps filled."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.locale = Locale.parse(language)

    def __call__(self, text: str, **details: object) -> str:
        """``t("{count} pictures", count=3)``; a text without a translation stays English."""
        found = _catalogue(self.language).get(text)
        words = str(found.string) if found and found.string else text
        return words.format(**{name: self._detail(value) for name, value in details.items()}) if details else words

    def number(self, value: float, digits: int = 0) -> str:
        """A number with ``digits`` decimals and the language's separators."""
        return numbers.format_decimal(value, f"#,##0.{'0' * digits}" if digits else "#,##0", locale=self.locale)

    def figure(self, value: float, digits: int = 4) -> str:
        """A number with ``digits`` significant digits, for losses and small settings."""
        if value == 0 or not abs(value) < float("inf"):
            return {"0": "0", "0.0": "0", "inf": "∞", "-inf": "-∞", "nan": "NaN"}[str(value)]
        return numbers.format_decimal(float(f"{value:.{digits}g}"), "#,##0.##########", locale=self.locale)

    def size(self, count: float) -> str:
        """Bytes in words: B, kB (1,000 bytes), MB."""
        for unit, scale in (("MB", 1e6), ("kB", 1e3)):
            if count >= scale:
                return f"{self.number(count / scale, 1)} {unit}"
        return f"{self.number(count)} B"

    def duration(self, seconds: float) -> str:
        """Seconds below two minutes, then minutes and seconds."""
        if seconds < 120:
            return f"{self.number(seconds, 1 if seconds < 10 else 0)} s"
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"

    def refusal(self, refused: Refused) -> str:
        """The sentence of a refusal of the core, in this language, as Markdown that shows a visitor's file names as they are."""
        return self(refused.sentence, **{name: self._part(value) for name, value in refused.details.items()})

    def lesson(self, name: str) -> str:
        """The Markdown of a long explanation."""
        return _lesson(self.language, name)

    def _part(self, value: object) -> object:
        """A detail of a refusal; names of data sets and the like, alone or in a list, are translated too."""
        return ", ".join(plain(self(each)) for each in value.split(", ")) if isinstance(value, str) else value

    def _detail(self, value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        return self.figure(value, 10)


def plain(words: str) -> str:
    """Words with nothing that Markdown would act on: a file name may hold the address of a picture."""
    return "".join(f"\\{each}" if each in MARKDOWN else each for each in words)


@cache
def translator(language: str) -> Translator:
    """The speaker of ``language``, one of LANGUAGES."""
    return Translator(language)


def closest(browser: str | None) -> str:
    """The language to greet a browser in that says ``browser``, such as "pt-PT"."""
    return "pt_BR" if (browser or "").lower().startswith("pt") else "en"


@cache
def _catalogue(language: str) -> Catalog:
    path = PAGES / "locale" / language / "messages.po"
    if not path.exists():
        return Catalog(language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


@cache
def _lesson(language: str, name: str) -> str:
    return (PAGES / "lessons" / language / f"{name}.md").read_text(encoding="utf-8")
