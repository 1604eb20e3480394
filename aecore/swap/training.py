"""Teaches autoencoders of faces that can be joined. A run goes on from its checkpoint to the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from aecore.data import faces
from aecore.denoise import training as denoise
from aecore.denoise.training import Pace
from aecore.knobs import knob
from aecore.refusal import Refused
from aecore.swap.closeup import ends, initialise
from aecore.swap.masks import hulls, soft
from aecore.swap.network import POINTS, Separate, Swapper
from aecore.swap.rendered import Rendered, read_rendered
from aecore.swap.scores import inside
from aecore.training.muon import Muon

NETWORKS: dict[str, type[Swapper]] = {"shared": Swapper, "separate": Separate}
KNOWN = ("none", "landmarks", "parameters")
TINY = 1e-5
NEAR = 0.12
"""How far the eyes and the mouth reach, as a share of a frame's half side."""
ROLL = 2
EYES_AND_MOUTH = ((16, 17), (20, 21), (26, 27, 28, 29))


@dataclass(frozen=True)
class Plan(Pace):
    """The knobs of a run on faces."""

    steps: int = knob(8_000, 1, 1_000_000, log=True, label="Steps", help="How many batches are learnt from.")
    batch: int = knob(16, 1, 256, log=True, label="Batch size", help="Frames of each person per step.")
    rate: float = knob(2e-3, 1e-6, 1e-1, log=True, label="Learning rate", help="The largest step size of the optimiser.")
    size: int = knob(64, 32, 256, label="Size", help="Sides of a frame in pixels.")
    code: int = knob(128, 2, 1024, log=True, label="Code size", help="How many numbers the code has.")
    encoders: str = knob("shared", options=tuple(NETWORKS), label="Encoders", help="One for everybody, or one for each person.")
    move: float = knob(0.06, 0.0, 0.3, label="Move", help="How far frames are shifted, turned and enlarged, as a share of their size.")
    warp: float = knob(
        0.0, 0.0, 0.1, label="Warp", help="How far inputs, but not what should come out, are bent, as a share of their size."
    )
    light: float = knob(0.0, 0.0, 0.5, label="Light", help="How far the brightness of frames is varied.")
    around: float = knob(0.05, 0.0, 1.0, label="Around", help="What an error outside the face weighs against one inside it.")
    features: float = knob(
        1.0, 0.0, 10.0, label="Features", help="What an error at eyes and mouth weighs more than one elsewhere in the face."
    )
    known: str = knob(
        "landmarks", options=KNOWN, label="Known", help="What a code has to tell: nothing, landmarks, or all that was rendered."
    )
    told: float = knob(1.0, 0.0, 10.0, label="Told", help="Weight of telling what is known.")
    noise: float = knob(0.05, 0.0, 1.0, label="Noise", help="Deviation of the noise that codes learn to bear.")
    match: float = knob(0.0, 0.0, 10.0, label="Match", help="Weight of the difference between the people's codes, in mean and covariance.")


@dataclass(frozen=True)
class Person:
    """What is known of one person: frames uint8 ``(N, 3, S, S)``, landmarks ``(N, K, 2)``, (x, y) in pixels, perhaps the scene.

    ``scene`` ``(N, P)`` is what was rendered, the head's roll in degrees in column ``ROLL``; nobody knows that of a photograph.
    """

    frames: Tensor
    landmarks: np.ndarray
    scene: np.ndarray | None = None


@dataclass(frozen=True)
class Batch:
    """Frames of one person.

    ``inputs`` and ``targets`` ``(B, 3, S, S)`` in [0, 1]; ``weights`` ``(B, 1, S, S)`` of the targets' pixels; ``points``
    ``(B, K, 2)``: where landmarks are, -1 to 1 over a frame; ``known`` ``(B, k)``: what codes have to begin with, in deviations.
    """

    inputs: Tensor
    targets: Tensor
    weights: Tensor
    points: Tensor
    known: Tensor


class Faces:
    """People's frames to learn from; in ``held`` all people show the same scenes, so that a swap can be judged."""

    def __init__(self, train: dict[str, Person], held: dict[str, Person], plan: Plan) -> None:
        self.train, self.held, self.plan = train, held, plan
        self.masks = {name: hulls(each.landmarks, plan.size) for name, each in train.items()}
        self.points = {name: torch.from_numpy(each.landmarks / plan.size * 2 - 1).float() for name, each in train.items()}
        self.weights = {name: self._weights(name) for name in train}
        self.scenes: dict[str, Tensor] = {}
        self.roll = 1.0
        if plan.known == "parameters":
            scenes = {name: each.scene for name, each in train.items() if each.scene is not None}
            if len(scenes) < len(train):
                raise Refused("What was rendered is not known of these frames. Choose landmarks or none instead of parameters.")
            every = np.concatenate(list(scenes.values()))
            self.roll = float(every[:, ROLL].std())
            self.scenes = {name: torch.from_numpy((each - every.mean(0)) / every.std(0)).float() for name, each in scenes.items()}

    def network(self) -> Swapper:
        """An untaught network, its weights drawn from the plan's seed, that knows the colours of each person's face."""
        model = NETWORKS[self.plan.encoders](tuple(self.train), self.plan.size, self.plan.code, self.told)
        initialise(model, torch.Generator().manual_seed(self.plan.seed))
        for place, (name, each) in enumerate(self.train.items()):
            pixels = each.frames.permute(1, 0, 2, 3)[:, self.masks[name][:, 0] > 0].float() / 255
            model.means[place], model.deviations[place] = pixels.mean(1), pixels.std(1)
            if self.told:
                model.usual[place], model.spread[place] = self.points[name].mean(0), self.points[name].std(0).clamp_min(1e-6)
        return model

    @property
    def told(self) -> int:
        """How many landmarks a code begins with."""
        return 0 if self.plan.known == "none" else next(iter(self.points.values())).shape[1]

    def batch(self, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """What goes in and what should come out, ``(people * batch, 3, S, S)`` each."""
        batches = [self.draw(name, rng) for name in self.train]
        return torch.cat([each.inputs for each in batches]), torch.cat([each.targets for each in batches])

    def draw(self, name: str, rng: torch.Generator) -> Batch:
        """Some of one person's frames, moved, lit and bent at random."""
        plan, usual = self.plan, self.points[name]
        chosen = torch.randint(len(usual), (plan.batch,), generator=rng)
        every = torch.cat((self.train[name].frames[chosen].float() / 255, self.weights[name][chosen]), 1)
        moves = self._moves(rng)
        grid = functional.affine_grid(moves, list(every.shape), align_corners=False)
        pictures, weights = _sample(every, grid).split((3, 1), 1)
        pictures = pictures * ((torch.rand((plan.batch, 1, 1, 1), generator=rng) * 2 - 1) * plan.light).exp()
        points = torch.linalg.solve(moves[:, :, :2], (usual[chosen] - moves[:, None, :, 2]).mT).mT
        known = ((points - usual.mean(0)) / usual.std(0).clamp_min(1e-6)).flatten(1)[:, : 2 * self.told]
        if self.scenes:
            known = torch.cat((known, self._scene(name, chosen, moves)), 1)
        return Batch(_last(self._bent(pictures, rng)), _last(pictures), weights, points, known)

    @torch.no_grad()
    def measure(self, model: Swapper) -> dict[str, float]:
        """PSNR in dB inside the face, the mean over the held frames: each person drawn anew, and made of each other."""
        masks = {name: hulls(each.landmarks, self.plan.size) for name, each in self.held.items()}
        found = {}
        for source, given in self.held.items():
            code = model.encode(_last(given.frames.float() / 255), source)
            for target, truth in self.held.items():
                output = model.decode(code, target).clamp(0, 1)
                found[f"psnr_{source}_to_{target}"] = float(inside(output, truth.frames.float() / 255, masks[target]).mean())
        return found

    def _weights(self, name: str) -> Tensor:
        """Of each pixel of a person's frames ``(N, 1, S, S)``."""
        size, points = self.plan.size, self.points[name]
        weights = self.plan.around + (1 - self.plan.around) * soft(self.masks[name], size / 64)
        if points.shape[1] != POINTS or not self.plan.features:
            return weights
        places = (torch.arange(size) + 0.5) / size * 2 - 1
        for chosen in EYES_AND_MOUTH:
            x, y = points[:, list(chosen)].mean(1).T[:, :, None]
            near = (
                torch.exp(-(y - places).square() / NEAR**2)[:, None, :, None] * torch.exp(-(x - places).square() / NEAR**2)[:, None, None]
            )
            weights = weights + self.plan.features * near
        return weights

    def _scene(self, name: str, chosen: Tensor, moves: Tensor) -> Tensor:
        """What was rendered, and how the frame was moved since, ``(B, P + 3)``: a turn counts as the head's."""
        scene, unit = self.scenes[name][chosen].clone(), max(self.plan.move, 1e-3) / 3**0.5
        scene[:, ROLL] -= torch.rad2deg(torch.atan2(moves[:, 1, 0], moves[:, 0, 0])) / self.roll
        larger = moves[:, 0, :2].norm(dim=1, keepdim=True) - 1
        return torch.cat((scene, larger / unit, moves[:, :, 2] / unit / 2), 1)

    def _moves(self, rng: torch.Generator) -> Tensor:
        """Turns, enlargements and shifts ``(batch, 2, 3)``, in the coordinates of ``affine_grid``."""
        turn, larger, x, y = (torch.rand((4, self.plan.batch), generator=rng) * 2 - 1) * self.plan.move
        cos, sin = (1 + larger) * (1.5 * turn).cos(), (1 + larger) * (1.5 * turn).sin()
        return torch.stack((cos, -sin, 2 * x, sin, cos, 2 * y), 1).view(-1, 2, 3)

    def _bent(self, pictures: Tensor, rng: torch.Generator) -> Tensor:
        """Pictures bent smoothly, each in its own way."""
        if not self.plan.warp:
            return pictures
        shifts = torch.randn((len(pictures), 2, 5, 5), generator=rng) * self.plan.warp
        bends = functional.interpolate(shifts, size=pictures.shape[2:], mode="bicubic").permute(0, 2, 3, 1)
        straight = functional.affine_grid(torch.eye(2, 3).expand(len(pictures), 2, 3), list(pictures.shape), align_corners=False)
        return _sample(pictures, straight + bends)


class Lessons(denoise.Lessons[Swapper]):
    """One run: the same loop, another loss."""

    def __init__(self, subject: Faces, checkpoint: bytes = b"", device: str = "cpu") -> None:
        self.faces = subject
        super().__init__(subject, checkpoint, device)

    def choose(self) -> torch.optim.Optimizer:
        """Muon, but Adam for both ends of each network."""
        optimiser = Muon(self.model.parameters(), self.plan.rate)
        optimiser.inner -= {id(each) for each in ends(self.model)}
        return optimiser

    def loss(self, rng: torch.Generator) -> Tensor:
        """The root of each frame's weighted squared error, what codes tell of what is known, and how the people's codes differ.

        Each is averaged over people. Without the two latter terms a code means the same for two people by luck alone.
        Source of the last: Sun and Saenko (2016), https://arxiv.org/abs/1607.01719.
        """
        model, plan = self.model, self.faces.plan
        losses, codes = [], {name: [] for name in model.encoders}
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            for name in self.faces.train:
                batch = self.faces.draw(name, rng)
                batch = Batch(*(each.to(self.device) for each in vars(batch).values()))
                code = model.encode(batch.inputs, name)
                codes[model.group(name)].append(code)
                count = min(code.shape[1], batch.known.shape[1])
                told = functional.mse_loss(code[:, :count], batch.known[:, :count]) if count else 0.0
                code = code + plan.noise * torch.randn(code.shape, generator=rng).to(self.device)
                output = model.normalised(model.decode(code, name), name)
                error = (output - model.normalised(batch.targets, name)).square().mean(1, keepdim=True) * batch.weights
                error = (error.sum((1, 2, 3)) / batch.weights.sum((1, 2, 3)) + TINY).sqrt().mean()
                losses.append(error + plan.told * told)
        loss = torch.stack(losses).mean()
        return loss + plan.match * sum(apart(each) for each in codes.values()) if plan.match else loss


def apart(codes: Sequence[Tensor]) -> Tensor:
    """How far several people's codes, ``(B, n)`` each, differ in mean and covariance, in units of their variance; 0 for one person."""
    scale = torch.cat(list(codes)).var(0).mean() + 1e-6
    means = torch.stack([each.mean(0) for each in codes])
    centred = [each - each.mean(0) for each in codes]
    spreads = torch.stack([each.T @ each / len(each) for each in centred])
    n = means.shape[1]
    return 2 * ((means - means.mean(0)).square().sum() / scale + (spreads - spreads.mean(0)).square().sum() / scale**2 / n) / n


def built_in(plan: Plan, more: Path | None = None) -> Faces:
    """The two people who come with the lab; A is learnt from even frames and B from odd ones, so that no two show the same scene.

    All frames rendered besides, in the folder ``more``, are learnt from as well: they must show A and B in different scenes.
    """
    people = faces.PEOPLE
    train = {name: _person("train", name, plan.size, slice(place, None, len(people))) for place, name in enumerate(people)}
    if more:
        extra = {name: read_rendered(more, name, plan.size) for name in people}
        if set.intersection(*({tuple(scene) for scene in each.parameters} for each in extra.values())):
            raise Refused("{path} shows both people in the same scene; swaps are learnt without pairs.", path=str(more))
        train = {name: _joined(each, extra[name]) for name, each in train.items()}
    return Faces(train, {name: _person("held", name, plan.size) for name in people}, plan)


def _person(split: faces.Split, name: faces.Person, size: int, part: slice = slice(None)) -> Person:
    frames, landmarks = faces.frames(split, name, size)[part].contiguous(), faces.landmarks(split, name, size)[part]
    return Person(frames, landmarks, _scenes(faces.parameters(split)[1][part]))


def _joined(own: Person, more: Rendered) -> Person:
    assert own.scene is not None
    return Person(
        torch.cat((own.frames, more.frames)),
        np.concatenate((own.landmarks, more.landmarks)),
        np.concatenate((own.scene, _scenes(more.parameters))),
    )


def _scenes(parameters: np.ndarray) -> np.ndarray:
    return parameters[:, : faces.parameters("train")[0].index("background")]


def _sample(pictures: Tensor, grid: Tensor) -> Tensor:
    return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _last(pictures: Tensor) -> Tensor:
    return pictures.contiguous(memory_format=torch.channels_last)
