"""A visitor's own text: bytes from a stranger in, a corpus to learn from out, or a clear refusal."""

import codecs
import random
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from aecore.data.own import shown
from aecore.data.registry import Progress
from aecore.data.text import SEED, Corpus, parted
from aecore.refusal import Refused
from aecore.text.tokens import graphemes

MAX_BYTES = 5 << 20
MAX_SENTENCES = 50_000
MIN_SENTENCES = 20
MAX_LENGTH = 200
"""Characters of a sentence; longer ones are cut at a space, or between two characters where there is none."""
SAMPLE = 10_000
"""Characters that are looked at to tell text from other data."""
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
SHORT_FORMS = r"(?<!\bDr\.)(?<!\bSr\.)(?<!\bMr\.)(?<!\bMs\.)(?<!\bSt\.)(?<!\bDra\.)(?<!\bSra\.)(?<!\bMrs\.)(?<!\bProf\.)(?<!\b[A-Z]\.)"
SENTENCES_BETWEEN_REPORTS = 5_000
ENDS = re.compile(rf"(?<=[.!?…])[\"'”’»)]*{SHORT_FORMS}(?=\s)|(?<=[。！？])")


@dataclass(frozen=True)
class OwnText:
    """A corpus and what was done to make it: the ``encoding`` it was read in, sentences ``cut`` for their length,
    those ``repeated`` and those ``left_out`` because there were more than ``MAX_SENTENCES``."""

    corpus: Corpus
    encoding: str
    cut: int
    repeated: int
    left_out: int


def read_text(name: str, data: bytes, seed: int = SEED, progress: Progress | None = None) -> OwnText:
    """A corpus from a text file or from what was pasted, with ``name`` only to speak of it; raises ``Refused``.

    Read as UTF-8, as UTF-16 if it begins with that mark, and as Latin 1 if it is neither. Capitals, accents, punctuation and
    inner spaces stay as they are; only spaces around a sentence go. Of too many sentences, ``seed`` draws those that stay.
    """
    name = shown(name)
    if len(data) > MAX_BYTES:
        raise Refused("{name} has more than {limit} MB. Take a part of it, then try again.", name=name, limit=MAX_BYTES >> 20)
    text, encoding = _decoded(name, data)
    found: list[str] = []
    cut = 0
    for sentence in split_sentences(text, progress):
        pieces = _pieces(sentence)
        cut += len(pieces) > 1
        found += pieces
    different = list(dict.fromkeys(found))
    if len(different) < MIN_SENTENCES:
        raise Refused(
            "{name} has too few different sentences: {count}, and learning needs at least {least}. Add more text.",
            name=name,
            count=len(different),
            least=MIN_SENTENCES,
        )
    kept = different
    if len(different) > MAX_SENTENCES:
        kept = [different[place] for place in sorted(random.Random(seed).sample(range(len(different)), MAX_SENTENCES))]
    corpus = parted(kept, name, seed=seed)
    return OwnText(corpus, encoding, cut, len(found) - len(different), len(different) - len(kept))


def split_sentences(text: str, progress: Progress | None = None) -> list[str]:
    """The sentences of a text, without the spaces around them.

    A sentence ends after ``.``, ``!``, ``?`` or ``…`` before a space, unless a small letter follows or a short form such as "Dr." or an
    initial stands there; after the marks of Chinese and Japanese; and with its line, unless the next line begins with a small letter.
    """
    sentences: list[str] = []
    done = 0
    for line in _lines(text):
        for sentence in _ended(line):
            done += len(sentence)
            if progress and len(sentences) % SENTENCES_BETWEEN_REPORTS == 0:
                progress(done / len(text))
            sentences.append(sentence.strip())
    return [sentence for sentence in sentences if sentence]


def _ended(line: str) -> Iterator[str]:
    """The sentences of a line."""
    start = 0
    for match in ENDS.finditer(line):
        following = re.compile(r"\s*").match(line, match.end())
        after = following.end() if following else match.end()
        if after < len(line) and not line[after].islower():
            yield line[start : match.end()]
            start = after
    yield line[start:]


def _decoded(name: str, data: bytes) -> tuple[str, str]:
    """Text and encoding, or ``Refused`` for what is no text."""
    encodings = [encoding for mark, encoding in MARKS if data.startswith(mark)] or ["utf-8", "latin-1"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        sample = text[:SAMPLE]
        strange = sum(unicodedata.category(letter) in ("Cn", "Co", "Cs") for letter in sample)
        if not re.search("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]", text) and strange * 10 <= len(sample):
            return text, encoding
    raise Refused("{name} is not a text. Save it as plain text (UTF-8), then try again.", name=name)


def _lines(text: str) -> list[str]:
    """Lines, with those joined that go on with a small letter."""
    lines: list[list[str]] = []
    paragraph = False
    for line in map(str.strip, text.splitlines()):
        if paragraph and line[:1].islower():
            lines[-1].append(line)
        elif line:
            lines.append([line])
        paragraph = bool(line)
    return [" ".join(parts) for parts in lines]


def _pieces(sentence: str) -> list[str]:
    """The sentence in pieces of at most ``MAX_LENGTH`` characters; joined emoji and accents stay whole if they are shorter than that."""
    pieces: list[str] = []
    start = 0
    while len(sentence) - start > MAX_LENGTH:
        window = sentence[start : start + MAX_LENGTH]
        length = window.rfind(" ")
        if length <= 0:
            length = len(window) - len(graphemes(sentence[start : start + MAX_LENGTH + 1])[-1]) + 1
        length = length if length > 0 else MAX_LENGTH
        pieces.append(sentence[start : start + length].strip())
        start += length
    return [piece for piece in (*pieces, sentence[start:].strip()) if piece]
