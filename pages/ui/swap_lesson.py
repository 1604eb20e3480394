"""Half-taught networks learn on for a minute, and the swap grows nearer to the truth before one's eyes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import streamlit as st
import torch

from aecore.data import faces
from aecore.jobs.errands import Cancelled, Report, Work
from aecore.knobs import Choice, Knob
from aecore.swap import weights
from aecore.swap.joins import Join
from aecore.swap.network import Swapper
from aecore.swap.scores import inside
from aecore.swap.training import Lessons, Plan, built_in
from aecore.weights import FOLDER
from pages.ui import figures, forms, mending, state, swap_gallery, swap_joins, waves, widgets
from pages.ui.i18n import Translator, marked
from pages.ui.swap_joins import DIRECTIONS, Asked

HALFWAY, NOTHING = "halfway", "nothing"
STARTS = {HALFWAY: marked("Halfway"), NOTHING: marked("From nothing")}
START = Knob("start", HALFWAY, Choice(tuple(STARTS)), marked("Begin"), marked("From weights stopped halfway, or from random ones."))
HALF = FOLDER / "faces-swap-64-half.safetensors"
STEPS, EVERY = 240, 15
SECONDS = 75.0  # at most
JUDGED = slice(0, 60, 3)
"""Held frames on which the swap is measured while it is learnt."""
SHOWN = slice(2, 60, 10)
WIDTH = 128
"""Pixels of a frame in the rows."""
LEARNING = marked("Learning: {share} %")


@dataclass(frozen=True)
class Run:
    """What is taught: the swap to look at, where it begins, and the seed of its batches, 0 before anybody asked."""

    direction: str
    start: str
    seed: int


@dataclass(frozen=True)
class Course:
    """A run so far: PSNR in dB inside the face after each of ``steps``, how the swap looked first and looks now, and seconds of learning."""

    run: Run
    steps: tuple[int, ...]
    psnr: tuple[float, ...]
    first: str
    last: str
    seconds: float


_courses: dict[Run, Course] = {}  # for all visitors, until the server ends; changed by the thread of the line alone
MOST_COURSES = 32


def section(asked: Asked, t: Translator) -> None:
    """A button; then the run, as long as it lasts and afterwards."""
    with st.expander(t("Teach it for a minute"), icon=":material/school:", on_change="rerun", key="swap-lesson") as panel:
        if not panel.open:
            return
        st.markdown(
            t(
                "A shared encoder and two decoders learn from the training frames at 64 pixels: A from even frames, B from odd ones, "
                "never the same scene. Guess first: how many decibels will a minute bring?"
            )
        )
        start = forms.knobs([START], t, {name: t(words) for name, words in STARTS.items()})[START.name]
        state.put_in_link({START.name: start}, {START.name: START.default})
        wanted: Run | None = st.session_state.get("swap-lesson-wanted")
        begun_here = wanted is not None and (wanted.direction, wanted.start) == (asked.direction, start)
        run = Run(asked.direction, start, wanted.seed if wanted and begun_here else 0)
        wish = mending.Wish("swap-lesson", f"{run.direction}-{run.start}-{run.seed}", work(run), LEARNING, show)
        errand = wish.line.look(wish.owner) if begun_here else None
        busy = errand is not None and errand.status in mending.UNDER_WAY
        label = t("Teach it once more, with other batches") if begun_here else t("Teach")
        following = (replace(run, seed=run.seed + 1),)
        st.button(
            label, type="primary", icon=":material/play_arrow:", key="swap-lesson-begin", on_click=_begin, args=following, disabled=busy
        )
        if begun_here:
            mending.watch(wish, _end, t)
            _stopped(run, wish, t)


def _begin(run: Run) -> None:
    st.session_state["swap-lesson-wanted"] = run


def _stopped(run: Run, wish: mending.Wish, t: Translator) -> None:
    """What a run that was cancelled had come to."""
    errand, seen = wish.line.look(wish.owner), st.session_state.get("swap-lesson-seen")
    if errand and errand.status == "cancelled" and seen and seen.run == run:
        st.caption(t("Stopped after {steps} steps. So far it had come:", steps=seen.steps[-1]))
        _draw(seen, t)


def work(run: Run) -> Work:
    """What the errand does: learn on, measuring and drawing now and then."""

    def do(report: Report, stopped: Callable[[], bool]) -> Course:
        if run in _courses:
            return _courses[run]
        asked = Asked(run.direction, 64, 0)
        lessons = begun(run)
        first = picture(lessons.learnt(), asked)
        course = Course(run, (0,), (measured(lessons.learnt(), asked),), first, first, 0.0)
        report(0.0, course)
        began = time.perf_counter()
        for step in lessons.steps():
            if stopped():
                raise Cancelled
            late = time.perf_counter() - began > SECONDS
            if late or step % EVERY == 0:
                model = lessons.learnt()
                steps, psnr = (*course.steps, step), (*course.psnr, measured(model, asked))
                course = Course(run, steps, psnr, first, picture(model, asked), time.perf_counter() - began)
                report(step / STEPS, course)
            if late:
                break
        while len(_courses) >= MOST_COURSES:
            _courses.pop(next(iter(_courses)))
        _courses[run] = course
        return course

    return do


def begun(run: Run) -> Lessons:
    """A run by the half-taught weights' recipe: from these, or from random ones."""
    model, card = weights.load(HALF)
    lessons = Lessons(built_in(replace(Plan.of(**card.plan), steps=STEPS, seed=run.seed)))
    if run.start == HALFWAY:
        lessons.begin(model)
    return lessons


def measured(model: Swapper, asked: Asked) -> float:
    """PSNR in dB inside the face, the mean over some held frames."""
    source, truth = (swap_joins.frames("held", name, asked.size)[JUDGED] for name in (asked.source, asked.target))
    output = Join(model).swap(source, asked.source, asked.target)
    return float(inside(output.float() / 255, truth.float() / 255, swap_joins.masks("held", asked.target, asked.size)[JUDGED]).mean())


def picture(model: Swapper, asked: Asked) -> str:
    """The address of a row of swapped frames, marked."""
    output = Join(model).swap(swap_joins.frames("held", asked.source, asked.size)[SHOWN], asked.source, asked.target)
    return swap_gallery.made(torch.cat(list(swap_gallery.enlarged(output, WIDTH)), 2))


@lru_cache(maxsize=4)
def given(person: faces.Person) -> str:
    """The address of the same frames as they were rendered."""
    return swap_gallery.given(torch.cat(list(swap_gallery.enlarged(swap_joins.frames("held", person, 64)[SHOWN], WIDTH)), 2))


def show(course: Course, t: Translator) -> None:
    """The run so far, which is kept in case it is stopped."""
    st.session_state["swap-lesson-seen"] = course
    _draw(course, t)


def _end(course: Course, t: Translator) -> None:
    _draw(course, t)
    gain = course.psnr[-1] - course.psnr[0]
    st.caption(
        t(
            "{steps} steps in {seconds}: from {first} to {last} dB inside the face, {gain} dB more, on {count} scenes that it never saw.",
            steps=course.steps[-1],
            seconds=t.duration(course.seconds),
            first=t.number(course.psnr[0], 1),
            last=t.number(course.psnr[-1], 1),
            gain=t.number(gain + 0.0, 1),
            count=len(range(*JUDGED.indices(60))),
        )
    )


def _draw(course: Course, t: Translator) -> None:
    left, right = st.columns([2, 3])
    name = t("PSNR inside the face, in dB")
    chart = waves.traces({name: (np.array(course.steps), np.array(course.psnr), figures.TRAIN)}, t("step"), "PSNR (dB)", 240, t)
    left.caption(name)
    left.vega_lite_chart(*chart, key="swap-lesson-chart", alt=t("{name}: {value} now.", name=name, value=t.number(course.psnr[-1], 1)))
    source, target = DIRECTIONS[course.run.direction]
    with right:
        rows = (
            (t("Source"), given(source)),
            (t("The swap before the lesson"), course.first),
            (t("The swap now"), course.last),
            (t("Truth"), given(target)),
        )
        widgets.strip([widgets.Row(words, address) for words, address in rows], key="swap-lesson-rows")
