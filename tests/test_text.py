"""Recurrent autoencoders: networks, learning, figures, uses, files, the command."""

import json
import random
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from aecore.__main__ import main
from aecore.refusal import Refused
from aecore.text import embeddings, live, uses, weights
from aecore.text.measures import Share, padded, recall, worded
from aecore.text.mender import LETTERS, groups, pieces, spelt
from aecore.text.network import Recurrent, SentencePlan, backwards, before, run
from aecore.text.series import SeriesPlan
from aecore.text.tokens import BEGIN, END, PAD, SPECIALS, UNKNOWN, Tokens, Vocabulary
from aecore.text.training import Lessons, alike, subject
from aecore.text.uses import Taught
from aecore.text.variants import SEQUENCES, Variational, VariationalPlan, divergence, find
from aecore.text.windows import STRANGE, Windows, auc, cut, ecg, levelled, rebuilt, scores

NAMES = ("Ana", "Rui", "Eva", "Leo")
SENTENCES = [
    f"{a} {b} the {c} {d}." for a in NAMES for b in ("sees", "wants") for c in ("cat", "dog", "sun") for d in ("now", "here", "at home")
]
SMALL = {"steps": 30, "batch": 16, "width": 32, "code": 16}
WORDS = [name for name, each in SEQUENCES.items() if each.reads == "words"]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(words: int = 12, **knobs: object) -> Recurrent:
    model = Recurrent(words, SentencePlan.of(**{"width": 16, "code": 8, "embedding": 8} | knobs))
    model.initialise(rng())
    return model


def taught_by(variant: str, **knobs: object) -> Lessons:
    small = SMALL | ({"embedding": 16} if find(variant).reads != "numbers" else {}) | knobs
    given = (
        Windows(ecg(), SeriesPlan.of(**small))
        if variant == "recurrent-series"
        else subject(variant, small, SENTENCES[::2], SENTENCES[1::2])
    )
    lessons = Lessons(given)
    for _ in lessons.steps():
        pass
    return lessons


@pytest.fixture(scope="module")
def learnt() -> Taught:
    lessons = taught_by("recurrent", steps=450, rate=5e-3, width=64, embedding=64, code=32, batch=32)
    return Taught("recurrent", lessons.learnt(), lessons.subject.vocabulary)


@pytest.mark.parametrize("cell", ("lstm", "gru"))
@pytest.mark.parametrize("knobs", ({}, {"both_ways": False}, {"backwards": True}, {"layers": 2}))
def test_packed_sentences_give_the_numbers_of_each_alone(cell: str, knobs: dict) -> None:
    model = network(cell=cell, **knobs)
    rows = [torch.tensor([4, 5, 6, 7, 8, END]), torch.tensor([9, END]), torch.tensor([10, 4, 11, END])]
    together = padded(rows)
    codes = model.encode(together)
    scores = model.scores(codes, together, before(together)).split([6, 2, 4])
    for row, code, score in zip(rows, codes, scores, strict=True):
        alone = model.encode(row[None])
        assert torch.allclose(alone[0], code, atol=1e-6)
        assert torch.allclose(model.scores(alone, row[None], before(row[None])), score, atol=1e-5)


def test_reversed_input_is_read_from_its_end_and_both_directions_differ() -> None:
    rows = padded([torch.tensor([4, 5, 6, END]), torch.tensor([7, END])])
    assert backwards(rows, torch.tensor([4, 2])).tolist() == [[END, 6, 5, 4], [END, 7, PAD, PAD]]
    straight, turned = network(both_ways=False), network(both_ways=False, backwards=True)
    assert torch.allclose(turned.encode(rows)[0], straight.encode(rows[:1].flip(1))[0])
    assert not torch.allclose(turned.encode(rows), straight.encode(rows))


def test_equal_lengths_are_not_packed_and_fillings_come_back_as_zeros() -> None:
    model = network()
    x = torch.randn(2, 3, 8, generator=rng())
    outputs, _ = run(model.decoder, x, torch.tensor([3, 1]))
    assert torch.equal(outputs[1, 1:], torch.zeros(2, 16)) and outputs[0].abs().min() > 0
    assert torch.allclose(run(model.decoder, x, torch.tensor([3, 3]))[0], model.decoder(x)[0])


def test_what_the_decoder_hears() -> None:
    target = torch.tensor([[4, 5, 6, END], [7, 8, END, PAD]])
    code = torch.zeros(2, 8)
    assert network().heard(code, target, rng()).tolist() == [[BEGIN, 4, 5, 6], [BEGIN, 7, 8, END]]
    nothing = network(word_dropout=1.0).heard(code, target, rng())
    assert set(nothing[:, 1:].flatten().tolist()) == {UNKNOWN} and nothing[:, 0].tolist() == [BEGIN, BEGIN]
    model = network(forcing=0.0)
    own = model.heard(code, target, rng())
    guess = model.scores(code, target, before(target)).argmax(1)
    assert own[0].tolist() == [BEGIN, *guess[:3].tolist()]


def test_running_free_follows_the_likeliest_words_and_ends() -> None:
    model = network()
    code = model.encode(torch.tensor([[4, 5, END]]))
    words = model.generate(code, 6)
    assert words.shape[1] <= 7 and words[0, -1] == END and words.min() >= END
    scores = model.scores(code, words, before(words))
    assert scores[:-1, END:].argmax(1).add(END).tolist() == words[0, :-1].tolist()


@pytest.mark.parametrize("name", SEQUENCES)
def test_every_variant_learns_with_a_slope_on_every_parameter(name: str) -> None:
    variant = SEQUENCES[name]
    assert variant.title and variant.formula and "http" in variant.source and variant.about.endswith((".", ":"))
    lessons = taught_by(name, steps=1)
    lessons.loss(rng()).backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in lessons.model.parameters())
    assert any(each.grad.abs().max() > 0 for each in lessons.model.parameters())


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_seed_gives_the_same_numbers_and_a_resumed_run_those_of_one_never_interrupted(name: str) -> None:
    whole = taught_by(name, steps=12)
    parted = Lessons(whole.subject)
    for step in parted.steps():
        if step == 5:
            break
    parted = Lessons(whole.subject, parted.checkpoint())
    for _ in parted.steps():
        pass
    for a, b in zip(whole.learnt().parameters(), parted.learnt().parameters(), strict=True):
        assert torch.equal(a, b)
    other = taught_by(name, steps=12, seed=1)
    assert not all(torch.equal(a, b) for a, b in zip(whole.learnt().parameters(), other.learnt().parameters(), strict=True))


def test_batches_are_of_like_length_and_reach_every_sentence() -> None:
    lengths = torch.tensor([3] * 40 + [4] * 3 + [9] * 40)
    seen: set[int] = set()
    for seed in range(300):
        places = alike(lengths, 8, rng(seed))
        seen |= set(places)
        assert len(places) == 8
        assert len({int(lengths[place]) for place in places}) == 1 or any(40 - 8 <= place < 43 + 8 for place in places)
    assert seen == set(range(83))


def test_denoising_damages_what_is_read_and_not_what_should_come_out() -> None:
    given = subject("recurrent-denoising", SMALL | {"damage": 0.5}, SENTENCES, SENTENCES[:4])
    read, target = given.batch(rng())
    whole = {tuple(row.tolist()) for row in given.rows}
    assert all(tuple(row[row != PAD].tolist()) in whole for row in target)
    assert any(tuple(row[row != PAD].tolist()) not in whole for row in read)


def test_exchanged_words_are_others_in_and_out_alike_and_marks_stay() -> None:
    given = subject("recurrent", SMALL | {"mixed": 1.0, "batch": 64}, SENTENCES, SENTENCES[:4])
    read, target = given.batch(rng())
    marks = ~worded(given.vocabulary)[target]
    whole = {tuple(row.tolist()) for row in given.rows}
    assert torch.equal(read, target) and not any(tuple(row[row != PAD].tolist()) in whole for row in target)
    assert {given.vocabulary.words[place - SPECIALS] for place in target[marks & (target >= SPECIALS)].tolist()} == {"↑", "."}
    assert len(target[~marks].unique()) == int(worded(given.vocabulary).sum())


def test_what_came_back_is_counted_in_words() -> None:
    vocabulary = Vocabulary.of(["One two three.", "four"], Tokens("word", "marked"))
    counted = worded(vocabulary)
    assert counted.sum() == 4 and not counted[:SPECIALS].any()
    ids = vocabulary.ids
    rows = [torch.tensor([ids[word] for word in words] + [END]) for words in (["one", "two", "."], ["four"])]

    class Parrot(Recurrent):
        def generate(self, code: torch.Tensor, longest: int) -> torch.Tensor:
            return torch.tensor([[ids["four"], END, PAD, PAD], [ids["one"], ids["three"], ids["."], END]])

    model = Parrot(len(vocabulary), SentencePlan(width=16, code=8, embedding=8))
    found = recall(model, rows, counted)
    assert found.by_length == {1: Share(1.0, 1.0, 1), 2: Share(0.5, 0.0, 1)}
    assert found.total == Share(2 / 3, 0.5, 2) and found.up_to(1) == Share(1.0, 1.0, 1) and found.up_to(0).count == 0


def test_a_learnt_model_gives_sentences_back_and_finds_ways_between_them(learnt: Taught) -> None:
    known = SENTENCES[::2]
    back = uses.reconstruct(learnt, known)
    assert sum(a == b for a, b in zip(back, known, strict=True)) > len(known) // 2
    codes = uses.encode(learnt, known[:3])
    assert codes.shape == (3, 32) and uses.decode(learnt, codes) == back[:3]
    way = uses.interpolate(learnt, known[0], known[-1], 5)
    assert len(way) == 5 and way[0] == back[0] and way[-1] == back[-1]
    assert learnt.unknown("Ana sees Zorglub") == ("zorglub",)


def test_a_strange_sentence_surprises(learnt: Taught) -> None:
    usual, strange = uses.strangeness(learnt, [SENTENCES[0], "now the at Ana. cat the"])
    assert strange.mean > 2 * usual.mean
    assert [word for word, _ in usual.words][-1] == "" and usual.mean == pytest.approx(
        sum(nats for _, nats in usual.words) / len(usual.words)
    )


def test_the_order_of_words_counts_for_a_recurrent_code_and_not_for_a_bag(learnt: Taught) -> None:
    straight, shuffled = uses.order(learnt, SENTENCES[::2])
    assert straight.total.words > shuffled.total.words + 0.1
    lessons = taught_by("bag-of-words", steps=100, rate=1e-2)
    bag = Taught("bag-of-words", lessons.learnt(), lessons.subject.vocabulary)
    straight, shuffled = uses.order(bag, SENTENCES[::2])
    assert straight == shuffled and straight.total.words > 0.1


def test_the_collapse_meter_tells_a_used_code_from_one_given_up() -> None:
    lessons = taught_by("recurrent-variational", steps=2, embedding=16)
    model = lessons.learnt()
    rows = padded(lessons.subject.held)
    assert isinstance(model, Variational)
    torch.nn.init.zeros_(model.code.weight)
    torch.nn.init.zeros_(model.code.bias)
    assert divergence(model, rows) == (0.0, 0)
    model.embedding.weight.data.mul_(30)
    model.code.weight.data[:16].normal_(generator=rng())
    nats, active = divergence(model, rows)
    assert nats > 1 and active == 16


def test_warm_up_and_free_bits_change_what_the_divergence_costs() -> None:
    rows = padded([torch.tensor([4, 5, END]), torch.tensor([6, END])])

    def cost(step: int, **knobs: object) -> float:
        model = Variational(12, VariationalPlan.of(**{"width": 16, "code": 8, "embedding": 8, "warm_up": 100, "beta": 1.0} | knobs))
        model.initialise(rng())
        return model.loss(rows, rows, rng(), step)["divergence"].item()

    assert cost(0) == 0
    assert cost(50, free=2.0) == pytest.approx(0.5 * 8 * 2.0 * 2 / 5)
    assert cost(100, free=0.0) == pytest.approx(2 * cost(50, free=0.0)) and cost(0, warm_up=0, free=2.0) == 0
    assert cost(1, warm_up=0, free=2.0) == pytest.approx(8 * 2.0 * 2 / 5)


def test_sentences_are_drawn_from_a_variational_model_alone(learnt: Taught) -> None:
    lessons = taught_by("recurrent-variational")
    taught = Taught("recurrent-variational", lessons.learnt(), lessons.subject.vocabulary)
    assert uses.draw(taught, 3, seed=4) == uses.draw(taught, 3, seed=4) and len(uses.draw(taught, 3)) == 3
    with pytest.raises(Refused, match="variational"):
        uses.draw(learnt, 1)


def test_words_are_known_by_groups_of_letters() -> None:
    letters = spelt([["cat", ""], ["cart"]])
    assert letters.shape == (2, 2, LETTERS) and letters[1, 1].sum() == 0 and letters[0, 1, 0] != 0
    bags = groups(letters.flatten(0, 1))
    sets = [set(row.tolist()) - {0} for row in bags]
    assert len(sets[0]) == 4 + 4 + 3 + 3, "letters and the edge, pairs, pairs with a gap, triples"
    assert len(sets[0] & sets[2]) == 9 and sets[1]
    assert torch.equal(groups(spelt([["cat"]])[0]), bags[:1])


def test_a_lost_word_leaves_a_place() -> None:
    tokens = Tokens("word", "kept")
    assert pieces(tokens, "the  sat.") == ["the", "", "sat", "."]
    assert pieces(tokens, " cat") == ["", "cat"] and pieces(tokens, "the cat sat.") == ["the", "cat", "sat", "."]


def test_a_mender_mends_and_leaves_alone_what_it_does_not_know() -> None:
    lessons = taught_by("mender", steps=300, rate=1e-2, width=64, code=32)
    figures = lessons.validate()
    assert figures["left"] < 0.6 * figures["damage"] and figures["done"] < 0.02
    taught = Taught("mender", lessons.learnt(), lessons.subject.vocabulary)
    mended = uses.mend(taught, ["Ana sees the doog at hme.", "", "12 + 7 = 19"])
    assert mended[0].sentence == "Ana sees the dog at home." and mended[1].sentence == "" and mended[2].sentence == "12 + 7 = 19"
    given, now, sure = mended[0].words[3]
    assert (given, now) == ("doog", "dog") and 0.5 <= sure <= 1
    assert uses.mend(taught, ["Xylophonists sees the cat now."])[0].sentence.startswith("Xylophonists")


def test_what_a_model_cannot_do_is_refused_in_a_sentence(learnt: Taught) -> None:
    with pytest.raises(Refused, match="letters"):
        uses.mend(learnt, ["x"])
    with pytest.raises(Refused, match="at least 20"):
        subject("recurrent", {}, ["One."], ["Two."])
    with pytest.raises(Refused, match="numbers, not sentences"):
        subject("recurrent-series", {}, SENTENCES, SENTENCES)
    with pytest.raises(Refused, match="no variant called magic"):
        find("magic")
    with pytest.raises(Refused, match="no setting called magic"):
        subject("recurrent", {"magic": 1}, SENTENCES, SENTENCES)
    with pytest.raises(Refused, match="too few for windows"):
        Windows(torch.randn(50, generator=rng()), SeriesPlan())
    with pytest.raises(Refused, match="never changes"):
        levelled(torch.ones(50))
    mender = Taught("mender", taught_by("mender", steps=1).learnt(), learnt.vocabulary)
    with pytest.raises(Refused, match="no code for a whole sentence"):
        uses.encode(mender, ["x"])


@pytest.mark.parametrize("sentence", ("", "🙂 👩‍👩‍👧", "e\u0301 à", "word " * 500, "x" * 5000, "\u202eabc"))
def test_own_sentences_of_any_kind_come_back_as_something(learnt: Taught, sentence: str) -> None:
    assert isinstance(uses.reconstruct(learnt, [sentence])[0], str)
    assert uses.strangeness(learnt, [sentence])[0].mean > 0


def test_neighbours_analogies_and_areas() -> None:
    table = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.1, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.1], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    words = embeddings.Words(("man", "boy", "woman", "girl", "king", "queen"), table)
    near = embeddings.neighbours(words, "man", 2)
    assert near[0][0] == "boy" and near[0][1] == pytest.approx(1 / 1.01**0.5)
    assert embeddings.analogy(words, "man", "woman", "king")[0][0] == "queen"
    assert embeddings.neighbours(words, "MAN", 1)[0][0] == "boy"
    with pytest.raises(Refused, match="does not occur"):
        embeddings.neighbours(words, "tree")
    pairs = [embeddings.Pair(*each) for each in (("man", "boy", "he"), ("woman", "girl", "she"), ("man", "woman", ""))]
    assert embeddings.auc(words, pairs) == 1.0
    assert embeddings.auc(words, [embeddings.Pair(p.first, p.second, "" if p.alike else "x") for p in pairs]) == 0.0
    with pytest.raises(Refused, match="too few words"):
        embeddings.auc(words, pairs[:1])


def test_counting_finds_words_of_a_kind() -> None:
    vocabulary = Vocabulary.of(SENTENCES, Tokens("word", "marked"))
    words = embeddings.pmi_svd(SENTENCES, vocabulary, 4)
    assert "." not in words.words and words.vectors.shape == (len(words.words), 4)
    pairs = [embeddings.Pair(a, b, "name") for a, b in pairwise(("ana", "rui", "eva", "leo"))]
    pairs += [embeddings.Pair("ana", each, "") for each in ("cat", "sees", "now", "the")]
    assert embeddings.auc(words, pairs) > 0.9
    assert torch.equal(embeddings.at_random(vocabulary, 4).vectors, embeddings.at_random(vocabulary, 4).vectors)


def test_learning_is_shown_while_it_lasts() -> None:
    given = subject("recurrent-variational", SMALL | {"embedding": 16}, SENTENCES[::2], SENTENCES[1::2])
    *_, end = live.learn(given, SENTENCES[1::2], seconds=60, watched=("ana", "nobody"), show=2)
    assert end.share == 1.0 and end.step == 30 and end.result is not None and end.per_second > 0
    assert set(end.terms) == {"reconstruction", "divergence"} and end.words is not None and 0 <= end.words <= 1
    assert len(end.samples) == 2 and end.neighbours and len(end.neighbours["ana"]) == live.NEAR and "nobody" not in end.neighbours
    assert end.active is not None and uses.reconstruct(end.result, ["Ana sees the cat now."])
    short = subject("mender", SMALL | {"embedding": 16, "steps": 100_000}, SENTENCES[::2], SENTENCES[1::2])
    *_, end = live.learn(short, SENTENCES[1::2], seconds=0.5)
    assert end.step < 100_000 and end.result is not None and len(end.samples) == 3


def test_series_come_back_and_strange_windows_worse() -> None:
    lessons = taught_by("recurrent-series", steps=200, rate=1e-2)
    model, values = lessons.learnt(), ecg()
    assert abs(float(values.mean())) < 1e-5 and len(values) == 1024
    output, strange = rebuilt(model, values[:300])
    assert output.shape == strange.shape == (300,) and strange.min() >= 0
    windows = cut(values, 64, 4)
    assert scores(model, windows + 5).mean() > scores(model, windows).mean()
    assert 0.6 < auc(model, values[600:], "loose_contact") <= 1
    for kind in STRANGE:
        assert not torch.equal(STRANGE[kind](windows, rng()), windows)
        assert torch.equal(STRANGE[kind](windows, rng(3)), STRANGE[kind](windows, rng(3)))


@pytest.mark.parametrize("name", SEQUENCES)
def test_weights_return_as_they_were(name: str, tmp_path: Path) -> None:
    lessons = taught_by(name, steps=2)
    path = _saved(lessons, name, tmp_path)
    model, variant, vocabulary, card = weights.restore(path)
    assert variant == name and card.plan == lessons.plan.values()
    assert vocabulary == getattr(lessons.subject, "vocabulary", None)
    for a, b in zip(model.parameters(), lessons.learnt().parameters(), strict=True):
        assert torch.allclose(a, b, atol=float(b.detach().abs().max()) / 250)


def test_strangers_weights_are_refused(tmp_path: Path) -> None:
    path = _saved(taught_by("recurrent", steps=2), "recurrent", tmp_path)
    words = json.loads(path.with_suffix(".card.json").read_text())
    for change in (
        {"variant": "magic"},
        {"variant": "recurrent-series"},
        {"variant": 5},
        {"vocabulary": None},
        {"vocabulary": {"kind": "word", "capitals": "marked", "words": ["a", "a"]}},
        {"vocabulary": words["vocabulary"] | {"words": words["vocabulary"]["words"][:-1]}},
        {"plan": words["plan"] | {"width": 33}},
        {"plan": words["plan"] | {"width": 10**9}},
        {"parameters": 5},
        {"sha256": "0" * 64},
        {"more": 1},
    ):
        path.with_suffix(".card.json").write_text(json.dumps(words | change))
        with pytest.raises(Refused):
            weights.restore(path)
    path.with_suffix(".card.json").write_text("[" * 10_000)
    with pytest.raises(Refused, match="JSON"):
        weights.restore(path)
    with pytest.raises(Refused, match="no weights called"):
        weights.load("../../etc/passwd")


def test_the_command_learns_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text('variant = "recurrent-series"\ndata = "d"\nlicence = "l"\nsource = "s"\n[plan]\nsteps = 3\nwidth = 16\n')
    assert main(["train-text", str(recipe)]) == 0
    assert "auc" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.card.json", "tiny.safetensors", "tiny.toml"]
    recipe.write_text('variant = "recurrent"\ndata = "d"\nlicence = "l"\nsource = "s"\n')
    assert main(["train-text", str(recipe)]) == 1 and "corpus" in capsys.readouterr().err


@pytest.mark.parametrize("name", weights.NAMES)
def test_shipped_weights_are_what_their_cards_say(name: str) -> None:
    path = weights.SHIPPED[name]
    assert path.stat().st_size < 4_000_000
    model, variant, vocabulary, card = weights.restore(path)
    assert card.name == name and card.plan["steps"] >= card.steps > 100
    figures = card.metrics["held out"]
    if variant == "recurrent-series":
        given = Windows(ecg(), SeriesPlan.of(**card.plan))
        assert scores(model, cut(given.held, model.plan.window, 4)).mean().item() == pytest.approx(figures["mse"], rel=0.02)
        return
    from aecore.data.text import load_text

    held = load_text(f"everyday-{name[5:7]}").held[:60]
    taught = Taught(variant, model, vocabulary)
    if variant == "mender":
        from aecore.text.damage import DAMAGES, letter_error_rate

        damaged = [DAMAGES["mixed-letters"](each, 0.1, random.Random(3)) for each in held]
        left = letter_error_rate([each.sentence for each in uses.mend(taught, damaged)], held)
        assert left < 0.5 * letter_error_rate(damaged, held) and figures["left"] < 0.5 * figures["damage"]
        return
    words = recall(taught.recurrent, taught.rows(held), worded(vocabulary)).total.words
    assert words == pytest.approx(figures["words"], abs=0.08)


def _saved(lessons: Lessons, name: str, folder: Path) -> Path:
    from aecore.denoise.weights import card_for

    model = lessons.learnt()
    card = card_for(model, "tiny", data="d", licence="l", source="s", plan=lessons.plan, steps=2, seconds=1.0, metrics={"held out": {}})
    weights.save(model, card, name, getattr(lessons.subject, "vocabulary", None), folder / "tiny.safetensors")
    assert asdict(card)["name"] == "tiny"
    return folder / "tiny.safetensors"
