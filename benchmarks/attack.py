"""How much of secret digits a stranger sees who learns a decoder from N known pictures and their codes.

    python benchmarks/attack.py [--seed S] [--json]

The codec is the shipped one for digits. Known pairs are drawn from the 10,000 training digits, the secrets are the first 500 test digits,
of which neither the codec nor the stranger has seen any. Asked for: mean SSIM of at least 0.7 from 1,000 pairs in under a minute.
Beside it: the right decoder, the average known picture, two wrong decoders, and what distances between codes tell.
"""

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch
from machine import describe

import aecore
from aecore import weights
from aecore.codec import attack, small_weights
from aecore.codec.fixed import Decoding

COUNTS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10000)
SECRETS, PAIRS = 500, 10_000


def main() -> None:
    """Learn from ever more pairs, print the table, and with ``--json`` one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    encoder, decoder, card = small_weights.load("digits")
    data = aecore.data.load("digits")
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(asked.seed))
    pictures, labels = data.train[order].float() / 255, data.train_labels[order]
    numbers, secrets = attack.numbers_of(encoder, data.train[order]), attack.numbers_of(encoder, data.test[:SECRETS])
    truth = data.test[:SECRETS].float() / 255

    machine = describe(asked.seed)
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    print(f"{SECRETS} secret digits, {numbers.shape[1]} numbers each\n")
    print(f"{'known pairs':>24}{'SSIM':>8}{'MSE':>9}{'average':>9}{'same digit':>12}{'seconds':>9}")
    rows = {}
    for count in COUNTS:
        began = time.perf_counter()
        *_, last = attack.learn(numbers[:count], pictures[:count], secrets, truth, seed=asked.seed)
        seconds = time.perf_counter() - began
        average = attack.likeness(pictures[:count].mean(0, keepdim=True).expand_as(truth), truth)
        same = (labels[attack.nearest(secrets, numbers[:count])] == data.test_labels[:SECRETS]).float().mean().item()
        rows[count] = {"ssim": last.ssim, "mse": mse(last.pictures, truth), "average": average, "same": same, "seconds": seconds}
        print(f"{count:24,}{last.ssim:8.3f}{rows[count]['mse']:9.4f}{average:9.3f}{same:12.1%}{seconds:9.1f}", flush=True)
    other = weights.load("digits-contractive")[0]
    untaught = aecore.build(card.variant, card.shape, seed=asked.seed, **(card.knobs or {}))
    decoders = {
        "the right decoder": decoder.decode,
        "untaught, of its shape": Decoding(untaught.decoder, untaught.config.loss),
        "another model's": Decoding(other.decoder, other.config.loss),
    }
    for name, each in decoders.items():
        with torch.no_grad():
            seen = each(secrets * decoder.scale.step).clamp(0, 1)
        rows[name] = {"ssim": attack.likeness(seen, truth), "mse": mse(seen, truth)}
        print(f"{name:>24}{rows[name]['ssim']:8.3f}{rows[name]['mse']:9.4f}")
    correlation = attack.distances(secrets, truth, PAIRS, asked.seed)[2]
    print(f"\ndistances between codes and between pictures, {PAIRS:,} pairs: rank correlation {correlation:.3f}")
    print("asked for:", "reached" if rows[1000]["ssim"] >= 0.7 and rows[1000]["seconds"] < 60 else "MISSED")
    if asked.json:
        print(json.dumps({"machine": machine, "rows": rows, "correlation": correlation}))


def mse(pictures: torch.Tensor, truth: torch.Tensor) -> float:
    """Mean squared error of pictures in [0, 1]."""
    return (pictures - truth).square().mean().item()


if __name__ == "__main__":
    main()
