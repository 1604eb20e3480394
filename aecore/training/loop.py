"""Training as a stream of events: to stop early, stop asking, or call ``stop`` and read on to the last event."""

import math
import time
from collections.abc import Iterator

import torch
from torch import Tensor

from aecore.data import Images
from aecore.metrics import psnr_of
from aecore.models import Autoencoder
from aecore.training.checkpoint import Progress, moments, pack, restore_moments, unpack
from aecore.training.device import choose_device
from aecore.training.events import Event, Finished, Reported, Started, Stepped, Terms
from aecore.training.plan import Plan

MOST_STEPS_BETWEEN_REPORTS = 200
MOST_HELD_OUT = 2_000
MEASURED_AT_ONCE = 500
HALF_LEVEL = 0.5 / 255


class Training:
    """One run: a model, pictures in memory as uint8, and a plan.

    Of the training pictures a tenth (at most 2,000, drawn by the seed) is held out for validation, so that the test
    pictures are looked at once, at the end. All randomness comes from the plan's seed and the step's number: a run
    that continues from a checkpoint gives the numbers of one that was never interrupted.
    """

    def __init__(
        self, model: Autoencoder, data: Images, plan: Plan, *, device: torch.device | None = None, checkpoint: bytes = b""
    ) -> None:
        self.device = device or choose_device()
        self.model = model.to(self.device)
        self.plan = plan
        pool = torch.cat([data.train, data.test]) if plan.train_on_test else data.train
        order = torch.randperm(len(pool), generator=torch.Generator().manual_seed(plan.seed))
        held_out = min(MOST_HELD_OUT, max(1, len(pool) // 10))
        self.pictures = pool[order[held_out:]].to(self.device)
        self.validation = pool[order[:held_out]].to(self.device)
        self.test = data.test.to(self.device)
        self.batch = min(plan.batch, len(self.pictures))
        self.steps_per_epoch = len(self.pictures) // self.batch
        self.steps = plan.epochs * self.steps_per_epoch
        self.reports_every = math.ceil(self.steps_per_epoch / math.ceil(self.steps_per_epoch / MOST_STEPS_BETWEEN_REPORTS))
        fused = self.device.type in ("cpu", "cuda")
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=plan.rate, fused=fused)
        self.rng = torch.Generator(self.device)
        self.progress = Progress(best=self._weights())  # the first weights, should none better follow
        self._stopped = False
        if checkpoint:
            self._restore(checkpoint)

    def stop(self) -> None:
        """End after the current step; ``events`` then gives its last event and keeps what was learnt."""
        self._stopped = True

    def events(self) -> Iterator[Event]:
        """Learn. Started first; Stepped for each batch; Reported at points of the curve; Finished last."""
        progress = self.progress
        parameters = self.model.parameter_count()
        yield Started(str(self.device), torch.get_num_threads(), parameters, len(self.pictures), progress.step, self.steps)
        order = self._order(progress.step)
        while not (reason := self._ending()):
            if self._report_is_due():
                yield self._report()
                continue
            position = progress.step % self.steps_per_epoch
            if position == 0:
                order = self._order(progress.step)
            began = time.perf_counter()
            terms = self._learn(order[position * self.batch : (position + 1) * self.batch])
            progress.seconds += time.perf_counter() - began
            progress.step += 1
            for name, value in terms.items():
                progress.sums[name] = progress.sums[name] + value if name in progress.sums else value
            yield Stepped(progress.step)
        yield self._finish(reason)

    def checkpoint(self) -> bytes:
        """The run as it stands, to be continued by ``Training(..., checkpoint=...)``."""
        return pack(self.model.state_dict(), moments(self.model, self.optimiser), self.progress)

    def _restore(self, checkpoint: bytes) -> None:
        weights, optimiser, self.progress = unpack(checkpoint)
        self.model.load_state_dict(weights)
        self.progress.sums = {name: value.to(self.device) for name, value in self.progress.sums.items()}
        restore_moments(self.model, self.optimiser, optimiser)

    def _order(self, step: int) -> Tensor:
        """The order of the pictures in the epoch that ``step`` falls in."""
        epoch = step // self.steps_per_epoch
        seed = self.plan.seed * 1_000_003 + epoch + 1
        return torch.randperm(len(self.pictures), generator=torch.Generator().manual_seed(seed)).to(self.device)

    def _learn(self, rows: Tensor) -> dict[str, Tensor]:
        x = floats(self.pictures.index_select(0, rows))
        self.rng.manual_seed(self.plan.seed * 1_000_003 + self.progress.step)
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.rate * pace(self.plan.schedule, self.progress.step / self.steps)
        terms = self.model.train().loss(x, self.rng)
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()
        self.optimiser.step()
        with torch.no_grad():
            self.model.after_step(x, self.rng)
        return {name: value.detach() for name, value in terms.items()}

    def _report(self) -> Reported:
        progress = self.progress
        count = progress.step - progress.reported_step
        train = {name: value.item() / count for name, value in progress.sums.items()}
        images_per_second = count * self.batch / (progress.seconds - progress.reported_seconds)
        progress.diverged = not math.isfinite(sum(train.values()))
        progress.sums, progress.reported_step, progress.reported_seconds = {}, progress.step, progress.seconds
        validation = self._terms(self.validation)
        total = sum(validation.values())
        best = total < progress.best_loss
        if best:
            progress.best_loss, progress.best_step, progress.waited = total, progress.step, 0
            progress.best = self._weights()
        else:
            progress.waited += 1
        epoch = progress.step / self.steps_per_epoch
        return Reported(progress.step, epoch, progress.seconds, images_per_second, train, validation, best)

    def _report_is_due(self) -> bool:
        """Told from the progress alone, so that a run frozen just before a report gives it when it goes on."""
        progress = self.progress
        due = progress.step % self.steps_per_epoch % self.reports_every == 0 or progress.seconds > self.plan.seconds
        return due and progress.step > progress.reported_step

    def _ending(self) -> str:
        """Why the run ends here, or nothing while it goes on."""
        progress = self.progress
        if self._stopped:
            return "stopped"
        if self._report_is_due():
            return ""
        if progress.diverged:
            return "diverged"
        if progress.seconds > self.plan.seconds:
            return "time"
        if 0 < self.plan.patience <= progress.waited:
            return "early"
        return "complete" if progress.step == self.steps else ""

    def _finish(self, reason: str) -> Finished:
        progress = self.progress
        if reason == "stopped" and sum(self._terms(self.validation).values()) < progress.best_loss:
            progress.best_step = progress.step
        else:
            self.model.load_state_dict(progress.best)
        train = measure(self.model, self.pictures[:MOST_HELD_OUT])
        return Finished(reason, progress.step, progress.best_step, progress.seconds, train, measure(self.model, self.test))

    def _weights(self) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in self.model.state_dict().items()}

    @torch.no_grad()
    def _terms(self, pictures: Tensor) -> Terms:
        """Mean of each loss term over ``pictures``, batch by batch, with randomness that does not change between calls."""
        self.rng.manual_seed(self.plan.seed)
        self.model.eval()
        sums: Terms = {}
        for batch in pictures.split(MEASURED_AT_ONCE):
            for name, value in self.model.loss(floats(batch), self.rng).items():
                sums[name] = sums.get(name, 0.0) + value.item() * len(batch)
        return {name: value / len(pictures) for name, value in sums.items()}


def train(model: Autoencoder, data: Images, plan: Plan, *, device: torch.device | None = None, checkpoint: bytes = b"") -> Iterator[Event]:
    """Train ``model`` in place and tell about it; see :class:`Training` for what is held out and how to stop or continue."""
    return Training(model, data, plan, device=device, checkpoint=checkpoint).events()


@torch.no_grad()
def measure(model: Autoencoder, pictures: Tensor) -> Terms:
    """Reconstruction figures over uint8 ``pictures`` (N, C, H, W): cross_entropy (nats per pixel), mse, psnr (dB).

    A model trained on MSE gives pixels that are exactly black or white; read as probabilities they would be certain, and a
    certain miss costs infinitely much, so for the cross-entropy they are kept half a grey level inside (0, 1).
    """
    squares = entropy = 0.0
    for batch in pictures.split(MEASURED_AT_ONCE):
        target = floats(batch)
        output = model(target)
        squares += (output - target).square_().sum(dtype=torch.float64).item()
        inside = output.clamp(HALF_LEVEL, 1 - HALF_LEVEL) if model.config.loss == "mse" else output
        entropy += _cross_entropy(inside, target).sum(dtype=torch.float64).item()
    mse = squares / pictures.numel()
    return {"cross_entropy": entropy / pictures.numel(), "mse": mse, "psnr": psnr_of(mse)}


def _cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    """Of each pixel, in nats; logarithms end at -100, as PyTorch's do."""
    white, black = output.log().clamp_(min=-100), (1 - output).log_().clamp_(min=-100)
    return torch.lerp(black, white, target).neg_()


def floats(pictures: Tensor) -> Tensor:
    """uint8 pictures as floats in [0, 1]; shape kept."""
    return pictures.to(torch.float32).div_(255)


def pace(schedule: str, done: float) -> float:
    """Share of the largest learning rate at a point of the run, ``done`` from 0 to 1.

    One-cycle: a linear rise over the first fifth, then half a cosine. Source: Smith and Topin (2017), https://arxiv.org/abs/1708.07120
    """
    if schedule == "constant":
        return 1.0
    rise = 0.2 if schedule == "one-cycle" else 0.0
    if done < rise:
        return 0.04 + 0.96 * done / rise
    return 0.5 * (1 + math.cos(math.pi * (done - rise) / (1 - rise)))
