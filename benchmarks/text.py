"""What the recurrent autoencoders of text are worth, and how fast they learn, against what needs no network and against a plain loop.

    python benchmarks/text.py [--sentences N] [--rounds N] [--threads N] [--only recall embeddings mending speed order collapse series] [--json]

All figures are of sentences held out, N of each language. pyspellchecker and gensim are no part of the project
(pip install pyspellchecker gensim): without them their rows stay away. Asked for: 90 % of the words of sentences up to 10 words, running free;
AUC 0.8 for words of a kind; half the letter errors left and fewer than pyspellchecker leaves; twice the words a second of a plain loop; a fall
on shuffled words for the recurrent code, none for a bag of words; a code that is used.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch
from machine import describe
from torch import nn
from torch.nn import functional

from aecore.data.text import Corpus, load_text
from aecore.text import embeddings, weights
from aecore.text.damage import DAMAGES, letter_error_rate
from aecore.text.measures import padded, recall, worded
from aecore.text.network import before
from aecore.text.pairs import analogies, word_pairs
from aecore.text.tokens import PAD
from aecore.text.training import Lessons, Sentences, subject
from aecore.text.uses import mend, order
from aecore.text.variants import divergence
from aecore.text.windows import HOP, STRANGE, auc, cut, ecg
from aecore.text.windows import scores as series_scores

LANGUAGES = {"pt": "pt_BR", "en": "en"}
NOISE = 0.1
SENTENCES = 2_560
"""Learnt from by each loop in a round of the speed table, which counts the processor's seconds, not those of other programs."""
BATCHES = (64, 256)
COLLAPSE_STEPS = 600


def recalls(count: int) -> dict[str, object]:
    """Acceptance 1: what comes back of sentences, by length."""
    print("\nWords (and whole sentences) that come back, running free, by number of words")
    table: dict[str, object] = {}
    for short in LANGUAGES:
        taught, _ = weights.load(f"text-{short}")
        found = recall(taught.recurrent, taught.rows(_held(short, count)), worded(taught.vocabulary))
        lengths = "".join(f"  {length}: {each.words:.1%} ({each.exact:.0%} of {each.count})" for length, each in found.by_length.items())
        to_ten = found.up_to(10)
        print(f"text-{short}: up to 10 words {to_ten.words:.2%}, sentences exact {to_ten.exact:.2%};{lengths}", flush=True)
        table[short] = {
            "words": to_ten.words,
            "sentences": to_ten.exact,
            "by_length": {n: each.words for n, each in found.by_length.items()},
        }
    return table


def kinds(count: int) -> dict[str, object]:
    """Acceptance 2: are words of a kind nearer than words at random?"""
    print("\nROC AUC of pairs of words of a kind against random pairs, by cosine; analogies right at first place")
    table: dict[str, object] = {}
    for short, language in LANGUAGES.items():
        taught, _ = weights.load(f"text-{short}")
        corpus, ours = _corpus(short), embeddings.vectors(taught)
        size = ours.vectors.shape[1]
        ways = {
            "ours": ours,
            "ours, variational": embeddings.vectors(weights.load(f"text-{short}-variational")[0]),
            "at random": embeddings.at_random(taught.vocabulary, size),
            "PMI and SVD": embeddings.pmi_svd(corpus.train, taught.vocabulary, size),
        }
        if gensim := _word2vec(taught.vocabulary, corpus.train, size):
            ways["gensim word2vec"] = gensim
        pairs, asked = word_pairs(language, ours.words, taught.vocabulary.tokens), analogies(language, ours.words, taught.vocabulary.tokens)
        row = {}
        for name, words in ways.items():
            right = [embeddings.analogy(words, each.first, each.second, each.third, 1)[0][0] == each.fourth for each in asked]
            row[name] = {"auc": embeddings.auc(words, pairs), "analogies": sum(right) / max(1, len(right))}
            print(f"{short} {name:20} AUC {row[name]['auc']:.3f}   analogies {row[name]['analogies']:.1%} of {len(right)}", flush=True)
        table[short] = row
    return table


def mending(count: int) -> dict[str, object]:
    """Acceptance 3: letter errors left of 10 % letter noise."""
    print(f"\nLetter error rate of sentences with {NOISE:.0%} letter noise, before and after mending, and the time it took")
    table: dict[str, object] = {}
    for short in LANGUAGES:
        taught, _ = weights.load(f"text-{short}-mend")
        held = _held(short, count)
        rng = random.Random(17)
        damaged = [DAMAGES["mixed-letters"](each, NOISE, rng) for each in held]
        ways: dict[str, Callable[[list[str]], list[str]]] = {
            "as damaged": list,
            "ours": lambda given, taught=taught: [each.sentence for each in mend(taught, given)],
        }
        for name, words in (("pyspellchecker", None), ("pyspellchecker, the corpus' words", _corpus(short).train)):
            if rival := _spell_checker(short, words):
                ways[name] = rival
        row = {}
        for name, way in ways.items():
            began = time.perf_counter()
            row[name] = letter_error_rate(way(damaged), held)
            print(f"{short} {name:36} {row[name]:.2%}   {time.perf_counter() - began:.1f} s", flush=True)
        row["ours, undamaged"] = letter_error_rate(ways["ours"](held), held)
        print(f"{short} {'ours, of what was not damaged':36} {row['ours, undamaged']:.2%}")
        table[short] = row
    return table


def speed(rounds: int) -> dict[str, object]:
    """Acceptance 4: words learnt from in a second, in turn with a plain loop of the same sizes, padded in two ways."""
    print("\nWords a second, END counted, in turn with a plain loop of the same sizes: nn.LSTM, float32, Adam; median of rounds")
    corpus = _corpus("en")
    table: dict[str, object] = {}
    for batch in BATCHES:
        taught = subject("recurrent", {"steps": 10_000, "batch": batch}, corpus.train, corpus.valid)
        assert isinstance(taught, Sentences)
        lessons = Lessons(taught)  # type: ignore[arg-type]
        steps = lessons.steps()
        whole, parted = _Plain(taught, True), _Plain(taught, False)
        learners: dict[str, tuple[Lessons | _Plain, Callable[[], object]]] = {
            "ours": (lessons, lambda steps=steps: next(steps)),
            "plain, padded to the corpus' longest": (whole, whole.step),
            "plain, padded to the batch's longest": (parted, parted.step),
        }
        found: dict[str, list[float]] = {name: [] for name in learners}
        for number in range(rounds + 1):
            for name, (learner, learn) in learners.items():
                began, counted = time.process_time(), learner.tokens
                for _ in range(SENTENCES // batch):
                    learn()
                if number:  # the first round warms up
                    found[name].append((learner.tokens - counted) / (time.process_time() - began))
        medians = {name: statistics.median(each) for name, each in found.items()}
        for name, each in medians.items():
            print(f"batch {batch:3} {name:38} {each:9,.0f}   ours is {medians['ours'] / each:.2f} times as fast", flush=True)
        table[str(batch)] = medians
    return table


class _Plain:
    """The loop that one would write first: sentences of any lengths in a batch, filled up."""

    def __init__(self, taught: Sentences, whole: bool) -> None:
        self.rows, self.plan, self.tokens = padded(taught.rows), taught.plan, 0
        self.whole = whole
        self.model = taught.network()
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=self.plan.rate)
        self.rng = torch.Generator().manual_seed(0)

    def step(self) -> None:
        """Learn from one batch."""
        model = self.model
        x = self.rows[torch.randint(len(self.rows), (self.plan.batch,), generator=self.rng)]
        x = x if self.whole else x[:, : int((x != PAD).sum(1).max())]
        _, (state, _) = model.encoder(model.embedding(x))
        code = model.code(torch.cat((state[-2], state[-1]), 1))
        outputs, _ = model.decoder(model.embedding(before(x)) + model.always(code)[:, None], model.first(code))
        loss = functional.cross_entropy(model.logits(outputs).flatten(0, 1), x.flatten(), ignore_index=PAD)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        self.optimiser.step()
        self.tokens += int((x != PAD).sum())


def orders(count: int) -> dict[str, object]:
    """Acceptance 5: words right when they are read in order, and shuffled."""
    print("\nWords in their places when the sentence is read in order, and when it is read shuffled")
    table: dict[str, object] = {}
    for short in LANGUAGES:
        for name in (f"text-{short}", f"text-{short}-bag"):
            straight, shuffled = (each.total.words for each in order(weights.load(name)[0], _held(short, count)))
            print(f"{name:14} {straight:.1%}   {shuffled:.1%}", flush=True)
            table[name] = {"straight": straight, "shuffled": shuffled}
    return table


def collapse(count: int) -> dict[str, object]:
    """Acceptance 7: the collapse meter of the shipped models, and of the setting that collapses."""
    print("\nThe collapse meter: KL in nats per sentence, active values")
    table: dict[str, object] = {}
    for short in LANGUAGES:
        name = f"text-{short}-variational"
        taught, card = weights.load(name)
        nats, active = divergence(taught.recurrent, padded(taught.rows(_held(short, count))))  # type: ignore[arg-type]
        print(f"{name}: {nats:.1f} nats, {active} of {card.plan['code']} active", flush=True)
        table[name] = {"nats": nats, "active": active}
    corpus = _corpus("en")
    knobs = {"steps": COLLAPSE_STEPS, "beta": 1.0, "word_dropout": 0.0, "warm_up": 0, "free": 0.0}
    for name, chosen in (("as it comes", {"steps": COLLAPSE_STEPS}), ("beta 1, no warm-up, no word dropout, no free bits", knobs)):
        taught = subject("recurrent-variational", chosen, corpus.train, corpus.valid)
        lessons = Lessons(taught)  # type: ignore[arg-type]
        for _ in lessons.steps():
            pass
        found = lessons.validate()
        print(f"{COLLAPSE_STEPS} steps, {name}: {found['divergence']:.2f} nats, {found['active']} active", flush=True)
        table[name] = {"nats": found["divergence"], "active": found["active"]}
    return table


def series(count: int) -> dict[str, object]:
    """Acceptance 8: the built-in ECG, its last third never learnt from."""
    model, card = weights.load_series()
    values = ecg()
    held = values[round(len(values) * 2 / 3) :]
    error = series_scores(model, cut(held, model.plan.window, HOP)).mean().item()
    aucs = {kind: auc(model, held, kind) for kind in STRANGE}
    print(
        f"\nECG, held out: MSE {error:.3f} of the variance (PCA of {card.plan['code']} values: {card.metrics['held out']['mse_pca']:.3f})"
    )
    print("AUC of windows made strange: " + ", ".join(f"{kind.replace('_', ' ')} {value:.3f}" for kind, value in aucs.items()))
    return {"mse": error, "auc": aucs}


def _corpus(short: str) -> Corpus:
    return load_text(f"everyday-{short}")


def _held(short: str, count: int) -> list[str]:
    return list(_corpus(short).held[:count])


def _word2vec(vocabulary: embeddings.Vocabulary, sentences: Sequence[str], size: int) -> embeddings.Words | None:
    """Skip-grams by gensim, ten epochs; None where it is not installed."""
    try:
        from gensim.models import Word2Vec  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    split = [vocabulary.tokens.split(each) for each in sentences]
    model = Word2Vec(split, vector_size=size, window=embeddings.REACH, min_count=1, sg=1, epochs=10, seed=0, workers=1)
    table = torch.stack([torch.tensor(model.wv[word]) if word in model.wv else torch.zeros(size) for word in vocabulary.words])
    return embeddings.worded(vocabulary, table)


def _spell_checker(short: str, sentences: Sequence[str] | None) -> Callable[[list[str]], list[str]] | None:
    """Word by word, with the package's own dictionary or with the words of ``sentences``; None where it is not installed."""
    try:
        from spellchecker import SpellChecker  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    vocabulary = weights.load(f"text-{short}-mend")[0].vocabulary
    checker = SpellChecker(language=None if sentences else short)
    if sentences:
        checker.word_frequency.load_words(word.lower() for each in sentences for word in vocabulary.tokens.split(each))

    def word(given: str) -> str:
        bare = given.strip()
        if not bare.isalpha() or bare.lower() in checker:
            return given
        best = checker.correction(bare.lower()) or bare
        return given.replace(bare, best.capitalize() if bare[:1].isupper() else best)

    return lambda given: [vocabulary.tokens.join([word(each) for each in vocabulary.tokens.split(sentence)]) for sentence in given]


PARTS: dict[str, Callable[[int], dict[str, object]]] = {
    "recall": recalls,
    "embeddings": kinds,
    "mending": mending,
    "speed": speed,
    "order": orders,
    "collapse": collapse,
    "series": series,
}


def main() -> None:
    """Print the tables; with ``--json`` one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=1_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="of the speed table")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=tuple(PARTS), default=list(PARTS))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    machine = describe(0) | {"sentences": str(asked.sentences), "letter noise": "seed 17"}
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    found = {name: PARTS[name](asked.rounds if name == "speed" else asked.sentences) for name in asked.only}
    if asked.json:
        print(json.dumps({"machine": machine} | found))


if __name__ == "__main__":
    main()
