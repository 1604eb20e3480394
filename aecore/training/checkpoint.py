"""A run frozen between two steps, as bytes without pickles."""

import json
from dataclasses import dataclass, field

import torch
from safetensors.torch import load, save
from torch import Tensor, nn


@dataclass
class Progress:
    """All that a run has to remember besides the model and the data: plain numbers, and the best weights so far.

    ``sums`` adds up each loss term over the steps since the last report, which came at ``reported_step``.
    """

    step: int = 0
    seconds: float = 0.0
    best_step: int = 0
    best_loss: float = float("inf")
    waited: int = 0
    diverged: bool = False
    reported_step: int = 0
    reported_seconds: float = 0.0
    sums: dict[str, Tensor] = field(default_factory=dict)
    best: dict[str, Tensor] = field(default_factory=dict)


def pack(model: dict[str, Tensor], optimiser: dict[str, Tensor], progress: Progress) -> bytes:
    """A checkpoint in safetensors format; the plain numbers ride in one tensor of UTF-8 bytes."""
    numbers = {name: value for name, value in vars(progress).items() if name not in ("sums", "best")}
    groups = {"model": model, "optimiser": optimiser, "sums": progress.sums, "best": progress.best}
    tensors = {f"{group}/{name}": value.contiguous() for group, members in groups.items() for name, value in members.items()}
    return save(tensors | {"numbers": torch.frombuffer(bytearray(json.dumps(numbers).encode()), dtype=torch.uint8)})


def unpack(data: bytes) -> tuple[dict[str, Tensor], dict[str, Tensor], Progress]:
    """What :func:`pack` was given: model, optimiser, progress."""
    tensors = load(data)
    numbers = json.loads(bytes(tensors.pop("numbers").tolist()))
    groups: dict[str, dict[str, Tensor]] = {"model": {}, "optimiser": {}, "sums": {}, "best": {}}
    for path, value in tensors.items():
        group, name = path.split("/", 1)
        groups[group][name] = value
    return groups["model"], groups["optimiser"], Progress(**numbers, sums=groups["sums"], best=groups["best"])


def moments(model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What the optimiser remembers of each parameter of ``model``, by "name/key"."""
    names = [name for name, _ in model.named_parameters()]
    return {f"{names[index]}/{key}": value for index, state in optimiser.state_dict()["state"].items() for key, value in state.items()}


def restore_moments(model: nn.Module, optimiser: torch.optim.Optimizer, saved: dict[str, Tensor]) -> None:
    """Give back to ``optimiser`` what :func:`moments` took from it."""
    state: dict[int, dict[str, Tensor]] = {}
    for index, (name, parameter) in enumerate(model.named_parameters()):
        found = {path.removeprefix(f"{name}/"): value for path, value in saved.items() if path.startswith(f"{name}/")}
        if found:  # Adam reads memory as it lies, so a parameter and its moments must lie alike
            state[index] = {
                key: value if key == "step" else torch.empty_like(parameter.detach()).copy_(value) for key, value in found.items()
            }
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
