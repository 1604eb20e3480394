"""How much noise the denoisers take out of sounds and of an electrocardiogram, and how fast, against filters and noisereduce.

    python benchmarks/denoise_sound.py [--sounds DIR] [--seconds S] [--snr DB] [--seeds N] [--threads N] [--only NAME ...] [--json]

White noise at a known ratio, drawn from the sound's place (or a number from 0 on, for the ECG) as seed; SI-SDR in dB of each, then the
mean. Sounds are the lab's samples, and the first S seconds of all in DIR, which must not have been learnt from. All methods are blind,
but each classical filter on the ECG has the best of many settings, found on that very noisy ECG with the clean one at hand.
Asked for: 6 dB above the input and above noisereduce on the sounds; above Savitzky-Golay and the wavelet on the ECG; 20 times as fast
as a sound of 48 kHz lasts, on one core. noisereduce is no part of the project (pip install noisereduce): without it, its rows stay away.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import soundfile
import torch
from machine import describe
from torch import Tensor

from aecore.metrics import si_sdr
from aecore.signals import alone, classic, denoise, samples, weights
from aecore.signals.noise import white

SUFFIXES = (".wav", ".flac", ".ogg")
WINDOWS, ORDERS = range(5, 80, 2), (1, 2, 3, 4, 5)
WAVELETS, DEPTHS = ("db4", "db8", "sym4", "sym8", "coif3", "bior4.4"), range(2, 9)
ROUNDS = 5
Method = Callable[[Tensor, int], Tensor]  # a noisy signal (C, N) and its rate in Hz, to the clean one


def clips(folder: Path | None, seconds: float) -> dict[str, tuple[Tensor, int]]:
    """Clean sounds by name: the lab's samples, and those in ``folder``, channels averaged."""
    found = {name: (each.values, each.rate) for name in samples.SAMPLES for each in [samples.sound(name)]}
    for path in sorted(folder.iterdir()) if folder else ():
        if path.suffix.lower() in SUFFIXES:
            values, rate = soundfile.read(path, dtype="float32", always_2d=True)
            found[path.stem] = torch.from_numpy(values).mean(1)[None, : round(seconds * rate)], rate
    return found


def shipped(name: str) -> Method:
    """The lab's denoiser for "sound" or "series"."""
    model, _ = weights.load(name)

    def run(values: Tensor, rate: int) -> Tensor:
        clean = denoise(model, values)
        assert clean is not None
        return clean

    return run


def learnt_alone(values: Tensor, rate: int) -> Tensor:
    """A small autoencoder that learns from the noisy signal alone."""
    *_, last = alone.learn(values)
    assert last.result is not None
    return last.result


def noisereduce(stationary: bool) -> Method | None:
    """The package, with its defaults; None where it is not installed."""
    try:
        from noisereduce import reduce_noise  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    return lambda values, rate: torch.from_numpy(reduce_noise(y=values.numpy(), sr=rate, stationary=stationary)).float()


def best(settings: Sequence[Callable[[Tensor], Tensor]], noisy: Tensor, clean: Tensor) -> float:
    """The highest SI-SDR that any of the settings reaches."""
    return max(si_sdr(each(noisy), clean) for each in settings)


def row(name: str, figures: Sequence[float]) -> None:
    """One line of a table: each figure, then the mean."""
    print(f"{name:30}" + "".join(f"{each:8.2f}" for each in figures) + f"{statistics.mean(figures):9.2f}", flush=True)


def main() -> None:
    """Print both tables, then speed; with ``--json`` one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sounds", type=Path, metavar="DIR")
    parser.add_argument("--seconds", type=float, default=5, metavar="S")
    parser.add_argument("--snr", type=float, default=5, metavar="DB")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="noises for the ECG")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="methods on sounds, by the first word of their names; then no ECG, no speed"
    )
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    machine = describe(0) | {"seed": "the sound's place", "white noise": f"{asked.snr:g} dB"}
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))

    sounds = clips(asked.sounds, asked.seconds)
    print("\nSounds, SI-SDR in dB: " + ", ".join(f"{name} ({rate} Hz)" for name, (_, rate) in sounds.items()))
    noisy = {
        name: white(values, asked.snr, torch.Generator().manual_seed(seed), rate)
        for seed, (name, (values, rate)) in enumerate(sounds.items())
    }
    methods: dict[str, Method] = {"ours": shipped("sound"), "alone, learnt from it": learnt_alone}
    for name, stationary in (("noisereduce", False), ("noisereduce, stationary", True)):
        if method := noisereduce(stationary):
            methods[name] = method
    methods |= {name: lambda values, rate, run=run: run(values) for name, run in classic.FILTERS.items()}
    if asked.only:
        methods = {name: each for name, each in methods.items() if name.split(",")[0] in asked.only}
    table = {"input": [si_sdr(noisy[name], values) for name, (values, _) in sounds.items()]}
    row("input", table["input"])
    for method, run in methods.items():
        table[method] = [si_sdr(run(noisy[name], rate), values) for name, (values, rate) in sounds.items()]
        row(method, table[method])
    if asked.only:
        return

    print("\nECG, SI-SDR in dB, by the noise's seed")
    clean = torch.from_numpy(samples.ecg().columns["ecg"])[None]
    series = [white(clean, asked.snr, torch.Generator().manual_seed(seed), 1).to(clean.dtype) for seed in range(asked.seeds)]
    golay = [lambda values, w=w, o=o: classic.savitzky_golay(values, w, o) for w, o in product(WINDOWS, ORDERS) if o < w]
    waves = [lambda values, w=w, d=d: classic.wavelet(values, w, d) for w, d in product(WAVELETS, DEPTHS)]
    model = shipped("series")
    ecg = {
        "input": [si_sdr(each, clean) for each in series],
        "ours": [si_sdr(model(each, 1), clean) for each in series],
        "alone, learnt from it": [si_sdr(learnt_alone(each, 1), clean) for each in series],
        "savitzky-golay, best setting": [best(golay, each, clean) for each in series],
        "wavelet, best setting": [best(waves, each, clean) for each in series],
    }
    for name, figures in ecg.items():
        row(name, figures)

    values = torch.randn(1, 30 * 48_000, generator=torch.Generator().manual_seed(0))
    run = shipped("sound")
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter(), time.process_time()
        run(values, 48_000)
        times.append((time.perf_counter() - began[0], time.process_time() - began[1]))
    wall, busy = (30 / statistics.median(each) for each in zip(*times, strict=True))
    print(f"\nours: {wall:.0f} times as fast as a sound of 48 kHz lasts by the clock, {busy:.0f} times by the processor's time")
    if asked.json:
        print(
            json.dumps(
                {"machine": machine, "sounds": list(sounds), "si_sdr": table, "ecg": ecg, "speed": {"clock": wall, "processor": busy}}
            )
        )


if __name__ == "__main__":
    main()
