"""An autoencoder that learns from one noisy signal alone."""

import torch

from aecore.metrics import si_sdr
from aecore.signals import alone, samples
from aecore.signals.noise import white


def last(values: torch.Tensor, **limits: float) -> torch.Tensor:
    *_, end = alone.learn(values, **limits)  # type: ignore[arg-type]
    assert end.result is not None and end.share == 1
    return end.result


def test_a_hidden_sample_cannot_be_seen() -> None:
    lone = alone._Lone(torch.randn(1, 500, generator=torch.Generator().manual_seed(0)), 0)
    before = lone._guessed(lone.mean, slice(0, 500))
    lone.signal[0, 250] += 10
    after = lone._guessed(lone.mean, slice(0, 500))
    assert after[0, 250] == before[0, 250] and not torch.equal(after, before)


def test_noise_goes_out_of_an_ecg_that_is_all_there_is() -> None:
    clean = torch.from_numpy(samples.ecg().columns["ecg"])[None]
    noisy = white(clean, 5, torch.Generator().manual_seed(0), 1).to(clean.dtype)
    glimpses = list(alone.learn(noisy, steps=150, seconds=1000))
    end = glimpses[-1]
    assert end.result is not None and end.result.dtype == clean.dtype
    assert si_sdr(end.result, clean) > si_sdr(noisy, clean) + 5
    shares = [each.share for each in glimpses]
    assert shares == sorted(shares) and shares[-1] == 1
    assert glimpses[0].output is not None and glimpses[0].output.shape == (1, 1024) and glimpses[0].result is None


def test_the_same_seed_gives_the_same_numbers_and_another_others() -> None:
    noisy = torch.sin(torch.arange(800) * 0.1)[None] + torch.randn(1, 800, generator=torch.Generator().manual_seed(0))
    once, again, other = (last(noisy, steps=30, seconds=1000, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(once, again) and not torch.equal(once, other)


def test_a_long_stereo_sound_learns_with_the_larger_network() -> None:
    clean = torch.stack([torch.sin(torch.arange(20_000) * step) for step in (0.05, 0.08)])
    noisy = white(clean, 0, torch.Generator().manual_seed(0), 16_000)
    assert si_sdr(last(noisy, steps=100, seconds=1000), clean) > 3


def test_it_ends_by_the_clock_and_once_it_memorises() -> None:
    noisy = torch.randn(1, 300, generator=torch.Generator().manual_seed(0))
    *_, end = alone.learn(noisy, steps=1_000_000, seconds=0.3)
    assert end.step < 10_000
    *_, end = alone.learn(noisy, steps=1_000_000, seconds=1000)
    assert end.step < 10_000


def test_tiny_and_constant_signals_come_back() -> None:
    for shape in ((1, 1), (2, 2), (1, 5)):
        assert last(torch.ones(shape), steps=3).allclose(torch.ones(shape))
