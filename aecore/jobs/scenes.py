"""Pictures of a model at work: the same eight test pictures and the same cloud of points, again and again."""

import torch
from safetensors.torch import save
from torch import Tensor

from aecore.data import Images
from aecore.jobs.messages import Message, array
from aecore.models import Autoencoder

PICTURES = 8
POINTS = 300


class Scenes:
    """Chooses what to show of a data set, and draws it with a model."""

    def __init__(self, data: Images, device: torch.device) -> None:
        chosen = _one_of_each(data.test_labels, PICTURES)
        spread = torch.linspace(0, len(data.test) - 1, min(POINTS, len(data.test))).long()  # a set may be sorted by class
        self.originals = data.test[chosen].numpy()
        self.labels = data.test_labels[spread].numpy()
        self.pictures = data.test[chosen].to(device).float().div(255)
        self.points = data.test[spread].to(device).float().div(255)
        self.cloud: Tensor | None = None

    @torch.no_grad()
    def draw(self, model: Autoencoder, step: int) -> Message:
        """A snapshot as plain values; the model is left as it was."""
        learning = model.training
        model.eval()
        reconstructions = model(self.pictures).clamp(0, 1).mul(255).round().to(torch.uint8).cpu().numpy()
        codes = self._flat(model.encode(self.points).float().cpu()).numpy()
        model.train(learning)
        return {"step": step, "reconstructions": array(reconstructions), "codes": array(codes), "labels": array(self.labels)}

    @staticmethod
    def weights(state: dict[str, Tensor]) -> bytes:
        """Safetensors of a model's state."""
        return save({name: value.detach().cpu().contiguous() for name, value in state.items()})

    def _flat(self, codes: Tensor) -> Tensor:
        """``(N, n)`` to ``(N, 2)``: the code itself where it has two values at most, else its two principal axes.

        The cloud is turned within its plane to lie as near as it can to the one before (orthogonal Procrustes:
        Schönemann, 1966, https://doi.org/10.1007/BF02289451), so that it neither flips nor spins while it is watched.
        """
        if codes.shape[1] <= 2:
            return torch.nn.functional.pad(codes, (0, 2 - codes.shape[1]))
        if not torch.isfinite(codes).all():
            return torch.full((len(codes), 2), torch.nan)
        centred = codes.double() - codes.double().mean(0)  # squares of a wild model's codes pass what a float holds
        if codes.shape[1] <= len(codes):
            cloud = centred @ torch.linalg.eigh(centred.T @ centred)[1][:, -2:].flip(1)
        else:  # the smaller Gram matrix has the same spectrum
            values, vectors = torch.linalg.eigh(centred @ centred.T)
            cloud = (vectors[:, -2:] * values[-2:].clamp_min(0).sqrt()).flip(1)
        if cloud.shape[1] < 2:  # a single test picture
            cloud = torch.nn.functional.pad(cloud, (0, 1))
        if self.cloud is not None:
            left, _, right = torch.linalg.svd(cloud.T @ self.cloud)
            cloud = cloud @ (left @ right)
        self.cloud = cloud
        return cloud.float()


def _one_of_each(labels: Tensor, count: int) -> Tensor:
    """Positions of ``count`` items of as many classes as there are, the first of each class first; all if fewer."""
    seen: dict[int, int] = {}
    rank = []
    for label in labels[:2_000].tolist():
        rank.append(seen.get(label, 0))
        seen[label] = rank[-1] + 1
    return torch.tensor(rank).argsort(stable=True)[:count]
