"""How much a code moves when its picture moves: the encoder's Jacobian, exact and without ever being written down whole."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

MOST_NUMBERS = 1 << 23  # held at a time by one step of the way back: 32 MiB


def code_and_squared_norm(encoder: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """The code ``(B, n)``, and the squared Frobenius norm of the Jacobian of ``encoder``, a sequence, at each picture: ``(B, C, H, W)`` to ``(B,)``, differentiable.

    For one layer h = sigmoid(Wx + b) it is, in closed form, the sum over j of (h_j (1 - h_j))^2 |W_j|^2. In deeper encoders the
    rows of W go back towards the picture, one for each value of the code, cut at each layer by the slopes of its units. At the
    first dense layer the way ends: |r W|^2 = r (W W') r', where W W' is the same for all pictures and smaller than W.
    Layers may be linear, 3x3 convolutions of stride 2, ReLU, sigmoid and flatten, and must begin with a flatten or a convolution.
    Where many pictures would outgrow memory, they are taken in parts, and each part is computed again on the way back.
    Source: Rifai et al. (2011), https://icml.cc/2011/papers/455_icmlpaper.pdf
    """
    layers = list(encoder.children())
    last, rows = [(index, layer.weight) for index, layer in enumerate(layers) if isinstance(layer, nn.Linear)][-1]
    masks: list[Tensor] = []
    code = x
    for layer in layers:
        code = layer(code)
        if isinstance(layer, nn.ReLU):
            masks.append(code > 0)
    slopes = code * (1 - code) if isinstance(layers[-1], nn.Sigmoid) else torch.ones_like(code)
    if not masks:
        return code, slopes.square() @ rows.square().sum(1)
    part = max(1, MOST_NUMBERS // (len(rows) * max(mask[0].numel() for mask in masks)))
    if len(x) <= part:
        return code, (slopes.square() * _row_norms(layers[:last], rows, x.shape, masks)).sum(1)
    parts = zip(*(mask.split(part) for mask in masks), strict=True)
    norms = [checkpoint(_row_norms, layers[:last], rows, x.shape, list(each), use_reentrant=False) for each in parts]
    return code, (slopes.square() * torch.cat(norms)).sum(1)


def _row_norms(layers: list[nn.Module], rows: Tensor, shape: torch.Size, masks: list[Tensor]) -> Tensor:
    """Squared length of each row of the Jacobian of ``layers`` and then ``rows`` ``(n, H)``, at each picture: ``(B, n)``."""
    left = list(masks)
    back = rows.expand(len(left[-1]), *rows.shape)  # (B, n, ...)
    for layer in reversed(layers):
        if isinstance(layer, nn.ReLU):
            mask = left.pop()
            back = back.reshape(*back.shape[:2], *mask.shape[1:]) * mask[:, None]
        elif isinstance(layer, nn.Linear):
            if not left:
                return _through_first(back, layer.weight)
            back = back @ layer.weight
        elif isinstance(layer, nn.Conv2d):
            height, width = left[-1].shape[2:] if left else shape[2:]
            missing = (height + 1) % 2, (width + 1) % 2  # an even side and the odd one below it shrink to the same
            back = functional.conv_transpose2d(back.flatten(0, 1), layer.weight, None, layer.stride, (1, 1), missing)
            back = back.unflatten(0, (-1, len(rows)))
    return back.flatten(2).square().sum(2)


def _through_first(back: Tensor, weight: Tensor) -> Tensor:
    """Squared lengths of ``back @ weight`` over its last axis, by the shorter way."""
    if len(weight) < weight.shape[1]:
        return (back @ (weight @ weight.T) * back).sum(2)
    return (back @ weight).square().sum(2)
