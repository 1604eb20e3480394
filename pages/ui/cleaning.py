"""The pictures of Denoise: choose one, several, or the lecture's digits; damage them or not; have them mended."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import streamlit as st
import torch
from skimage import data as samples
from torch import Tensor

from aecore.denoise import PhotoDenoiser, pictures
from aecore.denoise.noise import KINDS
from aecore.jobs.errands import Report, Work
from aecore.knobs import Choice, Knob, Range, Switch
from pages.ui import batch, cleaned, digits, forms, many, mending, mismatch, state
from pages.ui.i18n import Translator, marked
from pages.ui.mended import Mended, mend

SAMPLES = {
    "astronaut": (samples.astronaut, marked("Astronaut (NASA, public domain)")),
    "coffee": (samples.coffee, marked("Coffee (Rachel Michetti, CC0)")),
    "cat": (samples.chelsea, marked("Cat (Stefan van der Walt, CC0)")),
    "rocket": (samples.rocket, marked("Rocket (SpaceX, public domain)")),
}
DIGITS, OWN, CAMERA = "digits", "own", "camera"
OTHERS = {DIGITS: marked("Digits, the lecture's example"), OWN: marked("My own pictures"), CAMERA: marked("My camera")}
SOURCE = Knob("picture", "astronaut", Choice((*SAMPLES, *OTHERS)), marked("Picture"), marked("A sample, or pictures of your own."))
TASK = Knob("task", "add", Choice(("add", "blind")), marked("Its noise"), marked("Where we add the noise, the result can be scored."))
NOISE = Knob("kind", "gaussian", Choice(tuple(KINDS)), marked("Kind of noise"), marked("How the picture is damaged."))
LEVEL = Knob("amount", 0.33, Range(0.0, 1.0), marked("How much"), marked("Of Gaussian noise, 1 is a standard deviation of 75 grey levels."))
CAREFUL = Knob(
    "careful",
    False,
    Switch(),
    marked("Look eight times"),
    marked("The mean of eight looks, turned and mirrored: cleaner, for eight times the time."),
)
WORDS = {
    "add": marked("Add some"),
    "blind": marked("It has some"),
    "poisson": marked("Poisson (few photons)"),
    "jpeg": marked("JPEG blocks"),
}
ASKED = marked("Your pictures: PNG, JPEG, WebP, TIFF and others, or a ZIP of them")
Load = Callable[[], tuple[Tensor, pictures.Photo | None]]
"""Gives a picture ``(3, H, W)`` in [0, 1], and the file that it came from, if from one."""
Files = list[Any]
"""Uploaded files, as Streamlit gives them."""


@dataclass(frozen=True)
class Asked:
    """What the settings ask for: a picture of some ``name``, one or several ``files`` or none yet, and the damage to add."""

    name: str
    files: Files
    kind: str | None
    amount: float
    careful: bool

    @property
    def key(self) -> str:
        """Another one for whatever else is asked."""
        return "-".join([self.name, *(each.file_id for each in self.files), str(self.kind), str(self.amount), str(self.careful)])


def close() -> None:
    """End the lines of errands."""
    mending.close()


def page(t: Translator) -> None:
    """Settings on the left, the picture on the right; below, what becomes of noise that a network was not taught."""
    left, right = st.columns([1, 3], gap="large")
    with left:
        asked = _settings(t)
    with right:
        _result(asked, t)
    mismatch.section(t)


def explain(t: Translator) -> None:
    """The lesson of the page, and the network that is at work."""
    with st.expander(t("Explain: noise out of photographs"), icon=":material/school:"):
        lesson, code = st.tabs([t("Lesson"), t("The code that runs")])
        with lesson:
            st.markdown(t.lesson("denoise"))
        with code:
            st.caption(t("Not a copy: this is read from the program as it runs."))
            st.code(inspect.getsource(PhotoDenoiser), "python")


def _settings(t: Translator) -> Asked:
    """Draw the settings of the chosen source; the camera is asked for only where it is chosen."""
    state.open_link()
    words = {option: t(text) for option, text in (forms.WORDS | WORDS | OTHERS).items()}
    words |= {name: t(title) for name, (_, title) in SAMPLES.items()}
    values = forms.knobs([SOURCE], t, words)
    name = str(values["picture"])
    files = many.ask(t(ASKED), "denoise-files", t) if name == OWN else _camera(t) if name == CAMERA else []
    if name == DIGITS:
        values |= forms.knobs([digits.LEVEL], t)
    else:
        values |= forms.knobs([TASK], t, words)
        if values["task"] == "add":
            values |= forms.knobs([NOISE], t, words) | forms.knobs([LEVEL], t)
        values |= forms.knobs([CAREFUL], t)
    state.put_in_link(values, {each.name: each.default for each in (SOURCE, TASK, NOISE, LEVEL, CAREFUL, digits.LEVEL)})
    level = values[digits.LEVEL.name] if name == DIGITS else values.get("amount", 0)
    return Asked(name, files, values.get("kind"), float(level), bool(values.get("careful")))


def _camera(t: Translator) -> Files:
    """Ask for a picture from the camera; the browser asks the visitor first."""
    file = st.camera_input(
        t("Take a picture"),
        key="denoise-camera",
        help=t("In the dark a camera makes noise of its own. The picture stays in the memory of this server and is never written."),
    )
    return [file] if file else []


def _result(asked: Asked, t: Translator) -> None:
    """What became of what is asked; a batch that is no longer asked for ends."""
    contents = [(each.name, each.getvalue()) for each in asked.files]
    several = many.several(contents)
    each = mending.Wish("pictures", asked.key, batch.work(contents, asked.kind, asked.amount, asked.careful), live=batch.show_so_far)
    if not several:
        each.line.cancel(each.owner)
    if asked.name == DIGITS:
        digits.show(asked.amount, t)
    elif several:
        mending.watch(each, batch.show, t)
    elif asked.files or asked.name in SAMPLES:
        mending.watch(mending.Wish("picture", asked.key, _work(_load(asked), asked), slow=asked.careful), cleaned.show, t)
    else:
        st.info(t("Take a picture on the left.") if asked.name == CAMERA else t("Choose a picture on the left, or several."))


def _load(asked: Asked) -> Load:
    """What gets the picture, in the errand's thread."""
    if not asked.files:
        return lambda: (sample(asked.name), None)
    file = asked.files[0]

    def load() -> tuple[Tensor, pictures.Photo]:
        photo = pictures.read(file.getvalue(), file.name)
        return photo.colour.expand(3, -1, -1), photo

    return load


@lru_cache(maxsize=len(SAMPLES))
def sample(name: str) -> Tensor:
    """A sample photograph ``(3, H, W)`` in [0, 1]."""
    return torch.from_numpy(SAMPLES[name][0]()[..., :3].copy()).permute(2, 0, 1).float() / 255


def _work(load: Load, asked: Asked) -> Work:
    """What the errand does: read the picture, damage it or not, and mend it; it is scored already, where it can be."""

    def do(report: Report, stopped: Callable[[], bool]) -> Mended:
        source, photo = load()
        result = mend(source, photo, asked.kind, asked.amount, asked.careful, report, stopped)
        if result.clean is not None:
            for strength in (0, 1):
                result.score(strength)
        return result

    return do
