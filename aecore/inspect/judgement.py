"""A trained model in a few figures besides its loss, so that kinds of autoencoders can stand side by side."""

import warnings

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from aecore.data import Images
from aecore.inspect.codes import health
from aecore.inspect.identity import identity_gap, identity_test
from aecore.models import Autoencoder

MOST_PROBED = 10_000  # pictures that the probe learns from
AT_ONCE = 500
PENALTY = 0.1  # scikit-learn's C: its inverse, chosen once on digits for codes of 32 to 1,024 values


def judge(model: Autoencoder, data: Images) -> dict[str, float]:
    """What a code is worth, measured on test pictures; the same model and data give the same figures.

    ``identity_gap`` in dB: see :func:`identity_gap`. ``active_values``: how many values of a code are not zero (L0), in the
    mean. ``probe_accuracy``, where the pictures have classes: the share whose class a logistic regression finds in the code
    alone, learnt from the codes of at most 10,000 training pictures. Figures that are not finite are left out.
    Source of the probe: Alain and Bengio (2017), https://arxiv.org/abs/1610.01644
    """
    codes = encode(model, data.test)
    figures = {"identity_gap": identity_gap(identity_test(model, data)), "active_values": health(codes).active}
    if codes.isfinite().all() and len(data.train_labels[:MOST_PROBED].unique()) > 1:
        learnt = encode(model, data.train[:MOST_PROBED])
        figures["probe_accuracy"] = probe(learnt, data.train_labels[:MOST_PROBED], codes, data.test_labels)
    return {name: value for name, value in figures.items() if np.isfinite(value)}


@torch.no_grad()
def encode(model: Autoencoder, pictures: Tensor) -> Tensor:
    """Codes ``(N, n)`` of uint8 pictures ``(N, C, H, W)``, a part at a time; the model is put into evaluation mode."""
    model.eval()
    device = next(model.parameters()).device
    return torch.cat([model.encode(part.to(device).float() / 255).cpu() for part in pictures.split(AT_ONCE)])


def probe(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> float:
    """Share of test codes ``(N, n)`` whose class ``(N,)`` logistic regression finds, each value standardised by the training codes."""
    mean, spread = train.mean(0), train.std(0).clamp_min(1e-6)
    return regression((train - mean) / spread, train_labels, (test - mean) / spread, test_labels)


def regression(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> float:
    """Share of ``test`` ``(N, n)`` whose class ``(N,)`` a logistic regression on ``train`` finds; the penalty is meant for values of about 1."""
    learnt = LogisticRegression(C=PENALTY, max_iter=200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 200 steps are enough for a figure with two digits
        learnt.fit(train.numpy(), train_labels.numpy())
    return float(learnt.score(test.numpy(), test_labels.numpy()))
