"""Portuguese inflection: articles and their contractions, plurals, gender, tenses."""

from functools import cache

from aecore.data.inflection import Agreement, Noun

DETERMINERS = {
    "o": "o a os as", "um": "um uma uns umas", "no": "no na nos nas", "do": "do da dos das", "ao": "ao à aos às",
    "meu": "meu minha meus minhas", "nosso": "nosso nossa nossos nossas", "seu": "seu sua seus suas", "este": "este esta estes estas",
}  # fmt: skip
PREPOSITIONS = {"no": "em", "do": "de", "ao": "para"}
"""What stays of a contraction before a word without article."""
PRESENT = {"a": "o a amos am", "e": "o e emos em", "i": "o e imos em"}
PAST = {"a": "ei ou amos aram", "e": "i eu emos eram", "i": "i iu imos iram"}
IRREGULAR = {
    "ser": ("sou é somos são", "fui foi fomos foram"), "estar": ("estou está estamos estão", "estava estava estávamos estavam"),
    "ter": ("tenho tem temos têm", "tive teve tivemos tiveram"), "ir": ("vou vai vamos vão", "fui foi fomos foram"),
    "fazer": ("faço faz fazemos fazem", "fiz fez fizemos fizeram"), "querer": ("quero quer queremos querem", "quis quis quisemos quiseram"),
    "ver": ("vejo vê vemos veem", "vi viu vimos viram"), "trazer": ("trago traz trazemos trazem", "trouxe trouxe trouxemos trouxeram"),
    "dar": ("dou dá damos dão", "dei deu demos deram"), "ler": ("leio lê lemos leem", ""), "ouvir": ("ouço ouve ouvimos ouvem", ""),
    "dormir": ("durmo dorme dormimos dormem", ""), "pedir": ("peço pede pedimos pedem", ""), "perder": ("perco perde perdemos perdem", ""),
    "preferir": ("prefiro prefere preferimos preferem", ""), "vestir": ("visto veste vestimos vestem", ""),
    "saber": ("sei sabe sabemos sabem", "soube soube soubemos souberam"), "sair": ("saio sai saímos saem", "saí saiu saímos saíram"),
    "passear": ("passeio passeia passeamos passeiam", ""), "construir": ("construo constrói construímos constroem", "construí construiu construímos construíram"),
    "poder": ("posso pode podemos podem", "pude pôde pudemos puderam"), "servir": ("sirvo serve servimos servem", ""),
    "esquecer": ("esqueço esquece esquecemos esquecem", ""), "conhecer": ("conheço conhece conhecemos conhecem", ""),
    "sentir": ("sinto sente sentimos sentem", ""), "varrer": ("varro varre varremos varrem", ""), "rugir": ("rujo ruge rugimos rugem", ""),
    "miar": ("mio mia miamos miam", ""), "corrigir": ("corrijo corrige corrigimos corrigem", ""),
}  # fmt: skip
"""Present and past of I, he, we, they; an empty past is regular."""
SAME = ("dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez")
"""Numbers, which have no other plural; and only the first has a feminine."""


@cache
def phrase(noun: Noun, form: str) -> tuple[str, bool]:
    """A noun with what stands before it, and whether it is plural.

    ``form``: one of ``DETERMINERS``, the same with -s for the plural ("os", "uns"), "a" ("um", or nothing for what is not
    counted), "many" (the plural alone), "all" (in general: maçãs, arroz), or "" for the word alone.
    """
    if noun.proper or noun.person == 1:
        return f"{PREPOSITIONS.get(form, '')} {noun.text}".strip(), noun.many
    asked = form == "uns" or (form.removesuffix("s") in DETERMINERS and form.endswith("s"))
    plural = noun.many or form == "many" or asked or (form == "all" and not noun.mass)
    text = (noun.plural or _plural(noun.text)) if plural and not noun.many else noun.text
    if form in ("", "many", "all") or (form == "a" and (noun.mass or noun.many)):
        return text, plural
    form = "um" if form in ("a", "uns") else form.removesuffix("s")
    return f"{DETERMINERS[form].split()[2 * plural + (noun.gender == 'f')]} {text}", plural


@cache
def verb(lemma: str, tense: str, agreement: Agreement) -> str:
    """A verb, with what belongs to it, that agrees: "present", "past", "future", "now", "inf" or "ing"."""
    lemma, _, rest = lemma.partition(" ")
    return f"{_inflected(lemma, tense, agreement)} {rest}".rstrip()


def adjective(word: str, agreement: Agreement) -> str:
    """An adjective, given as masculine singular, that agrees; "dois" becomes "duas"."""
    female = agreement.gender == "f"
    if word in SAME:
        return "duas" if female and word == "dois" else word
    if female:
        word = "boa" if word == "bom" else word[:-1] + "a" if word.endswith("o") else word
    return _plural(word) if agreement.plural else word


def _inflected(lemma: str, tense: str, agreement: Agreement) -> str:
    if tense == "inf":
        return lemma
    if tense == "future" and lemma != "ir":  # "vai ir" is avoided
        return f"{_inflected('ir', 'present', agreement)} {lemma}"
    if tense == "ing":
        return lemma[:-1] + "ndo"
    if tense == "now":
        return f"{_inflected('estar', 'present', agreement)} {lemma[:-1]}ndo"
    tense = "present" if tense == "future" else tense
    place = 2 * agreement.plural + (agreement.person != 1)
    known = IRREGULAR.get(lemma, ("", ""))[tense == "past"]
    if known:
        return known.split()[place]
    stem, vowel = lemma[:-2], lemma[-2]
    if tense == "past" and place == 0 and vowel == "a":  # the sound stays, so the letter changes
        stem = {"c": stem[:-1] + "qu", "g": stem + "u", "ç": stem[:-1] + "c"}.get(stem[-1], stem)
    return stem + (PAST if tense == "past" else PRESENT)[vowel].split()[place]


def _plural(word: str) -> str:
    if word.endswith("ão"):
        return word[:-2] + "ões"
    if word.endswith("m"):
        return word[:-1] + "ns"
    if word.endswith(("r", "z")):
        return word + "es"
    if word.endswith("ês"):
        return word[:-2] + "eses"
    if word.endswith("il"):
        return word[:-2] + "eis"
    if word.endswith(("al", "el", "ol", "ul")):
        return word[:-2] + {"al": "ais", "el": "éis", "ol": "óis", "ul": "uis"}[word[-2:]]
    return word if word.endswith("s") else word + "s"
