"""The wide code copies whatever it is shown until a cure forbids it; the narrow one's new knobs do what they say."""

import pytest
import torch

import aecore
from aecore import weights
from aecore.data import Images
from aecore.inspect import baselines, identity_gap, identity_test
from aecore.training import Finished, Plan
from tests.synthetic import blobs

CURES = ("l1", "top-k", "noise", "contraction")


def measured(cure: str) -> tuple[float, float]:
    """Identity gap and PSNR of white noise, in dB, after a short run on some digits."""
    digits = aecore.data.load("digits")
    part = Images(digits.train[:1500], digits.train_labels[:1500], digits.test[:300], digits.test_labels[:300], digits.classes)
    model = aecore.build("overcomplete", part.shape, cure=cure)
    list(aecore.train(model, part, Plan(epochs=8), device=torch.device("cpu")))
    probes = identity_test(model, part)
    return identity_gap(probes), probes["noise"].psnr


def test_without_a_cure_white_noise_comes_back_and_with_each_cure_it_does_not() -> None:
    gap, noise = measured("none")
    assert abs(gap) < 1 and noise > 50
    for cure in CURES:
        cured_gap, cured_noise = measured(cure)
        assert cured_gap > 5, cure
        assert cured_noise < 12, cure  # a grey field has 10.8 dB


@pytest.mark.parametrize("code", [144, 200])
def test_a_wide_network_starts_as_an_exact_copy_and_a_narrow_one_does_not(code: int) -> None:
    x = torch.rand(4, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(aecore.build("overcomplete", (1, 12, 12), code=code)(x), x, rtol=0, atol=1e-2)
    assert (aecore.build("overcomplete", (1, 12, 12), code=code // 2)(x) - x).abs().mean() > 0.05


def test_the_top_k_cure_keeps_as_many_units_as_its_strength_says() -> None:
    x = torch.rand(4, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    for strength, kept in ((0.0, 256), (0.5, 16), (1.0, 1)):
        code = aecore.build("overcomplete", (1, 12, 12), code=256, cure="top-k", strength=strength).encode(x)
        assert (code != 0).sum(1).tolist() == [kept] * 4


@pytest.mark.parametrize("cure", ["none", *CURES])
def test_terms_have_the_same_names_whatever_the_cure(cure: str) -> None:
    model = aecore.build("overcomplete", (1, 12, 12), code=20, cure=cure)
    terms = model.loss(torch.rand(3, 1, 12, 12), torch.Generator().manual_seed(0))
    assert list(terms) == ["reconstruction", "cure"]
    assert (terms["cure"] > 0) == (cure in ("l1", "contraction"))


def test_a_linear_narrow_network_reaches_the_pca_line_of_digits() -> None:
    digits = aecore.data.load("digits")
    model = aecore.build("undercomplete", digits.shape, code=8, depth=0, linear=True, loss="mse")
    *_, finished = aecore.train(model, digits, Plan(epochs=30, rate=5e-3), device=torch.device("cpu"))
    assert isinstance(finished, Finished)
    assert finished.test["mse"] == pytest.approx(baselines(digits, 8, "mse").pca, rel=0.02)


def test_a_linear_network_adds_up_however_deep_it_is() -> None:
    model = aecore.build("undercomplete", (1, 6, 6), code=5, depth=2, linear=True)
    a, b = torch.rand(2, 4, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(model.encoder((a + b) / 2), (model.encoder(a) + model.encoder(b)) / 2)


def test_tied_weights_are_one_parameter_before_and_after_a_file() -> None:
    knobs = {"code": 5, "depth": 1, "width": 16, "tied": True}
    model = aecore.build("undercomplete", (1, 6, 6), **knobs)
    *_, finished = aecore.train(model, blobs((1, 6, 6), train=64, test=8), Plan(epochs=2, batch=16), device=torch.device("cpu"))
    assert isinstance(finished, Finished)
    assert model.parameter_count() == 36 * 16 + 16 * 5 + 16 + 5 + 16 + 36
    files = weights.pack(model, weights.card_for(model, "tied", "own", Plan(), finished))
    loaded, _ = weights.unpack(*files)
    x = torch.rand(3, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    for each in (model, loaded):
        assert each.get_submodule("decoder.0").weight is each.get_submodule("encoder.3").weight
        assert each.get_submodule("decoder.2").weight is each.get_submodule("encoder.1").weight
    assert torch.equal(loaded(x), model(x))
    alone = weights.load_half(weights.half(model, "decoder"), files[1])
    assert torch.equal(alone(model.encode(x)), model.decoder(model.encode(x)))
