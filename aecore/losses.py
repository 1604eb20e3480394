"""Loss terms: pure functions of tensors, each with its unit and reduction."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def mse(output: Tensor, target: Tensor) -> Tensor:
    """Mean squared error between two pictures in [0, 1].

    Shapes: both ``(B, C, H, W)``; result a scalar. Unit: squared intensity. Reduction: mean over batch and pixels.
    """
    return (output - target).square().mean()


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy of pixels read as probabilities, computed on logits because a sigmoid first would overflow.

    Shapes: both ``(B, C, H, W)``, target in [0, 1]; result a scalar. Unit: nats per pixel. Reduction: mean over batch
    and pixels. Grey targets leave a floor above zero: see :func:`aecore.metrics.entropy_floor`.
    Source: Goodfellow, Bengio and Courville (2016), Deep Learning, section 6.2.2, https://www.deeplearningbook.org
    """
    return _CrossEntropy.apply(logits, target)


class _CrossEntropy(torch.autograd.Function):
    """Written out because PyTorch's own takes six times as long on a processor, more than all else in a small step.

    With p = sigmoid(z): -x ln p - (1-x) ln(1-p) = max(z, 0) - xz - ln max(p, 1-p), whose last term never meets ln 0,
    and whose slope in z is p - x.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor) -> Tensor:
        p = logits.sigmoid()
        ctx.save_for_backward(p, target)
        surer = (p - 0.5).abs_().add_(0.5)  # max(p, 1-p)
        return logits.relu().addcmul_(logits, target, value=-1).sub_(surer.log_()).mean()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        p, target = ctx.saved_tensors
        return (p - target).mul_(gradient / p.numel()), None


def kl_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of a normal distribution from the standard one, for each value of a code.

    Shapes: both ``(B, n)``; result ``(B, n)``. Unit: nats. No reduction, because which values carry news is worth seeing.
    Source: Kingma and Welling (2014), appendix B, https://arxiv.org/abs/1312.6114
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def l1(code: Tensor) -> Tensor:
    """Size of a code: the absolute values of its units, added up.

    Shape: ``(B, n)``; result a scalar. Unit: that of the code. Reduction: sum over the units, mean over the batch, so that
    a unit costs the same whatever the code's size. Source: Tibshirani (1996), https://doi.org/10.1111/j.2517-6161.1996.tb02080.x
    """
    return code.abs().sum(1).mean()


def kl_bernoulli(target: float, rates: Tensor) -> Tensor:
    """Kullback-Leibler divergence of coins that fall with ``rates`` from one that falls with ``target``: 0 where they agree.

    Shape: ``(n,)``, each in [0, 1]; result a scalar. Unit: nats. Reduction: sum over the units. Rates are kept a
    millionth inside (0, 1), where the divergence is finite.
    Source: Ng (2011), https://web.stanford.edu/class/cs294a/sparseAutoencoder_2011new.pdf
    """
    inside = rates.clamp(1e-6, 1 - 1e-6)
    return (target * (target / inside).log() + (1 - target) * ((1 - target) / (1 - inside)).log()).sum()
