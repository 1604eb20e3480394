"""How true a map is to its codes, and what a code tells about classes that it was never taught."""

import time
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import silhouette_score
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from aecore.inspect.judgement import regression
from aecore.refusal import Refused

AT_ONCE = 256


@dataclass(frozen=True)
class Faithfulness:
    """How well neighbourhoods of ``k`` survive from one space to another, each from 0 to 1, the last for a perfect copy.

    ``trustworthiness``: neighbours on the map were near before (no false neighbours). ``continuity``: who was near before is near on
    the map (none torn away). ``overlap``: share of the k nearest that stayed among the k nearest.
    Sources: Venna and Kaski (2001), https://doi.org/10.1007/3-540-44668-0_68; Lee and Verleysen (2009), https://doi.org/10.1016/j.neucom.2008.12.017 (overlap)
    """

    trustworthiness: float
    continuity: float
    overlap: float
    k: int


def faithfulness(before: Tensor, after: Tensor, k: int = 12) -> Faithfulness:
    """Of ``after`` ``(N, e)`` to ``before`` ``(N, d)``, the same items row by row; Euclidean distances in float64.

    Points equally far have the same rank, the best of it. Refused unless k is below half of N, where the scale of the first two ends.
    """
    count = len(before)
    if not 1 <= k < count / 2:
        raise Refused("Neighbourhoods of {k} need more than {least} pictures; there are {count}.", k=k, least=2 * k, count=count)
    false = torn = kept = 0
    for rows in torch.arange(count).split(AT_ONCE):
        near_before, ranks_before = _nearest(before, rows, k)
        near_after, ranks_after = _nearest(after, rows, k)
        false += (ranks_before(near_after) - k).clamp_min(0).sum().item()
        torn += (ranks_after(near_before) - k).clamp_min(0).sum().item()
        kept += (near_before[:, :, None] == near_after[:, None, :]).sum().item()
    scale = 2 / (count * k * (2 * count - 3 * k - 1))
    return Faithfulness(1 - scale * false, 1 - scale * torn, kept / (count * k), k)


def _nearest(values: Tensor, rows: Tensor, k: int):
    """The ``k`` nearest others ``(B, k)`` of some rows, and a function from others ``(B, k)`` to their ranks, 1 for the nearest."""
    values = values.double()
    distances = torch.cdist(values[rows], values)
    distances[range(len(rows)), rows] = torch.inf

    def ranks(others: Tensor) -> Tensor:
        bars = distances.gather(1, others)
        return 1 + torch.stack([(distances < bar[:, None]).sum(1) for bar in bars.unbind(1)], 1)

    return distances.topk(k, dim=1, largest=False).indices, ranks


def silhouette(values: Tensor, labels: Tensor) -> float:
    """How much nearer pictures ``(N, d)`` lie to their own class than to the next, from -1 to 1.

    Source: Rousseeuw (1987), https://doi.org/10.1016/0377-0427(87)90125-7
    """
    _check_classes(labels)
    return float(silhouette_score(values.numpy(), labels.numpy()))


def neighbour_accuracy(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor, k: int = 5) -> float:
    """Share of ``test`` ``(M, d)`` whose class most of their ``k`` nearest in ``train`` ``(N, d)`` have; k is cut to N.

    Source: Cover and Hart (1967), https://doi.org/10.1109/TIT.1967.1053964
    """
    voters = KNeighborsClassifier(min(k, len(train)), algorithm="brute").fit(train.numpy(), train_labels.numpy())
    return float(voters.score(test.numpy(), test_labels.numpy()))


def probe_accuracy(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor) -> tuple[float, float]:
    """Share of ``test`` whose class a logistic regression learnt on ``train`` finds, and the seconds that this took.

    All values are brought to one scale, and not each to its own, or the weakest axes of PCA would count as much as its strongest.
    """
    _check_classes(train_labels)
    began = time.perf_counter()
    mean = train.mean(0)
    scale = (train - mean).std().clamp_min(1e-6)
    accuracy = regression((train - mean) / scale, train_labels, (test - mean) / scale, test_labels)
    return accuracy, time.perf_counter() - began


def few(labels: Tensor, each: int, seed: int) -> Tensor:
    """Positions of ``each`` items of every class, drawn at random from ``seed``; Refused where a class has fewer."""
    counts = torch.bincount(labels)
    present = counts.nonzero().flatten()
    if int(counts[present].min()) < each:
        raise Refused("There are not {each} pictures of every class. Choose fewer.", each=each)
    rng = np.random.default_rng(seed)
    rows = [rng.choice((labels == label).nonzero().flatten().numpy(), each, replace=False) for label in present]
    return torch.from_numpy(np.concatenate(rows))


def few_label_accuracy(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor, each: int, seed: int) -> float:
    """Share of ``test`` that has the class of the nearest of ``each`` labelled items per class, drawn from ``seed``."""
    rows = few(train_labels, each, seed)
    return neighbour_accuracy(train[rows], train_labels[rows], test, test_labels, 1)


def _check_classes(labels: Tensor) -> None:
    if len(labels.unique()) < 2:
        raise Refused("All these pictures are of one class, or have no label, so there is nothing to tell apart. Choose data with labels.")
