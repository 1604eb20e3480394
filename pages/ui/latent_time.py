"""The map while a model learns: a short run, codes kept on the way, one pair of axes for all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from aecore import inspect, latent
from aecore.jobs.errands import Cancelled, Report, Work
from aecore.latent import Projection
from aecore.models import build
from aecore.training import Plan, Started, Stepped, train
from pages.ui import atlas, latent_map, mending
from pages.ui.i18n import Translator, marked
from pages.ui.latent_choice import Chosen

PLAN = Plan(epochs=10, seconds=20)
MOMENTS = 16  # at which codes are kept, ever farther apart
MOST_NUMBERS = 20_000_000  # in the codes of all moments
TRAINING = marked("Learning and keeping codes: {share} %")


@dataclass(frozen=True, eq=False)
class Growth:
    """Codes of the same pictures after each of ``steps``, as ``points`` ``(K, N, 2)`` on the two main axes of the last of them."""

    steps: tuple[int, ...]
    points: Tensor

    @property
    def nbytes(self) -> int:
        """Memory of the points."""
        return self.points.nbytes


def panel(chosen: Chosen, t: Translator) -> None:
    """A button that begins the run; then a slider through its moments."""
    st.markdown(
        t(
            "A fresh model of the same kind learns these pictures for {seconds} seconds at most. The axes are the main axes of its last codes and "
            "stand still, so that whatever moves are the codes.",
            seconds=int(PLAN.seconds),
        )
    )
    if len(chosen.codes) * chosen.codes.shape[1] * MOMENTS > MOST_NUMBERS:
        st.info(t("That would be too many numbers to keep. Choose fewer points, or a model with a shorter code."))
        return
    asked = f"growth-{chosen.fingerprint}"
    if asked not in st.session_state:
        st.button(t("Let it learn"), icon=":material/play_arrow:", key="grow", on_click=_begin, args=(asked,))
        return
    wish = mending.Wish("growth", chosen.fingerprint, work(chosen), TRAINING, live=lambda glimpse, t: None)
    mending.watch(wish, partial(_show, chosen), t)


def work(chosen: Chosen) -> Work:
    """What the errand does: learn, and encode the pictures on the map now and then."""

    def do(report: Report, stopped: Callable[[], bool]) -> Growth:
        model = build(chosen.card.variant, chosen.model.shape, seed=PLAN.seed, **chosen.card.knobs)
        steps, kept, moments = [0], [inspect.encode(model, chosen.images)], set[int]()
        for event in train(model, chosen.data, PLAN, device=torch.device("cpu")):
            if stopped():
                raise Cancelled
            match event:
                case Started(steps=last):
                    moments = {round(each) for each in np.geomspace(1, max(last, 2), MOMENTS)}
                case Stepped(step=step) if step in moments:
                    report(step / max(moments))
                    steps.append(step)
                    kept.append(inspect.encode(model, chosen.images))
                    model.train()
        way = latent.project(kept[-1], Projection()).way
        return Growth(tuple(steps), torch.stack([way.place(codes) for codes in kept]))

    return do


def _begin(asked: str) -> None:
    st.session_state[asked] = True


def _show(chosen: Chosen, found: Growth, t: Translator) -> None:
    place = st.select_slider(
        t("After so many steps"),
        range(len(found.steps)),
        len(found.steps) - 1,
        format_func=lambda each: t.number(found.steps[each]),
        key="growth",
    )
    look = latent_map.Look(Projection(), "class" if chosen.labelled else "error", 0)
    columns, axes = latent_map.columns(chosen, look, t), latent_map.axes(look.projection, t)
    last = found.points[-1]
    words = t("Map of the codes after {steps} steps.", steps=t.number(found.steps[place]))
    frame = (last.amin(0), last.amax(0))
    atlas.draw(
        "growth-map",
        chosen,
        found.points[place],
        f"growth {chosen.fingerprint}",
        columns[0],
        columns,
        axes,
        words,
        t,
        frame=frame,
        still=True,
    )
    st.caption(words)
