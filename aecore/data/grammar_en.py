"""English inflection: articles, plurals, tenses, pronouns."""

import re
from functools import cache

from aecore.data.inflection import Agreement, Noun

IRREGULAR = {
    "be": "was being", "have": "had having", "do": "did", "go": "went", "eat": "ate", "drink": "drank", "buy": "bought", "sell": "sold",
    "make": "made", "bring": "brought", "drive": "drove", "ride": "rode", "fly": "flew", "take": "took", "read": "read", "write": "wrote",
    "see": "saw", "hear": "heard", "sing": "sang", "sleep": "slept", "wake": "woke", "swim": "swam", "run": "ran running", "wear": "wore",
    "lose": "lost", "find": "found", "give": "gave", "send": "sent", "know": "knew", "teach": "taught", "speak": "spoke", "feel": "felt",
    "win": "won", "cut": "cut", "sweep": "swept", "shine": "shone", "come": "came", "forget": "forgot", "leave": "left", "meet": "met",
    "grow": "grew", "put": "put", "begin": "began", "get": "got", "break": "broke", "think": "thought", "draw": "drew", "sew": "sewed",
    "hide": "hid", "feed": "fed", "build": "built", "tell": "told", "spend": "spent", "open": "opened opening", "visit": "visited visiting",
    "listen": "listened listening", "water": "watered watering", "answer": "answered answering", "cover": "covered covering",
    "travel": "travelled travelling", "remember": "remembered remembering", "repair": "repaired repairing", "order": "ordered ordering",
}  # fmt: skip
"""Past, and -ing where the rule would not make it."""
PRONOUNS = {"he": ("I", "we", "you", "he", "she", "they"), "his": ("my", "our", "your", "his", "her", "their")}


@cache
def phrase(noun: Noun, form: str) -> tuple[str, bool]:
    """A noun with what stands before it, and whether it is plural.

    ``form``: "the", "thes" (plural), "a" ("some" of what is not counted), "my", "our", "your", "mys", "many" (the plural alone), "all"
    (in general: apples, bread), or "" for the word alone.
    """
    if noun.proper or noun.text in ("I", "you", "we"):
        return noun.text, noun.many
    plural = noun.many or form in ("thes", "mys", "many") or (form == "all" and not noun.mass)
    text = (noun.plural or _plural(noun.text)) if plural and not noun.many else noun.text
    if form in ("", "all", "many"):
        return text, plural
    if form == "a":
        article = "some" if noun.mass or noun.many else "an" if text[0] in "aeiou" else "a"
        return f"{article} {text}", plural
    return f"{form.removesuffix('s') if form in ('thes', 'mys') else form} {text}", plural


@cache
def verb(lemma: str, tense: str, agreement: Agreement) -> str:
    """A verb, with its particles, that agrees: "present", "past", "future", "now", "inf" or "ing"."""
    lemma, _, rest = lemma.partition(" ")
    return f"{_inflected(lemma, tense, agreement)} {rest}".rstrip()


def adjective(word: str, agreement: Agreement) -> str:
    """Adjectives do not change; "he" and "his" become what fits."""
    if word not in PRONOUNS:
        return word
    place = {(1, False): 0, (1, True): 1, (2, False): 2}.get((agreement.person, agreement.plural))
    if place is None:
        place = 5 if agreement.plural else 3 + (agreement.gender == "f")
    return PRONOUNS[word][place]


def _inflected(lemma: str, tense: str, agreement: Agreement) -> str:
    third = agreement.person == 3 and not agreement.plural
    if lemma in PRONOUNS:
        return adjective(lemma, agreement)
    if lemma == "be" and tense in ("past", "present"):
        first = agreement.person == 1 and not agreement.plural
        return {"past": "was" if third or first else "were", "present": "is" if third else "am" if first else "are"}[tense]
    if tense == "future":
        return f"will {lemma}"
    if tense == "now":
        return f"{_inflected('be', 'present', agreement)} {_ing(lemma)}"
    if tense == "past":
        return IRREGULAR[lemma].split()[0] if lemma in IRREGULAR else _past(lemma)
    if tense == "ing":
        return _ing(lemma)
    if tense == "inf" or not third:
        return lemma
    return {"have": "has"}.get(lemma, _plural(lemma) if lemma not in ("do", "go") else lemma + "es")


def _plural(word: str) -> str:
    """With -s: of nouns and of verbs alike."""
    if re.search("(s|x|ch|sh|z)$", word):
        return word + "es"
    return word[:-1] + "ies" if re.search("[^aeiou]y$", word) else word + "s"


def _doubled(word: str) -> str:
    """The last consonant doubled after one short vowel in a word of one syllable."""
    return word + word[-1] if re.fullmatch("[^aeiou]*[aeiou][^aeiouwxy]", word) else word


def _past(word: str) -> str:
    if word.endswith("e"):
        return word + "d"
    return word[:-1] + "ied" if re.search("[^aeiou]y$", word) else _doubled(word) + "ed"


def _ing(word: str) -> str:
    known = IRREGULAR.get(word, "").split()
    if len(known) > 1:
        return known[1]
    if word in ("forget", "begin"):
        return word + word[-1] + "ing"
    return word[:-1] + "ing" if re.search("[^e]e$", word) and word != "be" else _doubled(word) + "ing"
