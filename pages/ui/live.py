"""Draws a run while it lasts. The run itself goes on in a worker, whoever looks."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import streamlit as st

from aecore.jobs import Jobs, View
from aecore.training import Finished
from pages.ui import cache, figures, state, widgets
from pages.ui.i18n import Translator, marked

UNDER_WAY = ("waiting", "running", "paused")
MOST_WAIT = 0.8  # seconds for a run to stop before the page ticks on
RECENT = 5.0  # seconds; who has not looked for so long is not counted
MOST_DRAWINGS = 40
_looks: dict[str, float] = {}
_drawings: dict[tuple[str, int, str], "Drawing"] = {}
_lock = Lock()

REASONS = {
    "complete": marked("The run is complete."),
    "early": marked("Ended early: the held-out pictures no longer got better."),
    "time": marked("Ended at the time limit."),
    "stopped": marked("Stopped. What was learnt is kept."),
    "diverged": marked("The loss is no longer a number: the learning rate was too high. The best weights before that are kept."),
}


def watch(run: str, t: Translator) -> View | None:
    """Draw run ``run``: ticking while it waits or learns, still once it has ended.

    None where nobody knows it, and where it shows pictures that are somebody else's own.
    """
    jobs, visitor = cache.jobs(), state.visitor()
    view = jobs.look(run)
    if view is None or (view.order.private and view.order.data != state.own_data() and run not in jobs.runs_of(visitor)):
        return None
    jobs.look(run, visitor)
    active = view.status in UNDER_WAY
    st.fragment(_tick, run_every=_pace() if active else None, key=f"live-{run}-{active}")(jobs, run, active, t)
    return view


def _tick(jobs: Jobs, run: str, active: bool, t: Translator) -> None:
    view = jobs.look(run, state.visitor())
    if view is None or (active and view.status not in UNDER_WAY):
        st.rerun()  # the last drawing is the page's, so that the ticking ends
    _status(jobs, view, t)
    _show(view.id, _drawn(view, t), t)


def _status(jobs: Jobs, view: View, t: Translator) -> None:
    words, buttons = st.columns([3, 2], vertical_alignment="center") if view.status in UNDER_WAY else (st, None)
    if view.notice:
        st.warning(t.refusal(view.notice), icon=":material/restart_alt:")
    match view.status:
        case "waiting":
            words.progress(0.0, t("Waiting: number {place} in line", place=view.place))
        case "running":
            words.progress(view.step / max(1, view.steps), _progress(view, t))
        case "paused":
            words.progress(view.step / max(1, view.steps), t("Paused after step {step}. Nothing is lost.", step=t.number(view.step)))
        case "failed":
            words.error(t.refusal(view.error) if view.error else t("The run has failed. Start it again."), icon=":material/error:")
        case _ if view.finished:
            ended = view.finished
            words.success(f"{t(REASONS[ended.reason])} {_summary(ended, t)}", icon=":material/check_circle:")
    if buttons:
        with buttons.container(horizontal=True, horizontal_alignment="right"):
            _buttons(jobs, view, t)


def _buttons(jobs: Jobs, view: View, t: Translator) -> None:
    """Pause or resume a run of one's own, and stop it, or leave one that others watch too."""
    alone, visitor = view.watchers < 2, state.visitor()
    if view.status == "paused":
        if st.button(t("Go on"), key="resume", icon=":material/play_circle:", type="primary"):
            _act(jobs, view, jobs.resume)
    elif alone and view.id in jobs.runs_of(visitor):
        words = t("Gives its place to others and keeps all it has learnt.")
        if st.button(t("Pause"), key="pause", icon=":material/pause_circle:", help=words):
            _act(jobs, view, jobs.pause)
    label = t("Stop") if alone else t("Leave")
    if st.button(label, key="stop", icon=":material/stop_circle:", help=t("What was learnt so far is kept.")):
        _act(jobs, view, jobs.stop)


def _act(jobs: Jobs, view: View, act: Callable[[str, str], None]) -> None:
    """Do as a button says, and draw the page anew once it has happened, which is sooner than the next tick."""
    act(view.id, state.visitor())
    patience = time.monotonic() + MOST_WAIT
    while (now := jobs.look(view.id)) and now.status == view.status and now.watchers < 2 and time.monotonic() < patience:
        time.sleep(0.01)
    st.rerun()


def _progress(view: View, t: Translator) -> str:
    if not view.started or not view.reports:
        return t("Starting: the worker loads the pictures")
    last = view.reports[-1]
    epochs = view.order.plan.epochs
    left = (view.steps - view.step) * last.seconds / max(1, last.step)
    return t(
        "Epoch {epoch} of {epochs} · {speed} pictures/s on {device} · about {left} left",
        epoch=t.number(epochs * view.step / view.steps, 1),
        epochs=epochs,
        speed=t.number(last.images_per_second),
        device=view.started.device.upper(),
        left=t.duration(left),
    )


def _summary(ended: Finished, t: Translator) -> str:
    return t("{steps} steps in {time} of learning.", steps=t.number(ended.step), time=t.duration(ended.seconds))


@dataclass(frozen=True)
class Drawing:
    """What a run looks like at one moment, drawn once for all who look on in the same language."""

    losses: figures.Chart | None
    terms: figures.Chart | None
    losses_words: str
    codes: figures.Chart | None
    rows: tuple[widgets.Row, ...]


def _drawn(view: View, t: Translator) -> Drawing:
    """The drawing of a view, from the last one kept where nothing has changed since."""
    key = (view.id, view.version, t.language)
    with _lock:
        found = _drawings.get(key)
    if found is None:
        found = _draw(view, t)
        with _lock:
            _drawings[key] = found
            while len(_drawings) > MOST_DRAWINGS:
                _drawings.pop(next(iter(_drawings)))
    return found


def _draw(view: View, t: Translator) -> Drawing:
    order, losses, terms, words, codes = view.order, None, None, "", None
    code, loss = int(order.knobs["code"]), str(order.knobs["loss"])
    here = cache.has(order.data)
    if view.reports:
        lines = cache.baselines(order.data, code, loss) if here else None
        unit = t("loss (nats per pixel)") if loss == "cross-entropy" else t("loss (squared error)")
        epochs = view.reports[-1].epoch if view.finished else float(order.plan.epochs)
        losses = figures.losses(view.reports, lines, epochs, code, unit, t)
        terms = figures.terms(view.reports, epochs, t("added to the loss"), t)
        now = view.reports[-1].validation[figures.RECONSTRUCTION]
        words = t("Reconstruction loss over epochs: {loss} on held-out pictures now.", loss=t.figure(now))
    if view.snapshot and here:
        classes = cache.data(order.data).classes
        axes = (t("first code value"), t("second code value")) if code == 2 else (t("first main axis"), t("second main axis"))
        codes = figures.codes(view.snapshot.codes, view.snapshot.labels, classes, axes, t)
    rows = ()
    if view.snapshot and view.originals is not None:
        above, below = t("Test pictures"), t("Drawn again from their codes, after step {step}", step=t.number(view.snapshot.step))
        rows = (widgets.row(above, view.originals), widgets.row(below, view.snapshot.reconstructions))
    return Drawing(losses, terms, words, codes, rows)


def _show(run: str, drawing: Drawing, t: Translator) -> None:
    left, right = st.columns([3, 2])
    with left:
        if drawing.losses:
            st.vega_lite_chart(*drawing.losses, key=f"losses-{run}", alt=drawing.losses_words)
        else:
            st.skeleton(height=300)
        if drawing.terms:
            words = t("What is minimised besides, on held-out pictures, weighted as it is added.")
            st.vega_lite_chart(*drawing.terms, key=f"terms-{run}", alt=words)
    with right:
        if drawing.codes:
            st.vega_lite_chart(*drawing.codes, key=f"codes-{run}", alt=t("Codes of test pictures as points, coloured by class."))
        else:
            st.skeleton(height=300)
    if drawing.rows:
        widgets.strip(drawing.rows, key=f"strip-{run}")


def _pace() -> float:
    """Seconds between two drawings, chosen by how many look on: one server draws about 150 times a second."""
    now, visitor = time.monotonic(), state.visitor()
    with _lock:
        _looks[visitor] = now
        for gone in [each for each, when in _looks.items() if now - when > RECENT]:
            del _looks[gone]
        crowd = len(_looks)
    return 0.5 if crowd <= 40 else 1.0 if crowd <= 80 else 2.0
