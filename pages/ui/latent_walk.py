"""Ways through the space of codes: from A to B step by step, and A - B + C."""

import base64
import io

import numpy as np
import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from aecore import latent
from aecore.knobs import Choice, Knob
from aecore.latent import Map
from pages.ui import forms, inside, state, widgets
from pages.ui.i18n import Translator, marked
from pages.ui.latent_choice import Chosen

STEPS = 16
WAYS = {"linear": latent.linear, "spherical": latent.spherical}
WORDS = {"linear": marked("Straight line"), "spherical": marked("Around zero")}
WALK = Knob(
    "walk",
    "linear",
    Choice(tuple(WAYS)),
    marked("Way"),
    marked("Straight, or turning around zero at equal angles, so that lengths stay usual (Shoemake, 1985)."),
)
PACE = 110  # milliseconds a step
SIDE = 168  # pixels of the animation


def ends(chosen: Chosen, t: Translator) -> dict[str, state.Mark]:
    """What A, B and C are: as marked, else the first pictures of three classes, or the first three."""
    rows = [int((chosen.labels == label).nonzero()[0]) for label in chosen.labels.unique()[:3]]
    rows += [row for row in range(len(chosen.codes)) if row not in rows][: 3 - len(rows)]
    usual = {
        letter: (t("Picture {place}", place=int(chosen.rows[row])), chosen.codes[row])
        for letter, row in zip("ABC", (rows * 3)[:3], strict=True)
    }
    return usual | state.marks(chosen.card.sha256)


def path(chosen: Chosen, drawn: Map) -> Tensor | None:
    """The way on the map from A to B, where the visitor has marked both."""
    marks = state.marks(chosen.card.sha256)
    if not {"A", "B"} <= set(marks):
        return None
    way = WAYS[st.session_state.get(state.knob_key(WALK.name), WALK.default)]
    return drawn.way.place(way(marks["A"][1], marks["B"][1], STEPS))


def walk(chosen: Chosen, t: Translator) -> None:
    """Sixteen pictures from A to B, side by side and one after the other."""
    marks = ends(chosen, t)
    (a, start), (b, end) = marks["A"], marks["B"]
    with st.columns([1, 1])[0]:
        way = WAYS[forms.knobs([WALK], t, {name: t(text) for name, text in WORDS.items()})["walk"]]
    steps = inside.pixels(latent.decode(chosen.model, way(start, end, STEPS)))
    widgets.strip([widgets.row(t("From A ({a}) to B ({b}) in {count} steps", a=a, b=b, count=STEPS), steps)], key="walk")
    with st.container(width=SIDE):
        widgets.strip([widgets.Row(t("The same, moving"), animation(steps))], key="walk-moving")
    if len(state.marks(chosen.card.sha256)) < 2:
        st.caption(t("Click points, places or groups of the map and call them A and B."))


def arithmetic(chosen: Chosen, t: Translator) -> None:
    """A - B + C, each drawn from its code."""
    marks = ends(chosen, t)
    codes = torch.stack([marks[letter][1] for letter in "ABC"])
    codes = torch.cat([codes, latent.arithmetic(*codes)[None]])
    pictures = inside.pixels(latent.decode(chosen.model, codes))
    words = (
        t("A: {what}", what=marks["A"][0]),
        t("− B: {what}", what=marks["B"][0]),
        t("+ C: {what}", what=marks["C"][0]),
        t("= what A has and B lacks, given to C"),
    )
    for place, (column, each) in enumerate(zip(st.columns(4, vertical_alignment="bottom"), words, strict=True)):
        with column:
            widgets.strip([widgets.row(each, pictures[place : place + 1])], key=f"sum-{place}")
    st.caption(t("Means of groups work best: a single picture's code holds much that is its own."))


def animation(pictures: np.ndarray) -> str:
    """Pictures ``(N, C, H, W)`` uint8 forth and back as a WebP that moves, as an address that holds it."""
    frames = [Image.fromarray(widgets.montage(each[None])) for each in pictures]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:] + frames[-2:0:-1], duration=PACE, loop=0, quality=90, method=0)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
