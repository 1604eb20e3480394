"""Fully connected stacks: every pixel is wired to every unit."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

Shape = tuple[int, int, int]


def encoder(shape: Shape, code: int, width: int, depth: int, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """``(B, C, H, W)`` to ``(B, code)``: ``depth`` hidden layers of ``width`` units, ``activation`` after each, then a linear layer."""
    return nn.Sequential(nn.Flatten(), *_stack([math.prod(shape), *[width] * depth, code], activation))


def decoder(shape: Shape, code: int, width: int, depth: int, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """``(B, code)`` to outputs ``(B, C, H, W)``, not yet in [0, 1]: the mirror image of :func:`encoder`."""
    return nn.Sequential(*_stack([code, *[width] * depth, math.prod(shape)], activation), nn.Unflatten(1, shape))


def tied_decoder(encoder: nn.Sequential, shape: Shape) -> nn.Sequential:
    """The mirror image of ``encoder`` with the same weights, transposed; only the biases are its own."""
    layers = [Tied(layer) if isinstance(layer, nn.Linear) else type(layer)() for layer in reversed(encoder[1:])]
    return nn.Sequential(*layers, nn.Unflatten(1, shape))


class Tied(nn.Linear):
    """A linear layer whose weights are another one's, transposed: one and the same parameter, learnt from both sides.

    Saved, it has a copy under its own name: a file of weights allows no memory two names, and half a model must work alone.
    """

    def __init__(self, mirrored: nn.Linear) -> None:
        super().__init__(mirrored.out_features, mirrored.in_features)
        self.weight = mirrored.weight  # (inputs, outputs) of this layer
        self.mirrored = (mirrored,)  # in a tuple, so that it is no child of this layer
        self.register_state_dict_post_hook(_copied)

    def forward(self, input: Tensor) -> Tensor:
        """``(B, inputs)`` to ``(B, outputs)``."""
        return functional.linear(input, self.weight.T, self.bias)

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> "Tied":
        """Moved between devices, PyTorch gives each layer its own parameter, so the knot is tied again; half a model has none."""
        super()._apply(fn, recurse)
        (mirrored,) = self.mirrored
        if mirrored.weight.device == self.weight.device:
            self.weight = mirrored.weight
        return self


def _copied(module: nn.Module, state: dict[str, Tensor], prefix: str, metadata: Any) -> None:
    state[f"{prefix}weight"] = state[f"{prefix}weight"].clone()


def _stack(sizes: list[int], activation: type[nn.Module]) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Linear(sizes[0], sizes[1])]
    for inputs, outputs in pairwise(sizes[1:]):
        layers += [activation(), nn.Linear(inputs, outputs)]
    return layers
