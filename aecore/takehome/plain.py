"""The training written plainly, for a script of its own: no events, no checkpoints, and the numbers of :mod:`aecore.training.loop`."""

import math

import torch
from torch import Tensor

from aecore.models import Autoencoder
from aecore.training import Plan
from aecore.training.loop import MEASURED_AT_ONCE, MOST_HELD_OUT, MOST_STEPS_BETWEEN_REPORTS, floats, pace

Curve = list[tuple[float, float, float]]


def hold_out(train: Tensor, test: Tensor, plan: Plan) -> tuple[Tensor, Tensor]:
    """Pictures to learn from, and a tenth of them (at most 2,000, drawn by the seed) kept aside; all uint8 ``(N, C, H, W)``."""
    pool = torch.cat([train, test]) if plan.train_on_test else train
    order = torch.randperm(len(pool), generator=torch.Generator().manual_seed(plan.seed))
    count = min(MOST_HELD_OUT, max(1, len(pool) // 10))
    return pool[order[count:]], pool[order[:count]]


def learn(model: Autoencoder, pictures: Tensor, held_out: Tensor, plan: Plan, limit: int | None = None) -> Curve:
    """Train ``model``, which then holds the weights that were best on the pictures held out; ``limit`` ends it after that many steps.

    Gives the curve: epoch, mean training loss since the point before, loss on the pictures held out.
    All randomness comes from the seed and the step's number.
    """
    device = pictures.device
    batch = min(plan.batch, len(pictures))
    steps_per_epoch = len(pictures) // batch
    steps = plan.epochs * steps_per_epoch
    every = math.ceil(steps_per_epoch / math.ceil(steps_per_epoch / MOST_STEPS_BETWEEN_REPORTS))
    optimiser = torch.optim.Adam(model.parameters(), lr=plan.rate, fused=device.type in ("cpu", "cuda"))
    rng = torch.Generator(device)
    best, lowest, waited = weights(model), math.inf, 0  # the first weights, should none better follow
    curve: Curve = []
    batches: tuple[Tensor, ...] = ()
    recent: list[Tensor] = []
    last = steps if limit is None else limit
    for step in range(last):
        epoch, position = divmod(step, steps_per_epoch)
        if position == 0:
            shuffle = torch.Generator().manual_seed(plan.seed * 1_000_003 + epoch + 1)
            batches = torch.randperm(len(pictures), generator=shuffle).to(device).split(batch)
        x = floats(pictures[batches[position]])
        rng.manual_seed(plan.seed * 1_000_003 + step)
        for group in optimiser.param_groups:
            group["lr"] = plan.rate * pace(plan.schedule, step / steps)

        loss = torch.stack(list(model.train().loss(x, rng).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            model.after_step(x, rng)

        recent.append(loss.detach())
        done = step + 1
        if done % steps_per_epoch % every == 0 or done == last:
            held_out_loss = validate(model, held_out, plan.seed)
            curve.append((done / steps_per_epoch, torch.stack(recent).mean().item(), held_out_loss))
            print("epoch {:6.2f}   training {:.4f}   held out {:.4f}".format(*curve[-1]))
            recent = []
            if held_out_loss < lowest:
                best, lowest, waited = weights(model), held_out_loss, 0
            else:
                waited += 1
            if 0 < plan.patience <= waited:
                break
    model.load_state_dict(best)
    model.eval()
    return curve


@torch.no_grad()
def validate(model: Autoencoder, pictures: Tensor, seed: int) -> float:
    """The loss on ``pictures``, all terms together, with randomness that does not change between calls."""
    rng = torch.Generator(pictures.device).manual_seed(seed)
    model.eval()
    sums: dict[str, float] = {}
    for batch in pictures.split(MEASURED_AT_ONCE):
        for name, value in model.loss(floats(batch), rng).items():
            sums[name] = sums.get(name, 0.0) + value.item() * len(batch)
    return sum(value / len(pictures) for value in sums.values())


def weights(model: Autoencoder) -> dict[str, Tensor]:
    """A copy of all that the model has learnt."""
    return {name: value.clone() for name, value in model.state_dict().items()}
