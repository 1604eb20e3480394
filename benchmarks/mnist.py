"""How well 784-32-784 learns the whole of MNIST in a minute, against principal components and the floor.

    python benchmarks/mnist.py [--data DIR] [--repeats N] [--threads N] [--json]

DIR holds MNIST's four idx.gz files; without it the set is downloaded once (or taken from ``$AECORE_CACHE``). Asked for:
test cross-entropy 0.0935 nats per pixel or better, trained in under 60 s on two cores, and test MSE under PCA's 0.0168.
Trained on squared error the same network is linear, so it can only come near PCA (Baldi and Hornik, 1989): a check of the loop.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch
from machine import describe

import aecore
from aecore.data import Images
from aecore.data.images import DIGITS
from aecore.data.pack import read_idx
from aecore.metrics import PCA, entropy_floor, psnr
from aecore.training import Finished, Training

CODE = 32
PLAN = {"epochs": 20, "batch": 256, "rate": 0.01, "schedule": "one-cycle"}
KNOBS = {"cross-entropy": {"loss": "cross-entropy"}, "mse": {"loss": "mse"}}


def read_folder(folder: Path) -> Images:
    """MNIST from the four files that it is published as."""
    arrays = {}
    for split, prefix in (("train", "train"), ("test", "t10k")):
        arrays[split] = torch.from_numpy(read_idx(folder / f"{prefix}-images-idx3-ubyte.gz")).unsqueeze(1)
        arrays[f"{split}_labels"] = torch.from_numpy(read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz")).long()
    return Images(**arrays, classes=DIGITS)


def train(images: Images, seed: int, **knobs: str) -> Finished:
    """One run of the stated plan on the processor."""
    model = aecore.build("undercomplete", images.shape, seed=seed, code=CODE, depth=0, **knobs)
    *_, finished = Training(model, images, aecore.Plan.of(**PLAN, seed=seed), device=torch.device("cpu")).events()
    assert isinstance(finished, Finished)
    return finished


def main() -> None:
    """Train once for each seed and loss, print the table, and with ``--json`` one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("--repeats", type=int, default=3, help="seeds 0, 1, ...")
    # One thread is enough, and two stall each other for milliseconds a step as soon as something else wants a core.
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    images = read_folder(asked.data) if asked.data else aecore.data.load("mnist")
    seeds = list(range(asked.repeats))
    machine = describe(0) | {"seed": ", ".join(map(str, seeds))}
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    print("plan: " + ", ".join(f"{name} {value}" for name, value in PLAN.items()) + "; 784-32-784, no hidden layer\n")

    x = images.test.float() / 255
    linear = PCA.fit(images.train, CODE)
    unclipped = (linear.encode(x) @ linear.axes + linear.mean).view_as(x)
    print(f"{'':34}{'cross-entropy':>14}{'MSE':>10}{'PSNR':>8}{'seconds':>9}")
    print(f"{'perfect copy: the floor':34}{entropy_floor(images.test):14.4f}{0:10.5f}{'':8}{'':9}")
    clipped = unclipped.clamp(0, 1)
    print(f"{f'PCA {CODE}':34}{'':14}{(unclipped - x).square().mean().item():10.5f}{psnr(unclipped, x):8.2f}")
    print(f"{f'PCA {CODE}, cut to [0, 1]':34}{'':14}{(clipped - x).square().mean().item():10.5f}{psnr(clipped, x):8.2f}")
    runs: dict[str, list[Finished]] = {}
    for loss, knobs in KNOBS.items():
        runs[loss] = [train(images, seed, **knobs) for seed in seeds]
        for seed, run in zip(seeds, runs[loss], strict=True):
            row = run.test
            print(
                f"{f'trained on {loss}, seed {seed}':34}{row['cross_entropy']:14.4f}{row['mse']:10.5f}{row['psnr']:8.2f}{run.seconds:9.1f}"
            )
    result: dict[str, float] = {
        "cross_entropy": statistics.median(run.test["cross_entropy"] for run in runs["cross-entropy"]),
        "mse": statistics.median(run.test["mse"] for run in runs["cross-entropy"]),
        "mse_trained_on_mse": statistics.median(run.test["mse"] for run in runs["mse"]),
        "seconds": statistics.median(run.seconds for run in runs["cross-entropy"]),
    }
    print(
        f"\nMedians: cross-entropy {result['cross_entropy']:.4f} in {result['seconds']:.1f} s; MSE {result['mse']:.5f} (trained on MSE: {result['mse_trained_on_mse']:.5f})."
    )
    if asked.json:
        print(json.dumps({"machine": machine, "plan": PLAN} | result))


if __name__ == "__main__":
    main()
