"""Noise out of sounds and series: metric, network, pieces, noise, training, weights, filters, command."""

import io
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

from aecore import __main__ as cli
from aecore.commands import denoise as command
from aecore.denoise.training import Lessons
from aecore.metrics import si_sdr
from aecore.refusal import Refused
from aecore.signals import SignalDenoiser, classic, denoise, denoise_series, pieces, samples, spectral, weights
from aecore.signals.made import series, tone
from aecore.signals.noise import KINDS
from aecore.signals.spectral import SpectralDenoiser
from aecore.signals.training import Plan, Series, Sounds, read_sounds


def untaught() -> SignalDenoiser:
    """Takes something away, but little."""
    model = SignalDenoiser((8, 12, 16), (1, 1, 2))
    model.initialise(torch.Generator().manual_seed(0))
    return model.eval()


def spectral_untaught() -> SpectralDenoiser:
    """As it is before it learns."""
    model = SpectralDenoiser((8, 12, 16))
    model.initialise(torch.Generator().manual_seed(0))
    return model.eval()


MODEL, SPECTRAL = untaught(), spectral_untaught()
BOTH = pytest.mark.parametrize("model", [MODEL, SPECTRAL], ids=["samples", "spectra"])


def signal(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_si_sdr_by_hand() -> None:
    target = torch.tensor([[1.0, -1.0, 1.0, -1.0]])
    rest = torch.tensor([[1.0, 1.0, -1.0, -1.0]])  # of the same power, and at a right angle
    assert si_sdr(target + 0.1 * rest, target) == pytest.approx(20)
    assert si_sdr(5 * (target + 0.1 * rest) + 3, target) == pytest.approx(20)  # neither loudness nor level counts
    assert si_sdr(torch.cat([target + 0.1 * rest, target + rest]), target.expand(2, -1)) == pytest.approx(10)  # 20 and 0
    assert si_sdr(2 * target, target) == math.inf and si_sdr(torch.zeros(1, 4), target) == -math.inf


@BOTH
def test_network_scales_with_its_input(model: nn.Module) -> None:
    x = signal(2, 1, 1000)
    with torch.no_grad():
        assert model(x).shape == x.shape and not torch.allclose(model(x), x, atol=1e-2)
        assert torch.allclose(model(3 * x), 3 * model(x), atol=1e-4)


@BOTH
@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (1, 129), (2, 5000)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_any_length_comes_back(model: nn.Module, shape: tuple[int, int], dtype: torch.dtype) -> None:
    clean = denoise(model, signal(*shape).to(dtype))
    assert clean is not None and clean.shape == shape and clean.dtype == dtype and clean.isfinite().all()


@BOTH
def test_unit_and_level_do_not_matter_and_constants_stay(model: nn.Module) -> None:
    values = signal(1, 3000).double()
    once, far = denoise(model, values), denoise(model, 1e200 * (values + 100))
    assert once is not None and far is not None and torch.allclose(far / 1e200 - 100, once, atol=0.02)
    for constant in (0.0, 7.5):
        flat = denoise(model, torch.full((2, 300), constant))
        assert flat is not None and flat.eq(constant).all()


def test_pieces_and_whole_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "has_bfloat16", lambda: False)
    monkeypatch.setattr(pieces, "_mended", lambda model, piece: model(piece[None, None])[0, 0])  # its level is each piece's own
    values = signal(1, 100_000)
    whole = denoise(MODEL, values)
    _small_pieces(monkeypatch)
    parts = denoise(MODEL, values)
    assert whole is not None and parts is not None and not torch.equal(whole, values)
    assert torch.allclose(whole, parts, atol=1e-4)


def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE", 1 << 15)
    monkeypatch.setattr(pieces, "OVERLAP", 1 << 14)


def test_full_network_sees_no_further_than_the_overlap_allows() -> None:
    model = SignalDenoiser()
    model.initialise(torch.Generator().manual_seed(0))
    x = signal(1, 1, 12_800).requires_grad_()
    model(x)[0, 0, 6400].backward()
    assert x.grad is not None
    seen = x.grad[0, 0].nonzero()
    assert int((seen - 6400).abs().max()) < pieces.OVERLAP // 4


def test_full_spectral_network_sees_no_further_than_the_overlap_allows() -> None:
    model = SpectralDenoiser()
    model.initialise(torch.Generator().manual_seed(0))
    reach = []
    for column in range(32, 32 + spectral.STRIDE**2):  # they lie differently under the coarser levels
        grid = signal(1, 2 * spectral.VALUES, 16, 64).requires_grad_()
        model.answer(grid)[0, :, 8, column].sum().backward()
        assert grid.grad is not None
        reach.append(int((grid.grad.abs().sum((0, 1, 2)).nonzero() - column).abs().max()))
    assert max(reach) > 16 and max(reach) * spectral.HOP + spectral.LONG <= pieces.OVERLAP // 4


def test_spectra_with_all_gains_at_one_give_the_sound_back() -> None:
    x = 1000 * signal(1, 1, 4001)
    model = spectral_untaught()
    assert model.last.bias is not None
    model.last.weight.data.zero_()
    model.last.bias.data[:-1] = 1e4
    for share in (-3.0, 0.0, 3.0):  # whichever window is trusted
        model.last.bias.data[-1] = share
        assert torch.allclose(model(x), x, atol=1e-2)


def test_an_untaught_spectral_network_takes_noise_from_a_tone_and_not_from_silence() -> None:
    clean = torch.sin(torch.arange(64_000) * 0.05)[None]
    noisy = KINDS["white"](clean, 5, torch.Generator().manual_seed(0), 16_000)
    output = denoise(SPECTRAL, noisy)
    assert output is not None and si_sdr(output, clean) > si_sdr(noisy, clean) + 10
    assert si_sdr(denoise(SPECTRAL, clean), clean) > 25  # type: ignore[arg-type]
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = SPECTRAL(noisy[None])
        assert rounded.dtype == torch.float32 and si_sdr(rounded[0], output) > 25
        assert SPECTRAL(torch.zeros(2, 1, 3000)).eq(0).all()


def test_progress_rises_to_one_and_it_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    _small_pieces(monkeypatch)
    shares: list[float] = []
    assert denoise(MODEL, signal(2, 60_000), progress=shares.append) is not None
    assert shares == sorted(shares) and shares[-1] == 1 and len(shares) > 4
    shares.clear()
    assert denoise(MODEL, signal(2, 60_000), progress=shares.append, stopped=lambda: len(shares) == 2) is None
    assert len(shares) == 2


def test_what_is_missing_stays_missing() -> None:
    values = np.array([1.0, np.nan, 3.0, 2.0, np.nan])
    assert pieces.filled(values).tolist() == [1, 2, 3, 2, 2]
    clean = denoise_series(MODEL, values)
    assert clean is not None and np.isnan(clean).tolist() == [False, True, False, False, True]


@pytest.mark.parametrize("kind", KINDS)
def test_noise_has_the_power_that_is_asked_for(kind: str) -> None:
    clean = torch.sin(torch.arange(16_000) * 0.05).expand(2, -1) + 5  # the level is no power
    for snr in (0, 20):
        noisy = KINDS[kind](clean, snr, torch.Generator().manual_seed(0), 16_000)
        again = KINDS[kind](clean, snr, torch.Generator().manual_seed(0), 16_000)
        assert torch.equal(noisy, again)
        ratio = (clean - 5).square().mean() / (noisy - clean).square().mean()
        assert 10 * math.log10(ratio) == pytest.approx(snr, abs=0.1)
    assert KINDS[kind](torch.zeros(1, 1), 5, torch.Generator().manual_seed(0), 8000).isfinite().all()


@pytest.mark.parametrize("make", [series, tone])
@pytest.mark.parametrize("length", [256, 5000])
def test_made_signals_are_even_in_level_and_seeded(make, length: int) -> None:  # type: ignore[no-untyped-def]
    for seed in range(12):
        values = make(length, torch.Generator().manual_seed(seed))
        assert values.shape == (length,) and values.isfinite().all()
        assert abs(float(values.mean())) < 1e-3 and float(values.std()) == pytest.approx(1, abs=0.01)
        assert torch.equal(values, make(length, torch.Generator().manual_seed(seed)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-one short sounds at three rates."""
    place = tmp_path_factory.mktemp("sounds")
    for index in range(21):
        values = 0.1 * tone(6000, torch.Generator().manual_seed(index)).numpy()
        soundfile.write(place / f"{index}.wav", values, (8000, 16_000, 48_000)[index % 3])
    return place


@pytest.mark.parametrize("subject", ["sounds", "series"])
def test_a_run_cut_in_two_gives_the_same_weights(folder: Path, subject: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aecore.signals.training.TONES", 1)
    plan = Plan(steps=3, batch=2, length=512, seed=3)
    taught = Sounds(read_sounds([folder]), plan) if subject == "sounds" else Series(plan)
    whole, first = Lessons(taught), Lessons(taught)
    assert list(whole.steps()) == [1, 2, 3]
    next(first.steps())
    second = Lessons(taught, first.checkpoint())
    assert list(second.steps()) == [2, 3]
    for a, b in zip(whole.learnt().parameters(), second.learnt().parameters(), strict=True):
        assert torch.equal(a, b)
    noisy, clean = taught.batch(torch.Generator().manual_seed(0))
    assert noisy.shape == clean.shape == (2, 1, 512) and noisy.isfinite().all() and not torch.equal(noisy, clean)


def test_the_commands_train_and_use_a_denoiser(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("aecore.signals.training.TONES", 1)
    recipe = tmp_path / "tiny.toml"
    recipe.write_text('data = "d"\nlicence = "l"\nsource = "s"\n[plan]\nsteps = 2\nbatch = 2\nlength = 512\n')
    for name, options in (("sound", ["--sounds", str(folder)]), ("series", ["--series"])):
        assert cli.main(["train-denoiser", str(recipe), *options]) == 0
        monkeypatch.setitem(weights.SHIPPED, name, tmp_path / "tiny.safetensors")
        model, card = weights.load(name)
        assert (card.steps, card.plan["length"]) == (2, 512) and set(card.metrics["held out"]) == {"si_sdr_snr_5", "si_sdr_snr_15"}
        assert model(torch.randn(1, 1, 77)).shape == (1, 1, 77)
    assert cli.main(["train-denoiser", str(recipe), "--photos", str(folder)]) == 1
    assert "no setting called length" in capsys.readouterr().err


def test_denoise_takes_sounds_and_tables_beside_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(command, "_signal_model", lambda name: MODEL)
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    soundfile.write(folder / "a.wav", 0.1 * signal(900, 2).numpy(), 16_000, subtype="PCM_24")
    (folder / "b.csv").write_text("t;x;note\n" + "".join(f"{place};{place % 7},5;n\n" for place in range(50)))
    (folder / "c.csv").write_text("name\nAna\n")
    assert cli.main(["denoise", str(folder), "-o", str(output)]) == 1
    printed = capsys.readouterr()
    assert "c.csv has no column of numbers" in printed.err and "2 of 3 files" in printed.out
    info = soundfile.info(io.BytesIO((output / "a.wav").read_bytes()))
    assert (info.frames, info.channels, info.subtype) == (900, 2, "PCM_24")
    before, after = ((place / "b.csv").read_text().splitlines() for place in (folder, output))
    assert before != after and [row.split(";")[::2] for row in before] == [row.split(";")[::2] for row in after]
    for name in ("a.wav", "b.csv"):
        assert cli.main(["denoise", str(folder / name), "-o", str(output), "--strength", "0"]) == 0
    assert (output / "b.csv").read_bytes() == (folder / "b.csv").read_bytes()
    same = [soundfile.read(place / "a.wav", dtype="int32")[0] for place in (folder, output)]
    assert np.array_equal(*same)
    assert cli.main(["denoise", str(folder / "b.csv"), "-o", str(output), "--columns", "t,y"]) == 1
    assert "no column of numbers called y; it has: t, x" in capsys.readouterr().err


@pytest.mark.parametrize("name", classic.FILTERS)
def test_filters_take_noise_away_and_any_length(name: str) -> None:
    time = torch.arange(64_000)
    clean = torch.sin(time * 0.05)[None] * (time // 8000 % 4 == 0)  # a quarter of the time
    noisy = KINDS["white"](clean, 5, torch.Generator().manual_seed(0), 16_000)
    assert si_sdr(classic.FILTERS[name](noisy), clean) > si_sdr(noisy, clean) + 3
    for shape in ((1, 1), (2, 5), (1, 40), (2, 1500)):
        for values in (signal(*shape), torch.zeros(shape, dtype=torch.float64)):
            output = classic.FILTERS[name](values)
            assert output.shape == shape and output.dtype == values.dtype and output.isfinite().all()


def test_shipped_denoisers_take_noise_away() -> None:
    for name, least in (("guitar", 10), ("piano", 14)):
        sound = samples.sound(name)
        assert (sound.rate, sound.values.shape[0]) == (16_000, 1)
        clean = sound.values[:, 8000:40_000]
        noisy = KINDS["white"](clean, 5, torch.Generator().manual_seed(0), sound.rate)
        output = denoise(weights.load("sound")[0], noisy)
        assert output is not None and si_sdr(output, clean) > si_sdr(noisy, clean) + least
    clean = torch.from_numpy(samples.ecg().columns["ecg"])[None]
    noisy = KINDS["white"](clean, 5, torch.Generator().manual_seed(0), 1)
    output = denoise(weights.load("series")[0], noisy)
    assert output is not None and si_sdr(output, clean) > si_sdr(noisy, clean) + 6
    for path in weights.SHIPPED.values():
        assert path.stat().st_size < 5_000_000
    with pytest.raises(Refused, match="no denoiser called film"):
        weights.load("film")
