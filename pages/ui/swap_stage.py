"""One scene that the networks never saw: the source, three joins and the truth side by side, each with its figures."""

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from aecore.data import faces
from aecore.knobs import Choice, Knob, Range
from aecore.provenance import export
from aecore.swap.judge import TRAITS
from aecore.swap.scores import nearness
from pages.ui import forms, state, swap_gallery, swap_joins
from pages.ui.i18n import Translator, marked, translator
from pages.ui.swap_gallery import Item
from pages.ui.swap_joins import DIRECTIONS, MOMENTS, NAMES, PAIRS, Asked

DIRECTION = Knob(
    "direction",
    "A-to-B",
    Choice(tuple(DIRECTIONS)),
    marked("Swap"),
    marked("Whose pose and expression, and whose face it is to become."),
)
MAP = Knob(
    "alignment",
    MOMENTS,
    Choice((MOMENTS, PAIRS)),
    marked("The aligned join learns its map from"),
    marked("Statistics need no two frames of one scene; pairs show both people in the same scenes, which real films never do."),
)
MAPS = {MOMENTS: marked("Statistics alone"), PAIRS: marked("Paired frames")}
COUNT = Knob("pairs", 30, Range(5, 600), marked("Paired frames"), marked("Frames of the same scenes from which the map is learnt."))
FRAME = Knob("frame", 5, Range(0, 59), marked("Frame"), marked("Which of the frames held out."))
SLIDERS = {
    "yaw": (marked("Turned (°)"), 1, 5),
    "pitch": (marked("Nodding (°)"), 1, 5),
    "mouth": (marked("Mouth open (%)"), 100, 5),
    "smile": (marked("Smile (%)"), 100, 5),
    "blink": (marked("Eyes shut (%)"), 100, 5),
}
"""Of what a visitor may ask of a face: its words, the factor from the parameter's unit, and the step."""


@dataclass(frozen=True)
class Score:
    """A picture against the truth inside the face, PSNR in dB and SSIM; who the judge takes it for, and how far off the expression is."""

    psnr: float
    ssim: float
    target: float
    expression: float


def size_knob() -> Knob:
    """The sizes there are weights for."""
    options = tuple(map(str, swap_joins.sizes()))
    return Knob(
        "size", options[0], Choice(options), marked("Pixels"), marked("Width and height of the pictures that the networks see and draw.")
    )


def settings(t: Translator) -> Asked:
    """What is swapped, and how: the same for the whole page."""
    words = {name: t("{source} becomes {target}", source=a, target=b) for name, (a, b) in DIRECTIONS.items()}
    size = size_knob()
    names = {name: t(text) for name, text in MAPS.items()} | words | {each: f"{each} × {each}" for each in map(str, swap_joins.sizes())}
    columns = st.columns(3, vertical_alignment="top")
    values = {}
    for column, knob in zip(columns, (DIRECTION, MAP, size), strict=True):
        with column:
            values |= forms.knobs([knob], t, names)
    pairs = 0
    if values[MAP.name] == PAIRS:
        refused = state.open_knob(COUNT)
        with columns[1]:
            pairs = st.slider(t(COUNT.label), 5, 600, step=5, key=state.knob_key(COUNT.name), help=t(COUNT.help), persist_state="session")
        values[COUNT.name] = pairs
        if refused:
            st.warning(t("{reason} The link asked for something else; the default is used.", reason=t.refusal(refused)))
    else:
        values[COUNT.name] = COUNT.default
    state.put_in_link(values, {each.name: each.default for each in (DIRECTION, MAP, size, COUNT)})
    asked = Asked(values[DIRECTION.name], int(values[size.name]), pairs)
    if len(swap_joins.names(asked.size)) < len(NAMES):
        st.caption(
            t("The two separate autoencoders come with the lab in the smaller size only, and with them the naive and the aligned join.")
        )
    return asked


def section(asked: Asked, t: Translator) -> int:
    """The scene, and the sliders that choose it; gives its number."""
    refused = state.open_knob(FRAME)
    place = int(st.session_state[state.knob_key(FRAME.name)])
    state.put_in_link({FRAME.name: place}, {FRAME.name: FRAME.default})
    if refused:
        st.warning(t("{reason} The link asked for something else; the default is used.", reason=t.refusal(refused)))
    swap_gallery.show(items(asked, place, t), key="swap-stage")
    _sliders(place, t)
    with st.container(horizontal=True):
        st.button(t("Another scene"), icon=":material/skip_next:", key="swap-next", on_click=_show, args=((place + 1) % count(),))
        st.download_button(
            t("Take these pictures home"),
            partial(file, asked, place),
            "swap.png",
            "image/png",
            icon=":material/download:",
            on_click="ignore",
        )
    st.caption(
        t(
            "Figures are inside the face. SSIM is 1 for equal pictures. A network that knows both people, but never saw a swap, says who it takes "
            "the picture for and reads the expression: the error is the mean over turn, nod, tilt, mouth, smile, eyelids and gaze, in standard "
            "deviations (σ). What a network drew carries its marks on this page too."
        )
    )
    return place


def warm_up() -> None:
    """Draw the first scene, so that the first visitor need not wait for it."""
    items(Asked(str(DIRECTION.default), faces.SIZES[0], 0), int(FRAME.default), translator("en"))


def items(asked: Asked, place: int, t: Translator) -> list[Item]:
    """Source, joins and truth as the gallery shows them."""
    titles = {
        "source": t("Source: {person}", person=asked.source),
        **{name: t(NAMES[name]) for name in swap_joins.names(asked.size)},
        "truth": t("Truth: {person}", person=asked.target),
    }
    found = []
    for name, title in titles.items():
        score = scored(name, asked, place)
        figures = [
            ("PSNR", t("{psnr} dB", psnr=t.number(score.psnr, 1)) if name != "truth" else "—"),
            ("SSIM", t.number(score.ssim, 2) if name != "truth" else "—"),
            (t("Who is it?"), who(score.target, asked, t)),
            (t("Expression error"), f"{t.number(score.expression, 2)} σ"),
        ]
        alt = t("{title}, frame {frame}", title=title, frame=place)
        found.append(Item(title, address(name, asked, place), alt, tuple(figures)))
    return found


def who(target: float, asked: Asked, t: Translator) -> str:
    """The likelier person, and how sure the judge is."""
    name, share = (asked.target, target) if target >= 0.5 else (asked.source, 1 - target)
    return f"{name} ({t.number(100 * share)} %)"


@lru_cache(maxsize=512)
def address(name: str, asked: Asked, place: int) -> str:
    """The address of the source, the truth, or a swapped frame, which is marked."""
    if name in NAMES:
        return swap_gallery.made(swap_gallery.large(picture(name, asked, place)))
    return swap_gallery.given(swap_gallery.large(picture(name, asked, place)))


def picture(name: str, asked: Asked, place: int) -> Tensor:
    """The source, the truth, or what a join makes of the source, uint8 ``(3, S, S)``."""
    if name in NAMES:
        return swap_joins.swapped(name, asked, "held", place)
    return swap_joins.frames("held", asked.source if name == "source" else asked.target, asked.size)[place]


@lru_cache(maxsize=1024)
def scored(name: str, asked: Asked, place: int) -> Score:
    """Figures of the source, of a join by its name, or of the truth."""
    output, truth = (picture(each, asked, place) for each in (name, "truth"))
    mask = swap_joins.masks("held", asked.target, asked.size)[place : place + 1]
    near = nearness(output[None], truth[None], mask)
    reading = swap_joins.reader().read(output[None])
    error = (reading.traits[0] - swap_joins.traits()[place]).abs().mean()
    target = reading.people[0, faces.PEOPLE.index(asked.target)]
    return Score(near.psnr_face, near.ssim_face, float(target), float(error))


def file(asked: Asked, place: int) -> bytes:
    """All the pictures side by side, as a marked PNG; what a network drew has a label of its own."""
    names = ("source", *swap_joins.names(asked.size), "truth")
    row = swap_gallery.enlarged(torch.stack([picture(name, asked, place) for name in names]))
    row[1:-1] = swap_gallery.labelled(row[1:-1])
    return export(torch.cat(list(row), 2), "png")


def _sliders(place: int, t: Translator) -> None:
    values, here = wishes(), wishes()[place]
    for column, each, (name, (words, _, step)) in zip(st.columns(len(SLIDERS)), range(len(SLIDERS)), SLIDERS.items(), strict=True):
        key = _key(name)
        low, high = (int(np.floor(values[:, each].min() / step) * step), int(np.ceil(values[:, each].max() / step) * step))
        st.session_state.setdefault(key, int(round(here[each] / step) * step))
        column.slider(t(words), low, high, step=step, key=key, persist_state="session", on_change=_seek)
    told = t(
        "The closest of {count} scenes that no network learnt from: turned by {yaw}°, nodding by {pitch}°, mouth {mouth} % open, "
        "{smile} % of a smile, eyes {blink} % shut.",
        count=count(),
        **{name: t.number(value + 0.0) for name, value in zip(SLIDERS, np.round(here), strict=True)},
    )
    st.caption(told)


def count() -> int:
    """How many scenes there are."""
    return len(wishes())


@lru_cache(maxsize=1)
def wishes() -> np.ndarray:
    """What each held frame shows, in the sliders' units ``(60, 5)``."""
    names, known = faces.parameters("held")
    columns = [known[:, [names.index(part) for part in TRAITS[name]]].mean(1) * factor for name, (_, factor, _) in SLIDERS.items()]
    return np.stack(columns, 1)


def closest(wanted: np.ndarray) -> int:
    """The held frame that comes nearest to ``wanted`` ``(5,)``, each in units of its deviation."""
    values = wishes()
    return int((((values - wanted) / values.std(0)) ** 2).sum(1).argmin())


def _key(name: str) -> str:
    return state.knob_key(f"face-{name}")


def _seek() -> None:
    st.session_state[state.knob_key(FRAME.name)] = closest(np.array([st.session_state[_key(name)] for name in SLIDERS], float))


def _show(place: int) -> None:
    st.session_state[state.knob_key(FRAME.name)] = place
    for name in SLIDERS:
        st.session_state.pop(_key(name), None)
