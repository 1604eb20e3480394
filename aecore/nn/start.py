"""Where the weights of a network begin."""

import torch
from torch import nn


def uniform(network: nn.Module, rng: torch.Generator) -> None:
    """Draw all weights anew from ``rng``: uniform, scaled to each layer's inputs, as PyTorch's layers do by default.

    Source: He et al. (2015), https://arxiv.org/abs/1502.01852
    """
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            bound = module.weight[0].numel() ** -0.5
            nn.init.uniform_(module.weight, -bound, bound, generator=rng)
            if module.bias is not None:
                nn.init.uniform_(module.bias, -bound, bound, generator=rng)
