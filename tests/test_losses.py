"""Loss terms against the same formulas written out in float64, and against PyTorch's own."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from aecore import losses


def pictures(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_mse_is_the_mean_over_batch_and_pixels() -> None:
    a, b = pictures(0, 5, 3, 7, 6), pictures(1, 5, 3, 7, 6)
    assert losses.mse(a, b).item() == pytest.approx(float(((a.double().numpy() - b.double().numpy()) ** 2).mean()), rel=1e-6)
    assert losses.mse(torch.tensor([0.0, 1.0, 0.5, 0.5]), torch.tensor([0.0, 0.0, 0.5, 1.0])).item() == pytest.approx(1.25 / 4)


def test_cross_entropy_is_the_textbook_formula_in_nats() -> None:
    logits, x = 8 * pictures(2, 6, 1, 9, 5) - 4, pictures(3, 6, 1, 9, 5)
    z, t = logits.double().numpy(), x.double().numpy()
    p = 1 / (1 + np.exp(-z))
    assert losses.cross_entropy(logits, x).item() == pytest.approx(float(-(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()), rel=1e-6)
    assert losses.cross_entropy(torch.zeros(4), torch.ones(4)).item() == pytest.approx(np.log(2))


def test_cross_entropy_stays_finite_and_right_far_out() -> None:
    logits, x = torch.tensor([-1e4, -200.0, 200.0, 1e4, -30.0, 30.0]), torch.tensor([1.0, 0.0, 0.25, 1.0, 0.5, 0.5])
    expected = np.array([1e4, 0, 150, 0, 15, 15])  # |z| times the distance from the side that z is sure of
    each = [losses.cross_entropy(z[None], t[None]).item() for z, t in zip(logits, x, strict=True)]
    assert each == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("centre", [-20.0, -3.0, 0.0, 3.0, 20.0])
def test_cross_entropy_and_its_slope_agree_with_pytorchs(centre: float) -> None:
    x = pictures(4, 4, 1, 8, 8)
    logits = centre + pictures(5, 4, 1, 8, 8)
    mine, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    loss, reference = losses.cross_entropy(mine, x), functional.binary_cross_entropy_with_logits(theirs, x)
    (3 * loss).backward()
    (3 * reference).backward()
    torch.testing.assert_close(loss, reference, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-5, atol=1e-8)


def test_slope_is_what_finite_differences_say() -> None:
    logits = torch.tensor([-2.0, -0.1, 0.0, 0.1, 2.0], dtype=torch.float64, requires_grad=True)
    x = torch.tensor([0.0, 0.2, 0.3, 0.9, 1.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda z: losses.cross_entropy(z, x), logits)


def test_inputs_are_left_as_they_were() -> None:
    logits, x = torch.tensor([-1.0, 2.0]), torch.tensor([0.3, 0.6])
    losses.cross_entropy(logits, x)
    losses.mse(logits, x)
    assert logits.tolist() == [-1.0, 2.0]
    assert x.tolist() == pytest.approx([0.3, 0.6])


def test_l1_adds_up_the_units_and_averages_the_pictures() -> None:
    assert losses.l1(torch.tensor([[1.0, -2.0, 0.0], [0.0, 0.5, -0.5]])).item() == pytest.approx((3 + 1) / 2)
    code = torch.tensor([[-2.0, 0.0, 3.0]], requires_grad=True)
    losses.l1(code).backward()
    assert code.grad is not None and code.grad.tolist() == [[-1, 0, 1]]


def test_kl_bernoulli_is_pytorchs_own_added_up_and_0_where_rates_agree() -> None:
    rates = torch.tensor([0.01, 0.05, 0.3, 0.5, 0.99])
    theirs = torch.distributions.kl_divergence(torch.distributions.Bernoulli(0.05), torch.distributions.Bernoulli(rates)).sum()
    assert losses.kl_bernoulli(0.05, rates).item() == pytest.approx(theirs.item(), rel=1e-5)
    assert losses.kl_bernoulli(0.2, torch.full((7,), 0.2)).item() == pytest.approx(0, abs=1e-6)


def test_kl_bernoulli_is_finite_with_the_right_slope_at_the_ends() -> None:
    rates = torch.tensor([0.0, 1.0])
    expected = 2 * (0.05 * np.log(0.05) + 0.95 * np.log(0.95)) - np.log(1e-6)
    assert losses.kl_bernoulli(0.05, rates).item() == pytest.approx(expected, rel=1e-2)
    inside = torch.tensor([0.02, 0.6], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda r: losses.kl_bernoulli(0.05, r), inside)
