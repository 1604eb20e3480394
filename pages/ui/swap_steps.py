"""From a picture to the same picture with another face, step by step: found, cut out upright, drawn, its colours matched, blended back."""

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
import streamlit as st
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from aecore.data import faces
from aecore.knobs import Choice, Knob, Range, Switch
from aecore.refusal import Refused
from aecore.swap import align, blend
from aecore.swap.align import Place
from aecore.swap.blend import SEAMS, Finish, Seam, Steps
from aecore.swap.pipeline import carry, inverse
from pages.ui import forms, state, swap_gallery, swap_joins
from pages.ui.i18n import Translator, marked
from pages.ui.swap_gallery import SIDE, Item
from pages.ui.swap_joins import SHARED, Asked

MOST_TILT = 25
TILT = Knob(
    "tilt", 15, Range(-MOST_TILT, MOST_TILT), marked("Camera tilted (°)"), marked("How far the camera was turned when it took the picture.")
)
ALIGN = Knob("upright", True, Switch(), marked("Cut out upright"), marked("Off: the whole picture goes to the network as it is."))
COLOURS = Knob("colours", True, Switch(), marked("Match colours"), marked("Give the drawn face the colours of the face that was there."))
SEAM = Knob("seam", "feather", Choice(SEAMS), marked("Seam"), marked("How the drawn face meets its surroundings."))
SEAM_NAMES = {"hard": marked("Hard edge"), "feather": marked("Soft edge"), "poisson": marked("Poisson")}
INK = (255, 120, 40)


def section(asked: Asked, place: int, t: Translator) -> None:
    """The steps, once somebody wants to see them."""
    label = t("Step by step: into a whole picture and back")
    with st.expander(label, icon=":material/format_list_numbered:", on_change="rerun", key="swap-steps") as panel:
        if panel.open:
            st.fragment(_steps)(asked, place, t)


def _steps(asked: Asked, place: int, t: Translator) -> None:
    st.markdown(
        t(
            "A camera sees more than a face, and rarely upright. So a face is found first, turned and cut out as the networks know it, "
            "swapped, and laid back into the picture. Switch a step off and see what it was for."
        )
    )
    refused = state.open_knob(TILT)
    left, *columns = st.columns([3, 3, 3, 5], vertical_alignment="center")
    tilt = left.slider(t(TILT.label), -MOST_TILT, MOST_TILT, key=state.knob_key(TILT.name), help=t(TILT.help), persist_state="session")
    values = {TILT.name: tilt}
    for column, knob in zip(columns, (ALIGN, COLOURS, SEAM), strict=True):
        with column:
            values |= forms.knobs([knob], t, {name: t(words) for name, words in SEAM_NAMES.items()})
    if refused:
        st.warning(t("{reason} The link asked for something else; the default is used.", reason=t.refusal(refused)))
    state.put_in_link(values, {each.name: each.default for each in (TILT, ALIGN, COLOURS, SEAM)})
    try:
        shown = pictures(asked, place, tilt, values[ALIGN.name], values[COLOURS.name], values[SEAM.name])
    except Refused as error:
        st.warning(t.refusal(error))
        return
    titles = (
        t("1. Found"),
        t("2. Cut out upright") if values[ALIGN.name] else t("2. As it is"),
        t("3. Drawn as {person}", person=asked.target),
        t("4. What of it is used"),
        t("5. Colours and seam"),
        t("6. Back in the picture"),
    )
    items = [Item(title, address, t("Step {title}", title=title)) for title, address in zip(titles, shown, strict=True)]
    swap_gallery.show(items, key="swap-steps-gallery")
    st.caption(
        t(
            "By the shared encoder. The detector is MTCNN, three small networks that look ever closer for a face and five points of it; the cut is the turn, scale and shift that brings the "
            "five points nearest to where they usually are. Hair and neck stay those of {person}: most deepfakes change the face alone.",
            person=asked.source,
        )
    )


@lru_cache(maxsize=128)
def pictures(asked: Asked, place: int, tilt: int, upright: bool, colours: bool, seam: Seam) -> tuple[str, ...]:
    """Addresses of the six steps' pictures; what a network drew is marked. ``Refused`` where no face is found."""
    picture = taken(asked, place, tilt)
    steps = stepped(picture, asked, upright, Finish(colours, seam))
    finished, result = (swap_gallery.made(swap_gallery.large(_bytes(each)), "composite") for each in (steps.finished, steps.result))
    mask = steps.mask.expand(3, -1, -1)
    return (
        swap_gallery.given(sketched(picture, steps.place)),
        swap_gallery.given(swap_gallery.large(_bytes(steps.cut))),
        swap_gallery.made(swap_gallery.large(_bytes(steps.drawn))),
        swap_gallery.given(swap_gallery.large(_bytes(mask))),
        finished,
        result,
    )


def stepped(picture: Tensor, asked: Asked, upright: bool, finish: Finish) -> Steps:
    """All steps on a picture, uint8 ``(3, H, W)``; without ``upright`` it is only made as small as the networks know it."""
    join = swap_joins.join(SHARED, asked)
    place = align.place(picture, asked.size)
    if not upright:
        back, scale = inverse(place.transform), asked.size / picture.shape[1]
        points = (place.landmarks @ back[:, :2].T + back[:, 2]) * scale
        place = replace(place, transform=np.array([[scale, 0, 0], [0, scale, 0]]), landmarks=points.astype(np.float32))
    return blend.blend(picture, place, join, asked.source, asked.target, finish)


@lru_cache(maxsize=64)
def taken(asked: Asked, place: int, tilt: int) -> Tensor:
    """A held frame of the source as a tilted camera sees it, uint8 ``(3, 256, 256)``; outside of the frame its edge goes on."""
    frame = swap_joins.frames("held", asked.source, faces.SIDE)[place].float() / 255
    angle = math.radians(tilt)
    turn = SIDE / faces.SIDE * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    shift = SIDE / 2 - turn @ np.full(2, faces.SIDE / 2)
    return _bytes(carry(frame, np.column_stack((turn, shift)), SIDE, SIDE))


def sketched(picture: Tensor, place: Place) -> Tensor:
    """The picture with the box and the points that were found."""
    image = Image.fromarray(picture.permute(1, 2, 0).numpy())
    pen = ImageDraw.Draw(image)
    pen.rectangle(tuple(place.found.box), outline=INK, width=2)
    for x, y in place.found.points:
        pen.ellipse((x - 4, y - 4, x + 4, y + 4), fill=INK)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def _bytes(picture: Tensor) -> Tensor:
    return picture if picture.dtype == torch.uint8 else picture.mul(255).round().clamp(0, 255).byte()
