"""Drawing a part of a labelled set in which every class keeps its share."""

import torch
from torch import Tensor


def stratified(labels: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """Positions of ``count`` items drawn at random, class by class, in ascending order.

    ``labels``: int64 ``(N,)``. Each class gets its share of ``count`` rounded down; the places left over go to the
    classes with the largest remainders, so no class is off by as much as one item. Raises ``ValueError`` if
    ``count`` is not in [0, N].
    """
    if not 0 <= count <= len(labels):
        raise ValueError(f"cannot draw {count} of {len(labels)} items")
    sizes = torch.bincount(labels)
    # Whole numbers keep equal remainders equal on every machine.
    quota = sizes * count
    take = quota // len(labels)
    remainder = quota % len(labels)
    left_over = count - int(take.sum())
    take[torch.argsort(remainder, descending=True, stable=True)[:left_over]] += 1
    drawn = []
    for label in range(len(sizes)):
        members = torch.nonzero(labels == label).flatten()
        drawn.append(members[torch.randperm(len(members), generator=rng)[: int(take[label])]])
    return torch.cat(drawn).sort().values
