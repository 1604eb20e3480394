"""Corpora, tokens, damage, word pairs and a visitor's own text."""

import json
import random
import re
import subprocess
import sys
import time

import pytest

from aecore.data.grammar import SEED, grammar, sentences
from aecore.data.grammar_en import verb as english
from aecore.data.grammar_pt import verb as portuguese
from aecore.data.inflection import Agreement
from aecore.data.text import corpora, load_text, parted
from aecore.refusal import Refused
from aecore.text.corpora import MAX_BYTES, MAX_LENGTH, MAX_SENTENCES, read_text, split_sentences
from aecore.text.damage import DAMAGES, distance, letter_error_rate
from aecore.text.pairs import analogies, kinds, word_pairs
from aecore.text.tokens import CAPITAL, END, GAP, JOINER, PAD, UNKNOWN, Tokens, Vocabulary, graphemes

NAMES = [each.name for each in corpora()]
LANGUAGES = {"en": "everyday-en", "pt_BR": "everyday-pt"}
HARD = [
    "a , b",
    "a,b",
    " x  y ",
    "The ↑ ↑a \u2060b \u2060\u2060",
    "don't go 10:30, ok?",
    "É ONU iOS İx ßa",
    "tab\there\u00a0nb",
    "",
    "  ",
    ". . .",
    "e\u0301 👩‍👩‍👧 🇧🇷🇵🇹 👍🏽",
]


def words(sentence: str) -> list[str]:
    return re.findall(r"\w+", sentence.casefold())


@pytest.mark.parametrize("name", NAMES)
def test_built_in_corpora_are_large_short_and_parted(name: str) -> None:
    corpus = load_text(name)
    assert len(set(corpus.sentences)) == len(corpus.sentences) >= 10_000
    assert min(len(corpus.valid), len(corpus.held)) >= 500
    assert not {tuple(words(each)) for each in corpus.held + corpus.valid} & {tuple(words(each)) for each in corpus.train}
    assert not {tuple(words(each)) for each in corpus.held} & {tuple(words(each)) for each in corpus.valid}
    for each in corpus.sentences:
        assert 3 <= len(each.split()) <= 12
        assert each[0].isupper() and each[-1] in ".?!"
        assert not re.search(r"[{}\[\]=|]|  | [.,?!]", each)
    vocabulary = {word for each in corpus.sentences for word in Tokens("word", "lowered").split(each)}
    assert 700 <= len(vocabulary) <= 1_200


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_come_from_the_seed_alone(language: str) -> None:
    started = time.perf_counter()
    once = sentences(language, 2_000)
    assert time.perf_counter() - started < 5
    assert once == sentences(language, 2_000, SEED) != sentences(language, 2_000, SEED + 1)


def test_sentences_do_not_depend_on_the_process() -> None:
    code = "from aecore.data.grammar import sentences; print(ascii(sentences('pt_BR', 500)))"
    other = subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": "7"}, capture_output=True, check=True, text=True).stdout
    assert other.strip() == ascii(sentences("pt_BR", 500))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_met_in_training(language: str) -> None:
    known = set(Vocabulary.of(load_text(LANGUAGES[language]).train, Tokens("word", "lowered")).words)
    for entries in grammar(language).words.values():
        for entry in entries:
            if isinstance(entry, str) and " " not in entry and not entry.startswith("="):
                assert entry in grammar(language).verbs or entry.lower() in known, entry


def test_portuguese_agrees() -> None:
    text = "\n".join(load_text("everyday-pt").sentences)
    articles = re.findall(r"\b(o|a|os|as|no|na|do|da|um|uma) (menino|menina|meninos|meninas|casa|hospital|rosa|praia)\b", text.lower())
    assert len(articles) > 300
    for article, noun in articles:
        female = noun.rstrip("s").endswith(("a",))
        assert (article.rstrip("s") in ("a", "na", "da", "uma")) == female, (article, noun)
        assert article.endswith("s") == noun.endswith("s"), (article, noun)
    assert not re.search(r"\b(em o|em a|de o|de a|de os|a o|por o|vai ir|eu (é|está|vai|tem|foi))\b", text.lower())
    assert not re.search(r"\b(duas|uma) (gatos?|cavalos?|patos?)\b|\b(dois|um) (vacas?|galinhas?)\b", text.lower())


@pytest.mark.parametrize(
    ("lemma", "tense", "agreement", "form"),
    [
        ("ficar", "past", Agreement(1), "fiquei"),
        ("chegar", "past", Agreement(1), "cheguei"),
        ("dançar", "past", Agreement(1), "dancei"),
        ("ler", "present", Agreement(plural=True), "leem"),
        ("dormir", "present", Agreement(1), "durmo"),
        ("ir", "future", Agreement(), "vai"),
        ("comer", "now", Agreement(1, True), "estamos comendo"),
        ("abrir", "present", Agreement(1, True), "abrimos"),
    ],
)
def test_portuguese_verbs(lemma: str, tense: str, agreement: Agreement, form: str) -> None:
    assert portuguese(lemma, tense, agreement) == form


@pytest.mark.parametrize(
    ("lemma", "tense", "agreement", "form"),
    [
        ("be", "present", Agreement(1), "am"),
        ("be", "past", Agreement(2), "were"),
        ("study", "present", Agreement(), "studies"),
        ("wash", "present", Agreement(), "washes"),
        ("play", "past", Agreement(), "played"),
        ("swim", "now", Agreement(plural=True), "are swimming"),
        ("dance", "ing", Agreement(), "dancing"),
        ("buy", "past", Agreement(), "bought"),
    ],
)
def test_english_verbs(lemma: str, tense: str, agreement: Agreement, form: str) -> None:
    assert english(lemma, tense, agreement) == form


def test_unknown_corpus_is_refused() -> None:
    with pytest.raises(Refused, match="everyday-pt"):
        load_text("nothing")
    assert {each.language for each in corpora("en")} == {"en"}


@pytest.mark.parametrize("kind", ["word", "character"])
@pytest.mark.parametrize("capitals", ["kept", "marked", "lowered"])
def test_tokens_join_to_the_same_sentence(kind: str, capitals: str) -> None:
    tokens = Tokens(kind, capitals)
    rng = random.Random(0)
    parts = ["a", "A", " ", "  ", "\u2060", "↑", ".", "(", "-", "'", "1", ",", "é", "e\u0301", "👍🏽", "\u200d", "\u0301", "İ", "ß", "\t"]
    drawn = ["".join(rng.choices(parts, k=rng.randint(1, 9))) for _ in range(3_000)]
    for sentence in (*HARD, *drawn, *load_text("everyday-pt").held[:200]):
        once = tokens.join(tokens.split(sentence))
        assert once == ("".join(each.lower() for each in graphemes(sentence)) if capitals == "lowered" and sentence.isascii() else once)
        if capitals != "lowered":
            assert once == sentence


def test_words_are_words() -> None:
    assert Tokens().split("Na segunda-feira, don't (às 10:30)!") == ["Na", "segunda-feira", ",", "don't", "(", "às", "10:30", ")", "!"]
    assert Tokens("word", "marked").split("Ana foi à ONU.") == [CAPITAL, "ana", "foi", "à", "ONU", "."]
    assert graphemes("e\u0301👩‍👩‍👧🇧🇷🇵🇹👍🏽1️⃣") == ["e\u0301", "👩‍👩‍👧", "🇧🇷", "🇵🇹", "👍🏽", "1️⃣"]


def test_vocabulary_by_count() -> None:
    vocabulary = Vocabulary.of(["b a a.", "b a c."], Tokens(), least=2)
    assert vocabulary.words == ("a", ".", "b") and len(vocabulary) == 7
    ids = vocabulary.encode("a c b.")
    assert ids[1] == UNKNOWN and vocabulary.decode([*ids, END, ids[0]]) == f"a {GAP} b."
    assert vocabulary.decode([PAD, *vocabulary.encode("b a.")]) == "b a."
    assert len(Vocabulary.of(["b a a.", "b a c."], Tokens(), most=1).words) == 1
    with pytest.raises(Refused):
        Vocabulary.of(["a b"], Tokens(), least=2)
    again = Vocabulary.read(json.loads(json.dumps(vocabulary.card())))
    assert again == vocabulary and again.ids == vocabulary.ids


@pytest.mark.parametrize(
    "card", [None, {}, {"words": "ab"}, {"words": ["a", "a"]}, {"words": [1]}, {"words": ["a" * 300]}, {"kind": "x", "words": ["a"]}]
)
def test_damaged_vocabulary_is_refused(card: object) -> None:
    with pytest.raises(Refused):
        Vocabulary.read(card)


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_seeded_and_stops_at_nothing(name: str) -> None:
    damage = DAMAGES[name]
    clean = load_text("everyday-en").train[:300]
    damaged = [damage(each, 0.3, random.Random(4)) for each in clean]
    assert damaged == [damage(each, 0.3, random.Random(4)) for each in clean] != list(clean)
    assert [damage(each, 0, random.Random(4)) for each in clean] == list(clean)
    assert damage("", 0.5, random.Random(1)) == "" and damage("é👍🏽", 1.0, random.Random(1)) is not None


def test_letter_noise_of_a_tenth_is_an_error_rate_of_about_a_tenth() -> None:
    clean = load_text("everyday-pt").train[:1_000]
    rng = random.Random(0)
    rates = {
        name: letter_error_rate([DAMAGES[name](each, 0.1, rng) for each in clean], clean)
        for name in ("dropped-letters", "mixed-letters", "replaced-letters")
    }
    assert all(0.06 < rate < 0.12 for rate in rates.values()), rates
    shuffled = [DAMAGES["shuffled-words"](each, 1, rng) for each in clean]
    assert all(sorted(one.split()) == sorted(two.split()) for one, two in zip(shuffled, clean, strict=True))


def test_distance_is_levenshteins() -> None:
    def plain(a: str, b: str) -> int:
        row = list(range(len(b) + 1))
        for place, one in enumerate(a, 1):
            below = [place]
            for column, other in enumerate(b, 1):
                below.append(min(row[column] + 1, below[-1] + 1, row[column - 1] + (one != other)))
            row = below
        return row[-1]

    rng = random.Random(0)
    for _ in range(1_000):
        a, b = ("".join(rng.choices("abc", k=rng.randint(0, 12))) for _ in range(2))
        assert distance(a, b) == plain(a, b)
    assert letter_error_rate(["abc", "x"], ["abc", ""]) == 1 / 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_word_pairs(language: str) -> None:
    tokens = Tokens("word", "marked")
    known = Vocabulary.of(load_text(LANGUAGES[language]).train, tokens).ids
    pairs = word_pairs(language, known, tokens)
    assert pairs == word_pairs(language, known, tokens) and len({frozenset((each.first, each.second)) for each in pairs}) == len(pairs)
    assert 1_000 <= sum(each.alike for each in pairs) * 2 == len(pairs)
    assert {"weekdays", "months", "numbers", "family", "colours", "animals"} <= {each.kind for each in pairs}
    assert all(each.first in known and each.second in known and each.first != each.second for each in pairs)
    groups = [{tokens.split(word)[-1] for word in group} for group in kinds(language).values()]
    assert not [each for each in pairs if not each.alike and any({each.first, each.second} <= group for group in groups)]
    found = analogies(language, known, tokens)
    assert {"gender", "number", "past", "capital"} <= {each.respect for each in found}
    assert len(found) > 200 and not analogies(language, set(), tokens)


def test_own_text_is_read_as_it_is() -> None:
    lines = "\n".join(f"Frase número {place}, com É e e\u0301 👩‍👩‍👧.  Outra {place}?" for place in range(40))
    for encoding, seen in (("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16")):
        own = read_text("a/b\\texto.txt", lines.encode(encoding))
        assert own.encoding == seen and own.corpus.name == "texto.txt" and len(own.corpus.sentences) == 80
        assert "Frase número 7, com É e e\u0301 👩‍👩‍👧." in own.corpus.sentences
    latin = read_text("l", "\n".join(f"São {place} maçãs." for place in range(30)).encode("latin-1"))
    assert latin.encoding == "latin-1" and "São 3 maçãs." in latin.corpus.sentences


def test_sentences_are_split_where_they_end() -> None:
    text = (
        'O Dr. Silva veio. "Quem é?" perguntou J. Souza. Ele\ndisse: sim... e foi.\n\nNova linha sem ponto\nOutra 3.5 e fim! 今日。明日。'
    )
    assert split_sentences(text) == [
        "O Dr. Silva veio.",
        '"Quem é?" perguntou J. Souza.',
        "Ele disse: sim... e foi.",
        "Nova linha sem ponto",
        "Outra 3.5 e fim!",
        "今日。",
        "明日。",
    ]


def test_large_text_is_read_in_time() -> None:
    text = "".join(f"The number {place} is not the number {place + 1}. " for place in range(130_000)).encode()[:MAX_BYTES]
    started = time.perf_counter()
    own = read_text("big", text)
    assert time.perf_counter() - started < 10
    assert len(own.corpus.sentences) == MAX_SENTENCES and own.left_out > 50_000


@pytest.mark.parametrize(
    "line", ["x" * 100_000, "é👩‍👩‍👧" * 20_000, "word " * 20_000, "e" + "\u0301" * 100_000, "".join(map(chr, range(0x4E00, 0x9000))) * 6]
)
def test_long_lines_are_cut(line: str) -> None:
    more = "\n".join(f"Linha {place}." for place in range(30))
    own = read_text("long", f"{line}\n{more}".encode())
    assert own.cut == 1 and max(map(len, own.corpus.sentences)) <= MAX_LENGTH
    if "👩" in line:
        assert not [each for each in own.corpus.sentences if each.startswith("\u200d") or each.endswith("\u200d")]


@pytest.mark.parametrize(
    "data",
    [b"", b"word", b"\n\n  ", bytes(range(256)) * 100, random.Random(0).randbytes(100_000), b"\xff\xfe" + random.Random(1).randbytes(9_999), b"\x89PNG\r\n\x1a\n" + bytes(500),
     b"a. " * 2_000_000, ("same.\n" * 500).encode()],
)  # fmt: skip
def test_what_cannot_be_learnt_from_is_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        read_text("x\n\u202e" * 60, data)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 220


def test_parts_keep_like_sentences_together() -> None:
    corpus = parted([form for place in range(50) for form in (f"É {place}?", f"é {place}.", f"É {place}?")], "own")
    assert len(corpus.sentences) == 100
    for one in (corpus.train, corpus.valid, corpus.held):
        assert len(one) == 2 * len({tuple(words(each)) for each in one}) > 0


def test_reading_tells_how_far_it_is_and_hears_when_to_end() -> None:
    data = "\n".join(f"Number {place} is a number." for place in range(30_000)).encode()
    seen: list[float] = []
    found = read_text("many", data, progress=seen.append)
    assert len(found.corpus.sentences) == 30_000 and len(seen) >= 6 and seen == sorted(seen) and seen[0] >= 0 and seen[-1] <= 1

    def enough(done: float) -> None:
        if done > 0.3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        read_text("many", data, progress=enough)


@pytest.mark.parametrize(
    ("sentence", "tokens"),
    [
        ("Привет, мир!", ["Привет", ",", "мир", "!"]),
        ("cafe\u0301 e\u0301-o\u0308", ["cafe\u0301", "e\u0301-o\u0308"]),
        ("한국어 \u1112\u1161\u11ab", ["한국어", "\u1112\u1161\u11ab"]),
        ("👩‍👩‍👧👩 🇧🇷🇺🇸", ["👩‍👩‍👧", f"{JOINER}👩", "🇧🇷", f"{JOINER}🇺🇸"]),
        ("\U00011083\U000110b0 a", ["\U00011083\U000110b0", "a"]),
    ],
)
def test_words_of_any_script_keep_their_marks(sentence: str, tokens: list[str]) -> None:
    assert Tokens().split(sentence) == tokens and Tokens().join(tokens) == sentence


def test_fifty_thousand_sentences_become_tokens_in_seconds() -> None:
    began = time.perf_counter()
    for place in range(50_000):
        Tokens("word", "marked").split(f"Ontem à tarde ela levou {place} livros à biblioteca, e não os leu até agora.")
    assert time.perf_counter() - began < 3  # with a look for marks behind each letter, more than 5
