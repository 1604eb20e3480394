"""What 25 of 1000 units know of MNIST: how many are active, how many are dead, and how far a straight classifier gets with them.

    python benchmarks/top_k.py [--data DIR] [--epochs N] [--repeats N] [--set NAME=VALUE ...] [--json]

DIR holds MNIST's four idx.gz files; without it the set is downloaded once (or taken from ``$AECORE_CACHE``). Asked for, with k = 25
of 1000: exactly 25 active units in every picture, fewer than 5 % dead ones, and 97.5 % of the test pictures named by a
logistic regression on the codes. The regression learns from the codes of all training pictures; how strongly its weights are
held back (C) is chosen on 10,000 of them. No label takes part in training the autoencoder, and no test picture in either.
"""

import argparse
import json
import statistics
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch
from machine import describe
from mnist import read_folder
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

import aecore
from aecore.data import Images
from aecore.models import Autoencoder
from aecore.training import Finished

KNOBS = {"code": 1000, "k": 25, "loss": "mse", "tied": True}
PLAN = {"batch": 256, "rate": 0.001, "seconds": 36_000}
STRENGTHS = (0.3, 1.0, 3.0)
HELD_OUT = 10_000


@torch.no_grad()
def codes(model: Autoencoder, pictures: torch.Tensor) -> torch.Tensor:
    """The codes ``(N, n)`` of uint8 pictures."""
    return torch.cat([model.eval().encode(batch.float() / 255) for batch in pictures.split(1000)])


def classify(train: torch.Tensor, labels: torch.Tensor, test: torch.Tensor, test_labels: torch.Tensor) -> tuple[float, float, float]:
    """C, and the share that a logistic regression on codes scaled to active values of size 1 names right: of training, of test pictures."""
    scale = train[train != 0].square().mean().sqrt()
    x, unseen = csr_matrix((train / scale).numpy()), csr_matrix((test / scale).numpy())
    y = labels.numpy()
    warnings.simplefilter("ignore", ConvergenceWarning)  # the last of its steps change nothing that counts here

    def fit(strength: float, rows: int) -> LogisticRegression:
        return LogisticRegression(C=strength, max_iter=300).fit(x[:rows], y[:rows])

    learnt = len(y) - HELD_OUT
    best = max(STRENGTHS, key=lambda strength: fit(strength, learnt).score(x[learnt:], y[learnt:]))
    final = fit(best, len(y))
    return best, float(final.score(x, y)), float(final.score(unseen, test_labels.numpy()))


def run(images: Images, seed: int, epochs: int, knobs: dict[str, object]) -> dict[str, float]:
    """Train once and look at the codes."""
    model = aecore.build("top-k", images.shape, seed=seed, **knobs)
    plan = aecore.Plan.of(**PLAN, epochs=epochs, seed=seed)
    *_, finished = aecore.train(model, images, plan, device=torch.device("cpu"))
    assert isinstance(finished, Finished)
    train, test = codes(model, images.train), codes(model, images.test)
    counts = torch.cat([(train != 0).sum(1), (test != 0).sum(1)])
    began = time.perf_counter()
    strength, fitted, accuracy = classify(train, images.train_labels, test, images.test_labels)
    return {
        "least_active": counts.min().item(),
        "most_active": counts.max().item(),
        "dead": (test == 0).all(0).float().mean().item(),
        "accuracy": accuracy,
        "train_accuracy": fitted,
        "C": strength,
        "mse": finished.test["mse"],
        "seconds": finished.seconds,
        "classifier_seconds": time.perf_counter() - began,
    }


def main() -> None:
    """Run once for each seed, print the table, and with ``--json`` one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=1, help="seeds 0, 1, ...")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="knobs of the variant, as JSON values")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    images = read_folder(asked.data) if asked.data else aecore.data.load("mnist")
    knobs = KNOBS | {name: json.loads(value) for name, value in (each.split("=", 1) for each in asked.set)}
    seeds = range(asked.repeats)
    machine = describe(0) | {"seed": ", ".join(map(str, seeds))}
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    print("; ".join(f"{name} {value}" for name, value in (knobs | PLAN | {"epochs": asked.epochs}).items()) + "\n")
    print(f"{'seed':>4}{'active':>10}{'dead':>8}{'right':>9}{'of train':>10}{'C':>6}{'test MSE':>10}{'seconds':>9}{'classifier':>12}")
    results = []
    for seed in seeds:
        row = run(images, seed, asked.epochs, knobs)
        results.append(row)
        active = f"{row['least_active']:.0f}..{row['most_active']:.0f}"
        print(
            f"{seed:4}{active:>10}{row['dead']:8.1%}{row['accuracy']:9.2%}{row['train_accuracy']:10.2%}{row['C']:6g}"
            f"{row['mse']:10.5f}{row['seconds']:9.1f}{row['classifier_seconds']:12.1f}",
            flush=True,
        )
    if asked.json:
        print(json.dumps({"machine": machine, "accuracy": statistics.median(row["accuracy"] for row in results), "runs": results}))


if __name__ == "__main__":
    main()
