"""The variant that writes symbols: which entry is nearest, whose slope is whose, who comes back from the dead."""

import math

import pytest
import torch

import aecore
from aecore.data import Images
from aecore.models.vector_quantised import DEAD_AFTER, VectorQuantised
from aecore.training import Finished, Plan, Started, Training
from tests.synthetic import blobs

CPU = torch.device("cpu")
NO_RNG = torch.Generator()
SHAPE = (1, 12, 12)


def built(shape: tuple[int, int, int] = SHAPE, **knobs: object) -> VectorQuantised:
    model = aecore.build("vector-quantised", shape, **knobs)
    assert isinstance(model, VectorQuantised)
    return model


def batch(count: int = 6) -> torch.Tensor:
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(0))


def digits(count: int = 2000) -> Images:
    every = aecore.data.load("digits")
    return Images(every.train[:count], every.train_labels[:count], every.test[:500], every.test_labels[:500], every.classes)


@pytest.mark.parametrize(("code", "piece", "symbols"), [(32, 4, 8), (30, 4, 15), (7, 3, 7), (5, 100, 1), (6, 256, 3), (8, 256, 1)])
def test_each_piece_becomes_its_nearest_entry(code: int, piece: int, symbols: int) -> None:
    model = built(code=code, piece=piece, entries=50)
    z = model.encoder(batch())
    far = (z.view(6, symbols, 1, -1) - model.codebook).square().sum(3)
    assert torch.equal(model.symbols(batch()), far.argmin(2))
    q = model.encode(batch()).view(6, symbols, -1)
    torch.testing.assert_close((z.view_as(q) - q).square().sum(2), far.amin(2))


def test_symbols_are_all_that_the_decoder_needs() -> None:
    model = built()
    symbols = model.symbols(batch())
    assert symbols.shape == (6, 8) and symbols.dtype == torch.int64
    assert torch.equal(model.decode(model.read(symbols)), model(batch()))
    assert torch.equal(model.nearest(model.encode(batch())), symbols)


@pytest.mark.parametrize(
    ("knobs", "bits"), [({}, 64), ({"piece": 32}, 8), ({"piece": 1, "entries": 2}, 32), ({"code": 6, "entries": 100}, 3 * math.log2(100))]
)
def test_bits(knobs: dict[str, int], bits: float) -> None:
    assert built(**knobs).bits() == pytest.approx(bits)


def test_the_encoder_gets_the_slope_of_what_the_decoder_read() -> None:
    """And the entries none of it: they follow the encoder, by a loss of their own."""
    model = built(commitment=0.0)
    z = model.encoder(batch()).detach()
    bias = list(model.encoder.parameters())[-1]
    (slope,) = torch.autograd.grad(model.loss(batch(), NO_RNG)["reconstruction"], bias)
    q = model.read(model.nearest(z)).detach().requires_grad_()
    (expected,) = torch.autograd.grad(model.distance(model.decoder(q), batch()), q)
    torch.testing.assert_close(slope, expected.sum(0))
    reconstruction = model.loss(batch(), NO_RNG)["reconstruction"]
    assert torch.autograd.grad(reconstruction, model.codebook, allow_unused=True) == (None,)


def test_codebook_and_commitment_pull_at_one_side_each() -> None:
    model = built(commitment=2.0)
    terms = model.loss(batch(), NO_RNG)
    z, q = model.encoder(batch()), model.encode(batch())
    distance = (z - q).square().sum(1).mean() / math.prod(SHAPE)
    torch.testing.assert_close(terms["codebook"], distance)
    torch.testing.assert_close(terms["commitment"], 2 * distance)
    encoder, codebook = next(model.encoder.parameters()), model.codebook
    assert [each is None for each in torch.autograd.grad(terms["codebook"], (encoder, codebook), allow_unused=True)] == [True, False]
    assert [each is None for each in torch.autograd.grad(terms["commitment"], (encoder, codebook), allow_unused=True)] == [False, True]


def test_silence_is_counted_in_symbols_and_ends_with_a_use() -> None:
    model = built(revival=False)
    used = torch.zeros(256, dtype=torch.bool).index_fill(0, model.symbols(batch()).flatten(), True)
    before = model.codebook.clone()
    for _ in range(3):
        model.after_step(batch(), NO_RNG)
    assert (model.silent[used] == 0).all() and (model.silent[~used] == DEAD_AFTER * 256 + 3 * 6 * 8).all() and not used.all()
    assert torch.equal(model.codebook, before)


def test_the_dead_are_moved_onto_what_the_encoder_writes_and_the_living_stay() -> None:
    model = built()
    used = torch.zeros(256, dtype=torch.bool).index_fill(0, model.symbols(batch()).flatten(), True)
    before = model.codebook.detach().clone()
    with torch.no_grad():
        model.after_step(batch(), NO_RNG.manual_seed(0))
        pieces = model.encoder(batch()).view(-1, 4)
    assert torch.equal(model.codebook[used], before[used])
    assert (model.codebook[~used, None] == pieces).all(2).any(1).all()
    assert (model.silent == 0).all()


def test_revival_keeps_the_codebook_from_collapsing() -> None:
    """With a single symbol for each picture, nearly all pictures once shared two of 64 entries."""
    used = {}
    for revival in (False, True):
        model = built(digits().shape, piece=32, entries=64, revival=revival)
        list(aecore.train(model, digits(), Plan(epochs=5, batch=32), device=CPU))
        used[revival] = len(model.symbols(digits().test.float() / 255).unique())
    assert used[False] < 20 and used[True] > 55, used


def test_more_bits_give_better_pictures() -> None:
    data, errors = digits(), []
    for entries in (2, 64):
        model = built(data.shape, entries=entries)
        *_, finished = aecore.train(model, data, Plan(epochs=5, batch=32), device=CPU)
        assert isinstance(finished, Finished)
        errors.append(finished.test["mse"])
    assert errors[1] < 0.8 * errors[0]


def test_a_run_from_a_checkpoint_equals_one_never_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries die and are moved within these few steps, so the counts of silence have to travel too."""
    monkeypatch.setattr("aecore.models.vector_quantised.DEAD_AFTER", 1)
    data, plan = blobs(), Plan(epochs=3, batch=16)
    whole = Training(built(entries=200), data, plan, device=CPU)
    first = Training(built(entries=200), data, plan, device=CPU)
    list(whole.events())
    for event in first.events():
        if not isinstance(event, Started) and first.progress.step == 17:
            break
    assert isinstance(first.model, VectorQuantised) and first.model.silent.any()
    second = Training(built(entries=200), data, plan, device=CPU, checkpoint=first.checkpoint())
    list(second.events())
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[key]), key
