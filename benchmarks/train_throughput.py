"""How many pictures a second 784-32-784 learns from at batch 256: our loop, a plain PyTorch loop, and Keras 3 on PyTorch.

    python benchmarks/train_throughput.py [--data DIR] [--repeats N] [--threads N] [--json]

DIR holds MNIST's four idx.gz files; without it the built-in digits are used. Keras is no part of the project: install it
with ``pip install keras`` in an environment of its own (one that sees this one's torch), or its line is left out.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"
sys.path.insert(0, str(Path(__file__).parent.parent))

import torch
from machine import describe
from mnist import read_folder
from PIL import Image
from torch import nn
from torchvision.datasets import VisionDataset
from torchvision.transforms import ToTensor

import aecore
from aecore.data import Images
from aecore.training import Stepped, Training

CODE, BATCH, RATE, SEED = 32, 256, 1e-3, 0
WARM_UP_STEPS = 20


class Pictures(VisionDataset):
    """Pictures in memory that become PIL images and pass a transform one by one, as in torchvision's own MNIST."""

    def __init__(self, pictures: torch.Tensor, labels: torch.Tensor) -> None:
        super().__init__(root="", transform=ToTensor())
        self.pictures = pictures.squeeze(1)
        self.labels = labels

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        picture = Image.fromarray(self.pictures[index].numpy())
        return self.transform(picture), int(self.labels[index])  # type: ignore[misc]


def ours(images: Images, steps: int) -> float:
    """Seconds for ``steps`` steps of our loop."""
    model = aecore.build("undercomplete", images.shape, code=CODE, seed=SEED)
    epochs = 2 + (WARM_UP_STEPS + steps) * BATCH * 2 // len(images.train)
    plan = aecore.Plan(epochs=epochs, batch=BATCH, rate=RATE, schedule="constant", seed=SEED)
    began, learnt = 0.0, 0
    for event in Training(model, images, plan, device=torch.device("cpu")).events():
        learnt += isinstance(event, Stepped)
        if isinstance(event, Stepped) and learnt == WARM_UP_STEPS:
            began = time.perf_counter()
        if learnt == WARM_UP_STEPS + steps:
            return time.perf_counter() - began
    raise AssertionError("the plan was too short")


def plain(images: Images, steps: int) -> float:
    """Seconds for ``steps`` steps as tutorials write them: a dataset with a transform, a DataLoader, Adam, cross-entropy."""
    torch.manual_seed(SEED)
    pixels = images.train[0].numel()
    model = nn.Sequential(nn.Flatten(), nn.Linear(pixels, CODE), nn.Linear(CODE, pixels), nn.Sigmoid())
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
    loader = torch.utils.data.DataLoader(Pictures(images.train, images.train_labels), batch_size=BATCH, shuffle=True, drop_last=True)
    criterion = nn.BCELoss()

    def batches() -> Any:
        while True:
            yield from loader

    began = 0.0
    for step, (x, _) in enumerate(batches()):
        if step == WARM_UP_STEPS:
            began = time.perf_counter()
        if step == WARM_UP_STEPS + steps:
            return time.perf_counter() - began
        optimiser.zero_grad()
        loss = criterion(model(x), x.flatten(1))
        loss.backward()
        optimiser.step()
        loss.item()  # tutorials add up the loss for their printout
    raise AssertionError("batches have no end")


def keras_on_torch(images: Images, steps: int) -> float:
    """Seconds for ``steps`` steps of ``model.fit`` on a float array in memory, as in the Keras blog."""
    import keras

    # Keras prefers an NVIDIA card by itself; the loops are compared on the processor.
    with keras.device("cpu"):
        keras.utils.set_random_seed(SEED)
        pixels = images.train[0].numel()
        x = images.train[: len(images.train) // BATCH * BATCH].flatten(1).numpy().astype("float32") / 255
        model = keras.Sequential(
            [keras.Input((pixels,)), keras.layers.Dense(CODE), keras.layers.Dense(pixels, activation="sigmoid")],
        )
        model.compile(optimizer=keras.optimizers.Adam(RATE), loss="binary_crossentropy")
        model.fit(x[: WARM_UP_STEPS * BATCH], x[: WARM_UP_STEPS * BATCH], batch_size=BATCH, verbose=0)
        began = time.perf_counter()
        left = steps
        while left:
            count = min(left, len(x) // BATCH)
            model.fit(x[: count * BATCH], x[: count * BATCH], batch_size=BATCH, shuffle=True, verbose=0)
            left -= count
        return time.perf_counter() - began


def matrix_multiplications(images: Images, steps: int) -> float:
    """Seconds for the matrix products of ``steps`` steps alone: forward, and the gradients that training needs."""
    rng = torch.Generator().manual_seed(SEED)
    pixels = images.train[0].numel()
    x, slope = torch.rand(BATCH, pixels, generator=rng), torch.rand(BATCH, pixels, generator=rng)
    code = torch.rand(BATCH, CODE, generator=rng)
    inwards, outwards = torch.rand(CODE, pixels, generator=rng), torch.rand(pixels, CODE, generator=rng)
    began = 0.0
    for step in range(WARM_UP_STEPS + steps):
        if step == WARM_UP_STEPS:
            began = time.perf_counter()
        _ = x @ inwards.T  # encoder forward
        _ = code @ outwards.T  # decoder forward
        _ = slope @ outwards  # gradient of the code
        _ = slope.T @ code  # gradient of the decoder's weights
        _ = code.T @ x  # gradient of the encoder's weights; the picture itself needs none
    return time.perf_counter() - began


def main() -> None:
    """Measure all in turn, print the table, and with ``--json`` one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    images = read_folder(asked.data) if asked.data else aecore.data.load("digits")
    loops: dict[str, Callable[[Images, int], float]] = {"ours": ours, "plain PyTorch": plain}
    machine = describe(SEED)
    try:
        import keras

        machine["keras"] = keras.__version__
        loops["Keras 3 on PyTorch"] = keras_on_torch
    except ImportError:
        print(
            "Keras is not installed, so its line is left out. Install it in an environment of its own: pip install keras", file=sys.stderr
        )
    loops["matrix products alone"] = matrix_multiplications
    speeds: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(asked.repeats):  # in turn, so that a busy moment of the machine falls on all
        for name, loop in loops.items():
            speeds[name].append(asked.steps * BATCH / loop(images, asked.steps))
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    share = medians["ours"] / medians["matrix products alone"]

    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    print(f"784-32-784, batch {BATCH}, {len(images.train):,} pictures, median of {asked.repeats} times {asked.steps} steps\n")
    print(f"{'':24}{'images/s':>12}{'ms a step':>12}{'ours is':>12}{'slowest':>12}{'fastest':>12}")
    for name, median in medians.items():
        ratio = "" if name == "ours" else f"{medians['ours'] / median:.2f} x"
        print(f"{name:24}{median:12,.0f}{1000 * BATCH / median:12.3f}{ratio:>12}{min(speeds[name]):12,.0f}{max(speeds[name]):12,.0f}")
    print(f"\nMatrix multiplication is {share:.0%} of a step of ours.")
    if asked.json:
        ratios = {name: medians["ours"] / value for name, value in medians.items() if name != "ours"}
        print(json.dumps({"machine": machine, "images_per_second": medians, "ours_over": ratios, "matrix_share": share}))


if __name__ == "__main__":
    main()
