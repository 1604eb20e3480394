"""The map lies: the same codes drawn three times, alike in nothing but who lives next to whom."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from torch import Tensor

from aecore import latent
from aecore.data.registry import Progress
from aecore.latent import Faithfulness, Projection
from pages.ui import figures, measuring
from pages.ui.i18n import Translator, marked
from pages.ui.latent_choice import Chosen
from pages.ui.measuring import Question

MOST = 1_500  # points, so that three maps take less than half a minute
MAPS = {"t-sne": "t-SNE", "umap": "UMAP"}
CHANGES = {"seed": marked("Seed"), "reach": marked("Neighbours it looks at")}
WIDEST = 100  # neighbours; the others are 30 and 5 in a hundred of it
K = 12


@dataclass(frozen=True)
class Drawn:
    """One map: how it was asked for, its points ``(N, 2)``, and how true it is to the codes."""

    projection: Projection
    points: np.ndarray
    true: Faithfulness


@dataclass(frozen=True)
class Found:
    """The maps; ``rows`` tells which of the codes they show, ``kept`` the share of nearest neighbours that two of them have in common."""

    maps: tuple[Drawn, ...]
    rows: Tensor
    kept: float


def section(chosen: Chosen, t: Translator) -> None:
    """The panel."""
    measuring.panel(
        "lies", t("The map lies: the same codes, drawn three times"), ":material/theater_comedy:", lambda t: _draw(chosen, t), t
    )


def _draw(chosen: Chosen, t: Translator) -> None:
    st.markdown(
        t(
            "A map of many dimensions in two must leave something out, and t-SNE and UMAP leave out most of what a map of a city tells: "
            "how far apart, how large, how dense. Three maps of the same codes show what may be believed: what stays the same."
        )
    )
    left, right = st.columns(2)
    words = {name: t(text) for name, text in CHANGES.items()}
    options = {"required": True, "width": "stretch"}
    method = left.segmented_control(t("Method"), list(MAPS), default="t-sne", format_func=MAPS.__getitem__, key="lies-map", **options)
    change = right.segmented_control(
        t("What changes"), list(words), default="seed", format_func=words.__getitem__, key="lies-change", **options
    )

    def answer(progress: Progress) -> Found:
        return find(chosen.codes, method, change, progress)

    def show(found: Found, t: Translator) -> None:
        _show(found, chosen.labels[found.rows], chosen.classes(t), t)

    measuring.ask(Question("lies", f"{chosen.fingerprint}-{method}-{change}", answer, show), t)


def asked(method: str, change: str, count: int) -> tuple[Projection, ...]:
    """Three ways to draw ``count`` points: three seeds from random places, or few, some and many neighbours, as ``count`` allows."""
    if change == "seed":
        return tuple(Projection(method=method, start="random", seed=seed) for seed in range(3))
    widest = min(WIDEST, (count - 1) // 3 if method == "t-sne" else count - 2)
    reaches = sorted({max(least, widest * share // 100) for least, share in ((2, 5), (3, 30), (4, 100))})
    return tuple(
        Projection(method=method, perplexity=reach) if method == "t-sne" else Projection(method=method, neighbours=reach)
        for reach in reaches
    )


def find(codes: Tensor, method: str, change: str, progress: Progress) -> Found:
    """Draw the maps of at most 1,500 codes ``(N, d)``, drawn from seed 0, and judge them."""
    rows = latent.sample(len(codes), MOST, 0)
    codes = codes[rows]
    maps = []
    ways = asked(method, change, len(codes))
    for place, projection in enumerate(ways):
        points = latent.project(codes, projection, lambda done, place=place: progress((place + done) / len(ways))).points
        maps.append((projection, points))
    drawn = tuple(Drawn(projection, points.numpy(), latent.faithfulness(codes, points, K)) for projection, points in maps)
    pairs = [(a, b) for place, (_, a) in enumerate(maps) for _, b in maps[place + 1 :]]
    return Found(drawn, rows, float(np.mean([latent.faithfulness(a, b, K).overlap for a, b in pairs])))


def _show(found: Found, labels: Tensor, classes: Sequence[str], t: Translator) -> None:
    colours = {name: figures.SERIES[place % len(figures.SERIES)] for place, name in enumerate(classes)}
    present = [classes[int(each)] for each in labels.unique()]
    st.html(legend({name: colours[name] for name in present}) if len(present) > 1 else "")
    names = [classes[int(each)] for each in labels]
    for column, (place, each) in zip(st.columns(len(found.maps)), enumerate(found.maps), strict=True):
        with column:
            words = _title(each.projection, t)
            st.markdown(f"**{words}**")
            true = t.number(each.true.trustworthiness, 3)
            alt = t("{map}: a cloud of {count} points. Trustworthiness {true}.", map=words, count=len(each.points), true=true)
            measuring.draw(scatter(each.points, names, [colours[name] for name in names], t), 300, alt, f"lies-{place}", t)
            continuity, overlap = t.number(each.true.continuity, 3), t.number(100 * each.true.overlap)
            st.markdown(t("Trustworthiness **{true}**", true=true))
            st.caption(t("Continuity {continuity}; {overlap} % of the neighbours kept.", continuity=continuity, overlap=overlap))
    st.markdown(
        t(
            "Of the {k} nearest neighbours of a picture on one of these maps, {share} % are among its nearest on another. "
            "Where islands lie, how large they are and how far apart is each map's own invention.",
            k=K,
            share=t.number(100 * found.kept),
        )
    )
    st.caption(
        t(
            "{count} of the pictures on the map, drawn at random with seed 0; neighbourhoods of {k}. Axes have no unit and no meaning.",
            count=t.number(len(found.rows)),
            k=K,
        )
    )


def _title(projection: Projection, t: Translator) -> str:
    """What this map has of its own."""
    if projection.start == "random":
        return t("Seed {seed}", seed=projection.seed)
    if projection.method == "t-sne":
        return t("Perplexity {number}", number=t.figure(projection.perplexity))
    return t("{number} neighbours", number=t.number(projection.neighbours))


def legend(colours: Mapping[str, str]) -> str:
    """The classes and their colours as HTML, once for all maps; a class may have a stranger's name."""
    marks = (
        f'<span style="white-space: nowrap"><span style="color: {each}">●</span> {html.escape(name)}</span>'
        for name, each in colours.items()
    )
    return f'<div style="display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; font-size: 0.9rem">{"".join(marks)}</div>'


def scatter(points: np.ndarray, names: Sequence[str], colours: Sequence[str], t: Translator) -> go.Figure:
    """A map ``(N, 2)``, as long as it is wide in the same unit, each point in its class's colour."""
    figure = go.Figure(
        go.Scattergl(
            x=points[:, 0],
            y=points[:, 1],
            mode="markers",
            marker={"size": 3, "color": list(colours)},
            text=list(names),
            hovertemplate="%{text}<extra></extra>",
        )
    )
    figure.update_xaxes(title=t("map, across"), showticklabels=False, showgrid=False, zeroline=False)
    figure.update_yaxes(title=t("map, up"), showticklabels=False, showgrid=False, zeroline=False, scaleanchor="x")
    return figure
