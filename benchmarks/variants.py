"""Seconds of learning until the test pictures come back with a given squared error: each variant in our loop, and others' loops.

    python benchmarks/variants.py [--data DIR] [--only NAMES] [--target MSE] [--repeats N] [--seconds S] [--json]

DIR holds MNIST's four idx.gz files; without it the built-in digits are used. The target is a fifth above what principal
components of the same 32 numbers miss, unless given. Every variant has its default knobs and learns on the processor, one thread, with
Adam at a constant rate. The clock stands still only while the test pictures are measured, every few steps; our own looks at
the validation pictures count. The other loops train the same module from the same first weights on the same pictures:

- plain PyTorch: a DataLoader over floats in memory, Adam, PyTorch's own cross-entropy, as in tutorials; for dense, convolutional and variational.
- pythae's VAE with its BaseTrainer around our encoder and decoder. It is no part of the project: install it with
  ``pip install --no-deps pythae`` in an environment of its own (one that sees this one's torch), or its line is left out.

The variational one goes without its warm-up here, because the others have none. The overcomplete one starts as a
copier, so it is there at the first look.
"""

import argparse
import contextlib
import io
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch
from machine import describe
from mnist import read_folder
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

import aecore
from aecore.data import Images
from aecore.metrics import PCA
from aecore.models import VARIANTS, Autoencoder
from aecore.models.variational import Variational
from aecore.training import Stepped, Training, measure

BATCH, RATE, CODE, TOLERANCE = 128, 1e-3, 32, 1.2
STEPS_BETWEEN_LOOKS = 20
KNOBS: dict[str, dict[str, Any]] = {"variational": {"warm_up": 0}}
PLAIN = ("undercomplete", "convolutional", "variational")


class Over(Exception):
    """The run has reached its target or its limit."""


class Watch:
    """A clock that stands still while it looks at the test pictures, and ends the run."""

    def __init__(self, model: Autoencoder, test: torch.Tensor, target: float, limit: float) -> None:
        self.model, self.test, self.target, self.limit = model, test, target, limit
        self.steps, self.seconds, self.reached = 0, 0.0, False
        self.began = time.perf_counter()

    def step(self) -> None:
        """To be called after each step; raises ``Over`` at the end."""
        self.steps += 1
        if self.steps % STEPS_BETWEEN_LOOKS:
            return
        self.seconds += time.perf_counter() - self.began
        was_training = self.model.training
        self.reached = measure(self.model.eval(), self.test)["mse"] < self.target
        self.model.train(was_training)
        if self.reached or self.seconds > self.limit:
            raise Over
        self.began = time.perf_counter()


def ours(training: Training, watch: Callable[[], Watch]) -> Watch:
    """Our loop."""
    clock = watch()
    with contextlib.suppress(Over):
        for event in training.events():
            if isinstance(event, Stepped):
                clock.step()
    return clock


def plain(training: Training, watch: Callable[[], Watch]) -> Watch:
    """The loop of tutorials around the same module."""
    model = training.model.train()
    x = training.pictures.float() / 255
    loader = DataLoader(TensorDataset(x), batch_size=BATCH, shuffle=True, drop_last=True)
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
    clock = watch()
    with contextlib.suppress(Over):
        while True:
            for (batch,) in loader:
                loss = elbo(model, batch) if isinstance(model, Variational) else cross_entropy(model, batch)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                loss.item()  # tutorials add up the loss for their printout
                clock.step()
    return clock


def cross_entropy(model: Autoencoder, x: torch.Tensor) -> torch.Tensor:
    """The mean over pixels, in nats."""
    return functional.binary_cross_entropy_with_logits(model.decoder(model.encoder(x)), x)


def elbo(model: Autoencoder, x: torch.Tensor) -> torch.Tensor:
    """The negative evidence lower bound of a picture, in nats."""
    mean, log_variance = model.encoder(x).chunk(2, dim=1)
    z = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
    entropy = functional.binary_cross_entropy_with_logits(model.decoder(z), x, reduction="sum") / len(x)
    return entropy - 0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1).mean()


def with_pythae(training: Training, watch: Callable[[], Watch]) -> Watch:
    """pythae's VAE around our encoder and decoder, trained by its BaseTrainer; its prints and progress bar go nowhere."""
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig
    from pythae.trainers.training_callbacks import TrainingCallback

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.inner = training.model.encoder

        def forward(self, x: torch.Tensor) -> Any:
            mean, log_variance = self.inner(x).chunk(2, dim=1)
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.inner = training.model.decoder

        def forward(self, z: torch.Tensor) -> Any:
            return ModelOutput(reconstruction=self.inner(z).sigmoid())

    class Look(TrainingCallback):
        def on_train_step_end(self, training_config: Any, **_: Any) -> None:
            clock.step()

    logging.disable(logging.INFO)
    x = training.pictures.float() / 255
    shape = training.model.shape
    code = training.model.config.code
    model = VAE(VAEConfig(input_dim=shape, latent_dim=code, reconstruction_loss="bce"), Encoder(), Decoder())
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        config = BaseTrainerConfig(
            output_dir=folder, per_device_train_batch_size=BATCH, num_epochs=500, learning_rate=RATE, seed=training.plan.seed, no_cuda=True
        )
        trainer = BaseTrainer(model, BaseDataset(x, torch.zeros(len(x))), training_config=config, callbacks=[Look()])
        clock = watch()
        with contextlib.suppress(Over):
            trainer.train()
    return clock


def run(loop: Callable[..., Watch], name: str, seed: int, images: Images, target: float, limit: float) -> Watch:
    """One run of variant ``name`` from the weights that ``seed`` draws."""
    torch.manual_seed(seed)
    model = aecore.build(name, images.shape, seed=seed, **KNOBS.get(name, {}))
    plan = aecore.Plan(epochs=500, seconds=36_000, batch=BATCH, rate=RATE, schedule="constant", seed=seed)
    training = Training(model, images, plan, device=torch.device("cpu"))
    return loop(training, lambda: Watch(training.model, images.test, target, limit))


def main() -> None:
    """Run all in turn for each seed, print the table, and with ``--json`` one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("--only", nargs="+", choices=tuple(VARIANTS), default=tuple(VARIANTS), metavar="NAME")
    parser.add_argument("--target", type=float, help="test MSE")
    parser.add_argument("--repeats", type=int, default=3, help="seeds 0, 1, ...")
    parser.add_argument("--seconds", type=float, default=60, help="of learning, after which a run is given up")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    images = read_folder(asked.data) if asked.data else aecore.data.load("digits")
    x = images.test.float() / 255
    line = (PCA.fit(images.train, CODE).reconstruct(x) - x).square().mean().item()
    target = asked.target or TOLERANCE * line
    seeds = range(asked.repeats)
    machine = describe(0) | {"seed": ", ".join(map(str, seeds))}
    loops: dict[str, list[tuple[str, Callable[..., Watch]]]] = {name: [("ours", ours)] for name in asked.only}
    for name in set(PLAIN) & set(asked.only):
        loops[name].append(("plain PyTorch", plain))
    if "variational" in loops:
        try:
            from importlib.metadata import version

            machine["pythae"] = version("pythae")
            loops["variational"].append(("pythae", with_pythae))
        except ImportError:
            print("pythae is not installed, so its line is left out: pip install --no-deps pythae, elsewhere", file=sys.stderr)

    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    print(
        f"Adam, rate {RATE}, batch {BATCH}, {len(images.train):,} pictures of which a part is held out, looked at every {STEPS_BETWEEN_LOOKS} steps"
    )
    print(f"target: test MSE {target:.5f} on {len(x):,} pictures (PCA {CODE}: {line:.5f}); median of {asked.repeats}\n")
    print(f"{'':18}{'loop':16}{'seconds':>9}{'fastest':>9}{'slowest':>9}{'steps':>8}{'ms a step':>11}{'ours is':>10}")
    result: dict[str, dict[str, Any]] = {}
    for name, choices in loops.items():
        runs: dict[str, list[Watch]] = {title: [] for title, _ in choices}
        for seed in seeds:
            for title, loop in choices:  # in turn, so that a busy moment of the machine falls on all
                runs[title].append(run(loop, name, seed, images, target, asked.seconds))
        medians = {
            title: statistics.median(each.seconds if each.reached else float("inf") for each in done) for title, done in runs.items()
        }
        result[name] = {title: value if value < float("inf") else None for title, value in medians.items()}
        for title, done in runs.items():
            seconds = [each.seconds for each in done]
            steps = statistics.median(each.steps for each in done)
            step = 1000 * statistics.median(each.seconds / each.steps for each in done)
            if medians[title] == float("inf"):
                print(f"{name:18}{title:16}  not reached in {asked.seconds:g} s, {steps:,.0f} steps of {step:.2f} ms")
                continue
            ratio = "" if title == "ours" else f"{medians[title] / medians['ours']:.2f} x"
            print(
                f"{name:18}{title:16}{medians[title]:9.2f}{min(seconds):9.2f}{max(seconds):9.2f}{steps:8,.0f}{step:11.2f}{ratio:>10}",
                flush=True,
            )
    if asked.json:
        print(json.dumps({"machine": machine, "target": target, "seconds": result}))


if __name__ == "__main__":
    main()
