"""Contracts that every registered variant keeps, whatever it is."""

import math

import pytest
import torch

import aecore
from aecore import weights
from aecore.data import Images
from aecore.metrics import PCA
from aecore.models import VARIANTS, Autoencoder, blueprint
from aecore.models.registry import variant
from aecore.refusal import Refused
from aecore.training import Finished, Plan, Reported
from tests.synthetic import blobs

SHAPES = [(1, 28, 28), (3, 32, 32), (3, 64, 64), (1, 29, 31), (3, 17, 45), (1, 8, 8)]
every_variant = pytest.mark.parametrize("name", VARIANTS)


def batch(shape: tuple[int, int, int], count: int = 3) -> torch.Tensor:
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(0))


def learn(name: str, seed: int = 0, loss: str = "mse") -> tuple[Autoencoder, list[Reported], Finished]:
    data = blobs()
    model = aecore.build(name, data.shape, seed=seed, code=8, loss=loss)
    _, *events, finished = aecore.train(model, data, Plan(epochs=40, batch=16, rate=1e-2, seed=seed), device=torch.device("cpu"))
    assert isinstance(finished, Finished)
    return model, [event for event in events if isinstance(event, Reported)], finished


def test_there_are_variants() -> None:
    assert {"undercomplete", "convolutional"} <= set(VARIANTS)


@every_variant
def test_words_are_all_there(name: str) -> None:
    each = VARIANTS[name]
    assert each.name == name
    assert each.title and each.title[0].isupper()
    assert each.about.endswith(".") and len(each.about) > 20
    assert each.model.__doc__ != Autoencoder.__doc__
    assert "\\" in each.formula and "$" not in each.formula
    assert "(" in each.source and "https://" in each.source
    for knob in each.model.Config.knobs():
        assert knob.label and knob.help.endswith((".", "!", "?"))
        assert knob.check(knob.default) == knob.default


@every_variant
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("code", [1, 5])
def test_pictures_become_codes_become_pictures(name: str, shape: tuple[int, int, int], code: int) -> None:
    model = aecore.build(name, shape, code=code)
    x = batch(shape)
    codes = model.encode(x)
    assert codes.shape == (3, code)
    assert codes.dtype == torch.float32
    y = model.decode(1e3 * codes)
    assert y.shape == x.shape
    assert y.min() >= 0 and y.max() <= 1
    torch.testing.assert_close(model(x), model.decode(codes), rtol=0, atol=0)
    torch.testing.assert_close(model.encode(x[:1]), codes[:1])  # a picture's code does not depend on its neighbours


@every_variant
@pytest.mark.parametrize("shape", SHAPES[:5], ids=str)
@pytest.mark.parametrize("loss", ["cross-entropy", "mse"])
def test_every_parameter_has_a_slope(name: str, shape: tuple[int, int, int], loss: str) -> None:
    model = aecore.build(name, shape, code=5, loss=loss)
    terms = model.loss(batch(shape, 8), torch.Generator().manual_seed(0))
    assert terms and all(value.shape == () and value.isfinite() for value in terms.values())
    torch.stack(list(terms.values())).sum().backward()
    for parameter, value in model.named_parameters():
        assert value.grad is not None and bool(value.grad.isfinite().all()) and bool(value.grad.any()), parameter


@every_variant
def test_names_of_the_terms_do_not_depend_on_an_option(name: str) -> None:
    terms = [
        aecore.build(name, (1, 12, 12), loss=loss).loss(batch((1, 12, 12)), torch.Generator()).keys() for loss in ("mse", "cross-entropy")
    ]
    assert terms[0] == terms[1]


@every_variant
@pytest.mark.parametrize("loss", ["mse", "cross-entropy"])
def test_learns_what_can_be_learnt(name: str, loss: str) -> None:
    """Two hidden numbers explain a picture, so a code of eight leaves less than a tenth of the mean picture's error."""
    data = blobs()
    x = data.test.float() / 255
    untrained = (x - data.train.float().mean(0) / 255).square().mean().item()
    model, reports, finished = learn(name, loss=loss)
    assert finished.reason == "complete"
    assert finished.test["mse"] < 0.1 * untrained
    assert (model(x) - x).square().mean().item() == pytest.approx(finished.test["mse"], rel=1e-5)
    assert sum(reports[-1].validation.values()) < sum(reports[0].validation.values())


@every_variant
def test_mostly_black_pictures_do_not_end_all_black(name: str) -> None:
    """Squared error behind a sigmoid once left the convolutional decoder black for good, even at the default rate."""
    digits = aecore.data.load("digits")
    part = Images(digits.train[:2000], digits.train_labels[:2000], digits.test[:200], digits.test_labels[:200], digits.classes)
    model = aecore.build(name, part.shape, loss="mse")
    *_, finished = aecore.train(model, part, Plan(epochs=8), device=torch.device("cpu"))
    assert isinstance(finished, Finished)
    assert finished.test["mse"] < 0.06  # the mean picture has 0.0675, a black one 0.115


@every_variant
def test_same_seed_same_numbers_and_another_seed_others(name: str) -> None:
    first, reports, _ = learn(name)
    torch.rand(7)  # the global generator is nobody's business
    again, same, _ = learn(name)
    _, others, _ = learn(name, seed=1)
    assert [(each.train, each.validation) for each in reports] == [(each.train, each.validation) for each in same]
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert reports[-1].validation != others[-1].validation


@every_variant
def test_saved_and_loaded_gives_the_same_output(name: str) -> None:
    model, _, finished = learn(name)
    loaded, _ = weights.unpack(*weights.pack(model, weights.card_for(model, "blobs", "own", Plan(), finished)))
    x = batch((1, 12, 12))
    assert type(loaded) is type(model)
    assert loaded.config == model.config
    assert torch.equal(loaded.encode(x), model.encode(x))
    assert torch.equal(loaded(x), model(x))


@every_variant
def test_every_knob_at_both_ends_is_built_or_refused(name: str) -> None:
    for knob in VARIANTS[name].model.Config.knobs():
        limits = knob.limits
        ends = (limits.low, limits.high) if hasattr(limits, "low") else getattr(limits, "options", (True, False))
        for end in ends:
            try:
                assert blueprint(name, (3, 32, 32), **{knob.name: end}).config.values()[knob.name] == end
            except Refused as refusal:
                assert "million parameters" in str(refusal)


@every_variant
def test_weights_are_drawn_from_the_seed_in_pytorchs_own_spread(name: str) -> None:
    a, b, c = (aecore.build(name, (1, 28, 28), seed=seed) for seed in (3, 3, 4))
    for (parameter, x), y, z in zip(a.named_parameters(), b.parameters(), c.parameters(), strict=True):
        assert torch.equal(x, y), parameter
        assert not torch.equal(x, z), parameter
        assert bool(x.isfinite().all()) and x.std() > 0, parameter
    last = next(module for module in reversed(list(a.modules())) if isinstance(module, torch.nn.Linear))
    assert last.weight.abs().max().item() <= last.in_features**-0.5
    assert last.weight.std().item() == pytest.approx(last.in_features**-0.5 / math.sqrt(3), rel=0.05)


def test_a_linear_one_under_squared_error_finds_the_plane_of_pca() -> None:
    """Baldi and Hornik (1989): no better plane exists, and learning finds it."""
    data = blobs(train=1000)
    x = data.test.float() / 255
    model = aecore.build("undercomplete", data.shape, code=4, depth=0, loss="mse")
    plan = Plan(epochs=100, batch=32, rate=1e-2)
    *_, finished = aecore.train(model, data, plan, device=torch.device("cpu"))
    assert isinstance(finished, Finished)
    line = (PCA.fit(data.train, 4).reconstruct(x) - x).square().mean().item()
    assert finished.test["mse"] == pytest.approx(line, rel=0.05)


def test_784_32_784_has_its_well_known_number_of_parameters() -> None:
    assert aecore.build("undercomplete", (1, 28, 28), code=32, depth=0).parameter_count() == 784 * 32 + 32 + 32 * 784 + 784


def test_too_large_a_model_is_refused_before_memory_is_taken() -> None:
    with pytest.raises(Refused, match="million parameters"):
        aecore.build("undercomplete", (3, 5000, 5000), code=2048)


def test_unknown_variants_and_knobs_are_refused_with_the_choices() -> None:
    with pytest.raises(Refused, match="undercomplete"):
        aecore.build("omniscient", (1, 28, 28))
    with pytest.raises(Refused, match="width"):
        aecore.build("undercomplete", (1, 28, 28), breadth=3)


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        variant("undercomplete", title="", formula="", source="")(Autoencoder)
