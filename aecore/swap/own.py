"""Faces of real people, where the host allows them: consent, pictures and films in memory, a model of their own. Nothing here writes a file."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from aecore.provenance import Format
from aecore.refusal import Refused
from aecore.swap import align, files, weights
from aecore.swap.blend import Finish
from aecore.swap.film import Film, is_film
from aecore.swap.joins import Join
from aecore.swap.network import Swapper
from aecore.swap.training import Faces, Lessons, Person, Plan

SIZE = 64
LEAST_USED, MOST_USED = 12, 300
"""Frames of each person."""
MOST_FILES, MOST_BYTES = 100, 64 << 20
"""Sent at once, of one person."""
MINUTES = (1, 2, 5, 10)
MATCH = 0.15
"""Weight of the difference between the people's codes, which have only landmarks to agree on."""
TRIED = 8
"""Steps by which the machine's speed is measured."""
Progress = Callable[[float], None]


def allowed() -> bool:
    """Whether the host has set ``AECORE_OWN_FACES=1``."""
    return os.environ.get("AECORE_OWN_FACES") == "1"


def check_allowed() -> None:
    """Raise ``Refused`` unless the host allows own faces."""
    if not allowed():
        raise Refused(
            "Own faces are switched off on this server. Whoever runs it may allow them by the setting {setting}.",
            setting="AECORE_OWN_FACES=1",
        )


@dataclass(frozen=True)
class Consent:
    """What somebody declares before any face is taken: what it is for, that both people agreed, and that both are adults."""

    purpose: str
    agreed: bool
    adults: bool
    honest: bool

    def check(self) -> None:
        """Raise ``Refused`` unless it is complete."""
        if not (self.agreed and self.adults and self.honest):
            raise Refused("Consent is missing. All three statements must be true of both people; tick each of them.")
        if len(self.purpose.strip()) < 10:
            raise Refused("The purpose is missing. Say in a sentence what the swap is for.")


@dataclass(frozen=True, eq=False)
class Album:
    """What could be used of one person: upright frames, uint8 ``(N, 3, 64, 64)``, and landmarks ``(N, 30, 2)``.

    ``left_out`` tells why others could not, and how many of them.
    """

    frames: Tensor
    landmarks: np.ndarray
    left_out: tuple[tuple[Refused, int], ...]


def read(contents: Sequence[bytes], progress: Progress | None = None) -> Album:
    """Look for the one face in each picture, and in frames of films, of one person.

    No file's name is asked for: they are spoken of by their numbers. Raises ``Refused`` for too many files or bytes, for the only file if it
    is bad, and where fewer than ``LEAST_USED`` frames are left.
    """
    check_allowed()
    if not contents or len(contents) > MOST_FILES:
        raise Refused("Send from 1 to {most} files of each person.", most=MOST_FILES)
    if sum(map(len, contents)) > MOST_BYTES:
        raise Refused("These files have more than {limit} MB in all. Send fewer or smaller ones.", limit=MOST_BYTES >> 20)
    frames, landmarks, reasons = [], [], list[Refused]()
    for number, content in enumerate(contents):
        try:
            for done, each in _pictures(content, f"#{number + 1}"):
                if progress:
                    progress((number + done) / len(contents))
                if len(frames) == MOST_USED:
                    break
                try:
                    place = align.place(each, SIZE)
                except Refused as refused:
                    reasons.append(refused)
                    continue
                frames.append((align.cut(each.float() / 255, place.transform, SIZE) * 255).round().byte())
                landmarks.append(place.landmarks)
        except Refused as refused:
            if len(contents) == 1:
                raise
            reasons.append(refused)
    counted = Counter(map(str, reasons))
    left_out = tuple((next(each for each in reasons if str(each) == words), count) for words, count in counted.most_common())
    if len(frames) < LEAST_USED:
        raise Refused(
            "Only {used} of {count} pictures show one face well, and {least} are needed. Send more, or a film of a few seconds.",
            used=len(frames),
            count=len(frames) + len(reasons),
            least=LEAST_USED,
        ) from (reasons[0] if reasons else None)
    return Album(torch.stack(frames), np.stack(landmarks), left_out)


@dataclass(frozen=True)
class Look:
    """A course at one moment: the share of its time that is over, and the number of the step."""

    share: float
    step: int


class Course:
    """Learning from two people's albums, for as long as is asked, from what the built-in model knows of faces; kept in memory alone.

    Nobody knows what these people's faces do, so that codes are told landmarks alone, as the five points that were found place them.
    """

    def __init__(self, albums: Mapping[str, Album], seconds: float, seed: int = 0) -> None:
        check_allowed()
        self.seconds = seconds
        model, card = weights.load(weights.shipped(SIZE))
        plan = replace(Plan.of(**card.plan), known="landmarks", match=MATCH, seed=seed)
        people = {name: Person(album.frames, album.landmarks) for name, album in albums.items()}

        def begun(steps: int) -> Lessons:
            lessons = Lessons(Faces(people, {}, replace(plan, steps=steps)))
            lessons.begin(model)
            return lessons

        began = time.perf_counter()
        for _ in begun(TRIED).steps():
            pass
        self.lessons = begun(max(1, int(seconds * TRIED / (time.perf_counter() - began))))

    def looks(self) -> Iterator[Look]:
        """Learn; gives a look after each step."""
        began = time.perf_counter()
        for step in self.lessons.steps():
            share = (time.perf_counter() - began) / self.seconds
            yield Look(min(1.0, share), step)
            if share > 1.2:  # somebody else wanted the machine too
                return

    def drawn(self) -> tuple[Swapper, dict[str, Tensor]]:
        """The model as it is now, and by target a few frames of everybody as it draws them, uint8 ``(4 * people, 3, 64, 64)``."""
        model, people = self.lessons.learnt(), self.lessons.faces.train
        join = Join(model)
        return model, {to: torch.cat([join.swap(few(each.frames), name, to) for name, each in people.items()]) for to in people}


def few(frames: Tensor, count: int = 4) -> Tensor:
    """Some of them, evenly spread."""
    return frames[torch.linspace(0, len(frames) - 1, count).round().long()]


def swapped(
    content: bytes, model: Swapper, source: str, target: str, finish: Finish, progress: Progress | None = None
) -> tuple[bytes, Format, int]:
    """:func:`aecore.swap.files.swapped` of a picture or film of ``source``, where the host allows it."""
    check_allowed()
    return files.swapped(content, "#1", Join(model), source, target, finish, progress=progress)


def _pictures(content: bytes, name: str) -> Iterator[tuple[float, Tensor]]:
    """The picture in a file, or frames of a film, each with the share of the file that is done."""
    if not is_film(content):
        yield 1.0, files.read_picture(content, name)
        return
    film = Film(content, name)
    film.rate = min(film.rate, MOST_USED / max(film.seconds, 1.0))
    for place, frame in enumerate(film.frames()):
        yield min(1.0, place / max(1.0, film.seconds * film.rate)), frame
