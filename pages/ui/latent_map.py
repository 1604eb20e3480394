"""The map of Latent space: how codes become points, what colours them, and the work where it takes seconds."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from torch import Tensor

from aecore import latent
from aecore.data import Progress
from aecore.jobs.errands import Cancelled, Report, Work
from aecore.knobs import Choice, Knob, Range
from aecore.latent import Map, Projection
from aecore.refusal import Refused
from pages.ui import atlas, cache, forms, mending, state
from pages.ui.i18n import Translator, marked
from pages.ui.latent_choice import Asked, Chosen

WORDS = {
    "code": marked("The code itself"),
    "pca": marked("PCA"),
    "t-sne": marked("t-SNE"),
    "umap": marked("UMAP"),
    "random": marked("At random"),
}
COLOURS = {"class": marked("Class"), "error": marked("Error"), "value": marked("A code value")}
KNOBS = {each.name: each for each in Projection.knobs()}
OF_METHOD = {
    "code": ("first", "second", "third"),
    "pca": (),
    "t-sne": ("perplexity", "start", "seed"),
    "umap": ("neighbours", "gap", "start", "seed"),
}
DRAWING = marked("Drawing the map: {share} %")
QUICK = 1_000_000  # numbers in all codes; PCA of so many takes a tenth of a second
MOST_IN_SPACE = 1_500  # points of t-SNE in three dimensions, which tells nothing on its way and cannot be stopped
MOST_KEPT = 24
_maps: dict[tuple[str, Projection], Map] = {}


@dataclass(frozen=True)
class Look:
    """How a map is to be drawn: the ``projection``, and what colours it, "class", "error" or "value" number ``value`` of the code."""

    projection: Projection
    colour: str
    value: int


def settings(asked: Asked, t: Translator) -> Look:
    """Draw the settings of the map; knobs appear with the method that has them."""
    words = {name: t(text) for name, text in (WORDS | COLOURS).items()}
    values = forms.knobs([KNOBS["method"]], t, words) | forms.knobs([KNOBS["dims"]], t, words)
    names = OF_METHOD[values["method"]]
    own = [KNOBS[name] for name in names if name != "third" or values["dims"] == 3]
    if own:
        with st.expander(t("Settings of this map"), icon=":material/tune:"):
            values |= forms.knobs(own, t, words)
    labels = cache.data(asked.source).classes
    usual = "class" if len(labels) > 1 else "error"
    options = tuple(COLOURS) if len(labels) > 1 else ("error", "value")
    colour = Knob("colour", usual, Choice(options), marked("Colour by"), marked("What is known of each point."))
    state.open_options(colour)
    chosen = forms.knobs([colour], t, words)
    if len(labels) < 2:
        st.caption(t("These pictures have no classes: put them into folders, one for each, to have some."))
    value = Knob("value", 0, Range(0, asked.model.config.code - 1), marked("Which value"), marked("Of the code, counted from 0."))
    if chosen["colour"] == "value":
        chosen |= forms.knobs([value], t)
    defaults = {each.name: each.default for each in (*KNOBS.values(), colour, value)}
    state.put_in_link(values | chosen, defaults)
    return Look(Projection(**values), str(chosen["colour"]), int(chosen.get("value", 0)))


def ready(chosen: Chosen, projection: Projection, t: Translator) -> Map | None:
    """The map, at once where it is quick to draw; else an errand draws it, and this is None until it is done. What is refused is said."""
    if projection.method == "t-sne" and projection.dims == 3 and len(chosen.codes) > MOST_IN_SPACE:
        words = t(
            "t-SNE in three dimensions takes minutes for so many points. Choose at most {most}, or two dimensions.", most=MOST_IN_SPACE
        )
        st.warning(words)
        return None
    key = (chosen.fingerprint, projection)
    if key not in _maps and (projection.method not in ("code", "pca") or chosen.codes.numel() > QUICK):
        wish = mending.Wish("map", repr(key), work(chosen, projection), DRAWING)
        mending.watch(wish, lambda found, t: None, t)
        return mending.result(wish)
    try:
        return mapped(chosen, projection)
    except Refused as refused:
        st.error(t.refusal(refused))
        return None


def work(chosen: Chosen, projection: Projection) -> Work:
    """What the errand does."""

    def do(report: Report, stopped: Callable[[], bool]) -> Map:
        def progress(done: float) -> None:
            report(done)
            if stopped():
                raise Cancelled

        return mapped(chosen, projection, progress)

    return do


def mapped(chosen: Chosen, projection: Projection, progress: Progress | None = None) -> Map:
    """The map of a choice's codes; kept, so that the same is found at once."""
    key = (chosen.fingerprint, projection)
    if key not in _maps:
        _maps[key] = latent.project(chosen.codes, projection, progress)
        while len(_maps) > MOST_KEPT:
            _maps.pop(next(iter(_maps)), None)
    return _maps[key]


def name_of(chosen: Chosen, projection: Projection) -> str:
    """What the map is known by in the browser: another one where the points are others."""
    return f"{chosen.fingerprint} {projection.values()}"


def columns(chosen: Chosen, look: Look, t: Translator) -> list[atlas.Column]:
    """What is known of each point; what colours the map first."""
    found = {"error": atlas.Column(t("Error (MSE)"), chosen.errors)}
    if chosen.labelled:
        found = {"class": atlas.Column(t("Class"), chosen.labels, chosen.classes(t))} | found
    if look.colour == "value":
        found["value"] = atlas.Column(t("Code value {place}", place=look.value), chosen.codes[:, look.value])
    first = look.colour if look.colour in found else "error"
    return [found.pop(first), *found.values()]


def axes(projection: Projection, t: Translator) -> list[str]:
    """What each axis is called."""
    match projection.method:
        case "code":
            return [t("Code value {place}", place=axis) for axis in projection.axes()]
        case "pca":
            return [t("Main axis {place}", place=place + 1) for place in range(projection.dims)]
        case method:
            return [t("{method} {place}", method=t(WORDS[method]), place=place + 1) for place in range(projection.dims)]


def summary(chosen: Chosen, look: Look, t: Translator) -> str:
    """The map in a sentence, for who cannot see it, and for who wants to know what is seen."""
    method, colour = t(WORDS[look.projection.method]), t(COLOURS[look.colour])
    words = t(
        "Map of {count} codes in {dims} dimensions. Method: {method}. Colour: {colour}.",
        count=t.number(len(chosen.codes)),
        dims=look.projection.dims,
        method=method,
        colour=colour,
    )
    if len(chosen.codes) == chosen.count:
        return words
    return words + " " + t("Drawn at random from {count}, with seed {seed}.", count=t.number(chosen.count), seed=chosen.draw)


def marks(chosen: Chosen, drawn: Map) -> dict[str, Tensor]:
    """Where the codes that the visitor has marked lie on the map."""
    return {letter: drawn.way.place(code[None])[0] for letter, (_, code) in sorted(state.marks(chosen.card.sha256).items())}
