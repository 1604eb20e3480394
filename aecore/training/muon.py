"""An optimiser for networks of convolutions and matrices: in our photo denoiser a step of it is worth two or three of Adam's."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
BETAS = (0.9, 0.999)
TINY = 1e-8
ROUNDS = 5
POLYNOMIAL = (3.4445, -4.7750, 2.0315)  # takes singular values between 0 and 1 to about 1 in five rounds


class Muon(torch.optim.Optimizer):
    """Momentum whose matrix is made orthogonal, so that all directions of a layer learn alike; for the rest, Adam.

    A convolution's weights count as a matrix of outputs by all the rest. The first and the last layer and whatever is no matrix
    go by Adam. Each update is scaled to be about as large as one of Adam's, so that ``lr`` means the same for both.
    Sources: Jordan et al. (2024), https://kellerjordan.github.io/posts/muon/; Liu et al. (2025), https://arxiv.org/abs/2502.16982 (the
    scale); Kingma and Ba (2015), https://arxiv.org/abs/1412.6980 (Adam).
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        every = list(parameters)
        super().__init__(every, {"lr": lr})
        matrices = [each for each in every if each.ndim >= 2]
        self.inner = {id(each) for each in matrices[1:-1]}

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Move each parameter that has a slope."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    update = self._orthogonal(parameter) if id(parameter) in self.inner else self._adam(parameter)
                    parameter.add_(update, alpha=-group["lr"])

    def _orthogonal(self, parameter: Tensor) -> Tensor:
        state, slope = self.state[parameter], parameter.grad
        assert slope is not None
        momentum = state.setdefault("momentum", torch.zeros_like(parameter))
        momentum.lerp_(slope, 1 - MOMENTUM)
        matrix = slope.lerp(momentum, MOMENTUM).flatten(1)
        return (0.2 * max(matrix.shape) ** 0.5 * orthogonal(matrix)).view(parameter.shape)

    def _adam(self, parameter: Tensor) -> Tensor:
        state, slope = self.state[parameter], parameter.grad
        assert slope is not None
        if not state:
            state.update(step=torch.zeros(()), exp_avg=torch.zeros_like(parameter), exp_avg_sq=torch.zeros_like(parameter))
        state["step"] += 1
        first, second = (1 - beta ** state["step"].item() for beta in BETAS)
        mean = state["exp_avg"].lerp_(slope, 1 - BETAS[0])
        square = state["exp_avg_sq"].lerp_(slope.square(), 1 - BETAS[1])
        return mean / first / ((square / second).sqrt() + TINY)


def orthogonal(matrix: Tensor) -> Tensor:
    """``(m, n)`` with its singular values brought near 1 (0.7 to 1.2), by Newton and Schulz's iteration in bfloat16; float32 out."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).bfloat16()
    x = x / (x.norm() + 1e-7)
    a, b, c = POLYNOMIAL
    for _ in range(ROUNDS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return (x.T if tall else x).float()
