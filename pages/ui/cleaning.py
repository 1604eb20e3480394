"""The pictures of Denoise: choose one, damage it or not, and have it mended in the line of errands."""

import inspect
import time
from collections.abc import Callable
from functools import lru_cache

import streamlit as st
import torch
from skimage import data as samples
from torch import Tensor

from aecore.denoise import PhotoDenoiser, classic, pictures, tiles, weights
from aecore.denoise.noise import KINDS
from aecore.jobs.errands import Cancelled, Errands, Work
from aecore.knobs import Choice, Knob, Range
from aecore.refusal import Refused
from pages.ui import cleaned, forms, state, uploads
from pages.ui.cleaned import Mended
from pages.ui.i18n import Translator, marked

SAMPLES = {
    "astronaut": (samples.astronaut, marked("Astronaut (NASA, public domain)")),
    "coffee": (samples.coffee, marked("Coffee (Rachel Michetti, CC0)")),
    "cat": (samples.chelsea, marked("Cat (Stefan van der Walt, CC0)")),
    "rocket": (samples.rocket, marked("Rocket (SpaceX, public domain)")),
}
OWN = "own"
SOURCE = Knob("picture", "astronaut", Choice((*SAMPLES, OWN)), marked("Picture"), marked("A sample, or a picture of your own."))
TASK = Knob("task", "add", Choice(("add", "blind")), marked("Its noise"), marked("Where we add the noise, the result can be scored."))
NOISE = Knob("kind", "gaussian", Choice(tuple(KINDS)), marked("Kind of noise"), marked("How the picture is damaged."))
LEVEL = Knob("amount", 0.33, Range(0.0, 1.0), marked("How much"), marked("Of Gaussian noise, 1 is a standard deviation of 75 grey levels."))
WORDS = {
    "add": marked("Add some"),
    "blind": marked("It has some"),
    "poisson": marked("Poisson (few photons)"),
    "jpeg": marked("JPEG blocks"),
}
Load = Callable[[], tuple[Tensor, pictures.Photo | None]]
"""Gives a picture ``(3, H, W)`` in [0, 1], and the file that it came from, if from one."""
SEED = 0
TICK = 0.3  # seconds


@lru_cache(maxsize=1)
def errands() -> Errands:
    """The line of pictures to be mended."""
    return Errands()


def close() -> None:
    """End the line, if there is one."""
    if errands.cache_info().currsize:
        errands().close()
        errands.cache_clear()


@lru_cache(maxsize=1)
def _model() -> PhotoDenoiser:
    return weights.load()[0]


def page(t: Translator) -> None:
    """Settings on the left, the picture on the right."""
    left, right = st.columns([1, 3], gap="large")
    with left:
        asked, load, kind, amount = _settings(t)
    with right:
        if load is None:
            st.info(t("Choose a picture on the left."))
            return
        tab = state.session()  # two tabs of a visitor mend two pictures
        found = errands().look(tab)
        if found is None or st.session_state.get("denoise-asked") != asked:
            st.session_state["denoise-asked"] = asked
            try:
                errands().submit(tab, _work(load, kind, amount))
            except Refused as refused:
                st.error(t.refusal(refused))
                return
            found = errands().look(tab)
        busy = found is not None and found.status in ("waiting", "running")
        st.fragment(_tick, run_every=TICK if busy else None, key=f"mending-{asked}-{busy}")(busy, t)


def explain(t: Translator) -> None:
    """The lesson of the page, and the network that is at work."""
    with st.expander(t("Explain: noise out of photographs"), icon=":material/school:"):
        lesson, code = st.tabs([t("Lesson"), t("The code that runs")])
        with lesson:
            st.markdown(t.lesson("denoise"))
        with code:
            st.caption(t("Not a copy: this is read from the program as it runs."))
            st.code(inspect.getsource(PhotoDenoiser), "python")


def _settings(t: Translator) -> tuple[str, Load | None, str | None, float]:
    """Draw the settings; gives a name for what is asked, what loads the picture, and the damage to add."""
    state.open_link()
    words = {option: t(text) for option, text in (forms.WORDS | WORDS).items()}
    words |= {name: t(title) for name, (_, title) in SAMPLES.items()} | {OWN: t("My own picture")}
    values = forms.knobs([SOURCE], t, words)
    name = str(values["picture"])
    which, load = _own(t) if name == OWN else (name, lambda: (_sample(name), None))
    values |= forms.knobs([TASK], t, words)
    if values["task"] == "add":
        values |= forms.knobs([NOISE], t, words) | forms.knobs([LEVEL], t)
    state.put_in_link(values, {each.name: each.default for each in (SOURCE, TASK, NOISE, LEVEL)})
    kind, amount = values.get("kind"), float(values.get("amount", 0))
    return f"{which}-{kind}-{amount}", load, kind, amount


def _own(t: Translator) -> tuple[str, Load | None]:
    """Ask for a picture; gives a name for it, and what reads it, in the errand's thread."""
    file = st.file_uploader(
        t("Your picture: PNG, JPEG, WebP, TIFF and others"),
        max_upload_size=uploads.MOST_MEGABYTES,
        key="denoise-file",
        help=t("It stays in the memory of this server for as long as you look at it, and is never written."),
    )
    if file is None:
        return "", None

    def load() -> tuple[Tensor, pictures.Photo]:
        photo = pictures.read(file.getvalue(), file.name)
        return photo.colour.expand(3, -1, -1), photo

    return file.file_id, load


@lru_cache(maxsize=len(SAMPLES))
def _sample(name: str) -> Tensor:
    """A sample photograph ``(3, H, W)`` in [0, 1]."""
    return torch.from_numpy(SAMPLES[name][0]()[..., :3].copy()).permute(2, 0, 1).float() / 255


def _work(load: Load, kind: str | None, amount: float) -> Work:
    """What the errand does: read the picture, add the damage, cut and rounded as a file would hold it, and mend it."""

    def mend(progress: Callable[[float], None], stopped: Callable[[], bool]) -> Mended:
        source, photo = load()
        noisy = source
        if kind:
            damaged = KINDS[kind](source, amount, torch.Generator().manual_seed(SEED))
            noisy = damaged.mul(255).round().clamp(0, 255) / 255
        sigma = classic.estimate_sigma(noisy)
        began = time.perf_counter()
        output = tiles.denoise(_model(), noisy, progress=progress, stopped=stopped)
        if output is None:
            raise Cancelled
        return Mended(photo, noisy, source if kind else None, output, sigma, time.perf_counter() - began)

    return mend


def _tick(was_busy: bool, t: Translator) -> None:
    errand = errands().look(state.session())
    if errand is None or (was_busy and errand.status not in ("waiting", "running")):
        st.rerun()  # the last drawing is the page's, so that the ticking ends
    match errand.status:
        case "waiting" | "running":
            words, button = st.columns([4, 1], vertical_alignment="center")
            share = t("Mending: {share} %", share=t.number(100 * errand.done))
            waiting = t("Waiting: number {place} in line", place=errand.place)
            words.progress(errand.done, waiting if errand.status == "waiting" else share)
            if button.button(t("Cancel"), key="cancel-mending", width="stretch"):
                errands().cancel(state.session())
                st.rerun()
        case "failed":
            st.error(t.refusal(errand.error) if errand.error else "", icon=":material/error:")
        case "cancelled":
            st.info(t("Cancelled. Change a setting, or begin again."))
            if st.button(t("Begin again"), key="mend-again"):
                st.session_state.pop("denoise-asked", None)
                st.rerun()
        case "done":
            cleaned.show(errand.result, t)
