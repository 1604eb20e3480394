"""Somebody who knows both people and reads a picture: who is it, where do they look, what does the face do?"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from aecore.data import faces
from aecore.denoise import training as denoise
from aecore.denoise.training import Pace
from aecore.denoise.weights import Card, card_for, restore
from aecore.denoise.weights import save as write
from aecore.knobs import knob
from aecore.swap.closeup import Closeup, Look, ends, initialise
from aecore.swap.masks import hulls, soft
from aecore.swap.network import POINTS
from aecore.swap.rendered import read_rendered
from aecore.swap.scores import correlations
from aecore.training.muon import Muon
from aecore.weights import FOLDER
from aecore.weights.tensors import Bits

TRAITS = {
    "yaw": ("yaw",),
    "pitch": ("pitch",),
    "roll": ("roll",),
    "mouth": ("jaw_open",),
    "smile": ("smile_left", "smile_right"),
    "blink": ("blink_left", "blink_right"),
    "gaze_x": ("gaze_x",),
    "gaze_y": ("gaze_y",),
}
"""What is read off a face, and the parameters whose mean it is."""
BESIDE = ("frown", "pucker", "funnel", "mouth_side", "upper_lip_up", "lower_lip_down", "brow_up", "brow_down", "squint", "eyes_wide")
"""Parameters that are learnt besides, so as not to be taken for traits."""
TURNS = 3
"""How many of the traits are read off the whole frame."""
WIDTHS = (40, 64, 80)
SMALL = 64
"""Sides of the frames on which landmarks are found."""
SPREAD = 0.2
"""How far landmarks are from their usual places, about."""
SHIPPED = FOLDER / "faces-judge.safetensors"


@dataclass(frozen=True)
class Plan(Pace):
    """The knobs of a judge's schooling."""

    steps: int = knob(4_000, 1, 1_000_000, log=True, label="Steps", help="How many batches are learnt from.")
    batch: int = knob(48, 3, 256, log=True, label="Batch size", help="Frames per step.")
    rate: float = knob(2e-3, 1e-6, 1e-1, log=True, label="Learning rate", help="The largest step size of the optimiser.")


@dataclass(frozen=True)
class Reading:
    """Of each picture: probabilities of the people ``(N, P)`` and traits ``(N, T)``, in units of their deviation."""

    people: Tensor
    traits: Tensor


class Judge(nn.Module):
    """A small network that was shown all training frames with their parameters; it never saw a swap.

    It finds the landmarks on the whole frame, and from these alone eyes and mouth. Who it is and what the face does is told from the
    two, so that hair, clothes and background do not count; only how the head is turned is told from the whole.
    """

    def __init__(self) -> None:
        super().__init__()
        self.finder = Look(4, SMALL, SMALL, WIDTHS, TURNS + 2 * POINTS)
        self.close = Closeup((32, 64), (40, 40), WIDTHS, len(TRAITS) - TURNS + len(BESIDE) + len(faces.PEOPLE))
        self.register_buffer("usual", torch.zeros(POINTS, 2))
        self.usual: Tensor
        """Landmarks of the average face, -1 to 1 over a frame."""

    def find(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Frames ``(B, 3, 64, 64)`` in [0, 1] to landmarks ``(B, 30, 2)``, -1 to 1 over a frame, and turns of the head ``(B, 3)``."""
        found = self.finder((frames - 0.5) * 4).float()
        return self.usual + SPREAD * found[:, TURNS:].unflatten(1, (POINTS, 2)), found[:, :TURNS]

    def look(self, frames: Tensor, landmarks: Tensor) -> tuple[Tensor, Tensor]:
        """Frames ``(B, 3, S, S)`` in [0, 1] with landmarks to all other traits ``(B, T)``, then those beside, and logits ``(B, P)``."""
        seen = self.close((frames - 0.5) * 4, landmarks, self.usual).float()
        return seen[:, : -len(faces.PEOPLE)], seen[:, -len(faces.PEOPLE) :]

    @torch.inference_mode()
    def read(self, frames: Tensor) -> Reading:
        """What there is to see on frames, uint8 ``(N, 3, S, S)``, 64 or 128 pixels wide."""
        parts = [self._read(part.float() / 255) for part in frames.split(64)]
        people, traits = (torch.cat(each) for each in zip(*parts, strict=True))
        return Reading(people, traits)

    def _read(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        landmarks, turns = self.find(functional.adaptive_avg_pool2d(frames, SMALL))
        seen, people = self.look(frames, landmarks)
        return people.softmax(1), torch.cat((turns, seen), 1)[:, : len(TRAITS)]


class School:
    """All training frames of both people, and what each shows: at 128 pixels, at 64, and at 64 blurred; perhaps ``more`` of a folder."""

    def __init__(self, plan: Plan, more: Path | None = None) -> None:
        self.plan = plan
        extra = {size: [read_rendered(more, name, size) for name in faces.PEOPLE] if more else [] for size in (2 * SMALL, SMALL)}
        large, small = (
            torch.cat([*(faces.frames("train", name, size) for name in faces.PEOPLE), *(each.frames for each in found)])
            for size, found in extra.items()
        )
        self.albums = (large, small, functional.avg_pool2d(small.float(), 3, 1, 1).round().to(torch.uint8))
        landmarks = np.concatenate(
            [*(faces.landmarks("train", name, SMALL) for name in faces.PEOPLE), *(each.landmarks for each in extra[SMALL])]
        )
        masks = [soft(hulls(landmarks * scale, scale * SMALL), scale).mul(255).round().to(torch.uint8) for scale in (2, 1)]
        self.masks = (*masks, masks[-1])
        self.landmarks = torch.from_numpy(landmarks / SMALL * 2 - 1).float()
        shown = [faces.parameters("train")[1]] * len(faces.PEOPLE) + [each.parameters for each in extra[SMALL]]
        self.known = torch.cat([known(each) for each in shown])
        counts = torch.tensor([len(each) for each in shown])
        self.who = (torch.arange(len(shown)) % len(faces.PEOPLE)).repeat_interleave(counts)
        paired = len(faces.PEOPLE) * len(shown[0])
        self.partners = torch.cat((torch.arange(paired).roll(len(shown[0])), torch.arange(paired, len(small))))
        """Of each frame, the one that shows another person in the same scene; itself where there is none."""

    def network(self) -> Judge:
        """A judge that knows nothing but where landmarks usually are."""
        judge = Judge()
        initialise(judge, torch.Generator().manual_seed(self.plan.seed))
        judge.usual.copy_(self.landmarks.mean(0))
        return judge

    def batch(self, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Numbers of frames, and of those whose hair, clothes and background they get: their own or the other person's in the same scene."""
        chosen = torch.randint(len(self.who), (self.plan.batch,), generator=rng)
        other = torch.rand(chosen.shape, generator=rng) < 0.5
        return chosen, torch.where(other, self.partners[chosen], chosen)

    def frames(self, album: int, chosen: Tensor, around: Tensor) -> Tensor:
        """Frames in [0, 1]: faces of ``chosen`` in the hair, clothes and backgrounds of ``around``."""
        share = self.masks[album][chosen].float() / 255
        return (self.albums[album][chosen].float() * share + self.albums[album][around].float() * (1 - share)) / 255

    def measure(self, model: Judge) -> dict[str, float]:
        """Correlations of what is read off the held frames with the truth, both people together, and how often the person is right."""
        found = {}
        for size in faces.SIZES:
            read = [model.read(faces.frames("held", name, size)) for name in faces.PEOPLE]
            truth = traits("held").repeat(len(read), 1)
            together = correlations(torch.cat([each.traits for each in read]), truth).tolist()
            found |= {f"{name}_{size}": value for name, value in zip(TRAITS, together, strict=True)}
            right = torch.cat([each.people.argmax(1) == place for place, each in enumerate(read)])
            found[f"person_{size}"] = float(right.float().mean())
        return found


class Lessons(denoise.Lessons[Judge]):
    """A judge's schooling: the same loop, another loss."""

    def __init__(self, subject: School, checkpoint: bytes = b"", device: str = "cpu") -> None:
        self.school = subject
        super().__init__(subject, checkpoint, device)

    def choose(self) -> torch.optim.Optimizer:
        """Muon, but Adam for the first and last layers."""
        optimiser = Muon(self.model.parameters(), self.plan.rate)
        optimiser.inner -= {id(each) for each in ends(self.model)}
        return optimiser

    def loss(self, rng: torch.Generator) -> Tensor:
        """Squared errors of landmarks and parameters, in units of their deviation, and cross-entropy of the person.

        Half the faces get the other person's hair and background. Frames are shifted, enlarged and lit at random; eyes and mouth are cut out where the landmarks truly are, with as much error
        as finding them makes.
        """
        school, model = self.school, self.model
        chosen, around = school.batch(rng)
        small = school.frames(1, chosen, around)
        count, wanted, points = len(chosen), school.known[chosen], school.landmarks[chosen]
        light = (torch.rand((count, 3, 1, 1), generator=rng) - 0.5).mul(0.1).exp()
        light = light * (torch.rand((count, 1, 1, 1), generator=rng) - 0.5).mul(0.5).exp()
        x, y, larger = (torch.rand((3, count), generator=rng) - 0.5) * 0.2
        zero = torch.zeros_like(x)
        moves = torch.stack((1 + larger, zero, x, zero, 1 + larger, y), 1).view(-1, 2, 3)
        moved = (points - moves[:, None, :, 2]) / (1 + larger)[:, None, None]
        grid = functional.affine_grid(moves, list(small.shape), align_corners=False)
        small = functional.grid_sample(small, grid, padding_mode="border", align_corners=False) * light
        points = points + 0.03 * torch.randn((count, 1, 2), generator=rng) + 0.02 * torch.randn(points.shape, generator=rng)
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            found, turns = model.find(small)
            thirds = zip(*(each.tensor_split(len(school.albums)) for each in (chosen, around, light, points)), strict=True)
            looks = [model.look(school.frames(i, face, hair) * lit, where) for i, (face, hair, lit, where) in enumerate(thirds)]
        seen, people = (torch.cat(each) for each in zip(*looks, strict=True))
        told = torch.cat((turns, seen), 1)
        return (
            functional.mse_loss(found / SPREAD, moved / SPREAD)
            + functional.mse_loss(told, wanted)
            + 0.1 * functional.cross_entropy(people, school.who[chosen])
        )


def known(parameters: np.ndarray) -> Tensor:
    """Traits and other parameters ``(N, T + O)`` of frames rendered by ``parameters``, in units of the training frames' deviation, about their mean."""
    names, train = faces.parameters("train")
    wanted = (*TRAITS.values(), *((name,) for name in BESIDE))

    def columns(values: np.ndarray) -> np.ndarray:
        return np.stack([values[:, [names.index(each) for each in every]].mean(1) for every in wanted], 1)

    base = columns(train)
    return torch.from_numpy((columns(parameters) - base.mean(0)) / base.std(0)).float()


def traits(split: faces.Split) -> Tensor:
    """The true traits of a split's frames ``(N, T)``, in units of the training frames' deviation, about their mean."""
    return known(faces.parameters(split)[1])[:, : len(TRAITS)]


def teach(steps: int = 300, seed: int = 0) -> Judge:
    """A judge of the two people who come with the lab, taught on all their training frames."""
    lessons = Lessons(School(Plan(steps=steps, seed=seed)))
    for _ in lessons.steps():
        pass
    return lessons.learnt()


def save(lessons: denoise.Lessons[Judge], words: dict[str, str], output: Path, bits: Bits = 16) -> None:
    """Measure a judge on what was held out, and write it with its card, for which ``words`` say what it was taught on."""
    found, model, done = lessons.validate(), lessons.learnt(), lessons.progress
    metrics = {"held out": found}
    card = card_for(model, output.stem, **words, plan=lessons.plan, steps=done.step, seconds=done.seconds, metrics=metrics)
    write(model, card, output, bits)


def load(path: Path | None = None) -> tuple[Judge, Card]:
    """A judge and its card; without a path, the one that comes with the lab. ``Refused`` for what does not fit."""
    return restore(path or SHIPPED, Judge, Plan)
