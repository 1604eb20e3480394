"""What each unit of a code draws."""

from dataclasses import dataclass

import torch
from torch import Tensor

from aecore.models import Autoencoder

AT_ONCE = 128


@dataclass(frozen=True)
class Atoms:
    """What single units add to a picture: ``units`` ``(k,)``, those that change pictures most first, and ``pictures`` ``(k, C, H, W)``.

    Units of the decoder's output before it is squashed or cut; with signs.
    """

    units: Tensor
    pictures: Tensor


@torch.no_grad()
def atoms(model: Autoencoder, codes: Tensor, count: int) -> Atoms:
    """The ``count`` atoms that change pictures most, found with codes ``(N, n)`` of many pictures; units that never change have none.

    An atom is what the decoder draws from the mean code with the unit at its usual size, less what it draws with the unit at 0. The
    usual size is the root mean square over the pictures in which the unit is not 0. If the decoder is linear, the atom is
    the unit's column, that much longer, whatever the others do. How much a unit changes pictures is its standard deviation
    times the length of its atom at size 1.
    """
    mean = codes.mean(0)
    usual = (codes.square().sum(0) / (codes != 0).sum(0).clamp_min(1)).sqrt()

    def added(units: Tensor) -> Tensor:
        without = mean.repeat(len(units), 1)
        without[range(len(units)), units] = 0
        with_it = without.clone()
        with_it[range(len(units)), units] = usual[units]
        return model.decoder(with_it) - model.decoder(without)

    lengths = torch.cat([added(part).flatten(1).norm(dim=1) for part in torch.arange(codes.shape[1]).split(AT_ONCE)])
    change = lengths * codes.std(0) / usual.clamp_min(1e-30)
    units = change.topk(min(count, int((change > 0).sum()))).indices
    return Atoms(units, added(units))
