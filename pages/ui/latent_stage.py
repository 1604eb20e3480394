"""The map of Latent space, what is touched on it, and the tools below: one piece that runs by itself, so that an answer comes at once."""

import inspect
from collections.abc import Callable

import streamlit as st

from aecore import latent
from aecore.latent import Map
from aecore.latent.nearby import Blend
from aecore.latent.projection import Plane
from pages.ui import atlas, latent_export, latent_grid, latent_map, latent_time, latent_touch, latent_values, latent_walk
from pages.ui.i18n import Translator
from pages.ui.latent_choice import Chosen
from pages.ui.latent_map import Look

KEY = "atlas"


@st.fragment
def show(chosen: Chosen, drawn: Map, look: Look, t: Translator) -> None:
    """Draw all of it."""
    name, dims = latent_map.name_of(chosen, look.projection), look.projection.dims
    columns, axes, summary = latent_map.columns(chosen, look, t), latent_map.axes(look.projection, t), latent_map.summary(chosen, look, t)
    touch = atlas.touched(KEY, chosen.fingerprint, name, len(chosen.codes), dims)
    where, panel = st.columns([2, 1], gap="medium")
    with panel:
        latent_touch.show(chosen, drawn, touch, columns, t)
    with where:
        marks, path = latent_map.marks(chosen, drawn), latent_walk.path(chosen, drawn)
        atlas.draw(KEY, chosen, drawn.points, name, columns[0], columns, axes, summary, t, marks=marks, path=path)
        st.caption(summary)
    row = int(touch.rows[0]) if touch and touch.kind == "point" else 0
    tools: dict[str, tuple[str, Callable[[], None]]] = {
        "walk": (t("From A to B"), lambda: latent_walk.walk(chosen, t)),
        "sum": (t("A − B + C"), lambda: latent_walk.arithmetic(chosen, t)),
        "grid": (t("All over the map"), lambda: latent_grid.grid(chosen, drawn, t)),
        "values": (t("Single values of a code"), lambda: latent_values.show(chosen, row, t)),
        "pair": (t("Plain and variational, side by side"), lambda: latent_grid.pair(chosen, t)),
        "time": (t("While it learns"), lambda: latent_time.panel(chosen, t)),
        "home": (t("Take it home"), lambda: latent_export.panel(chosen, drawn, columns, axes, summary, t)),
    }
    for name, (label, draw) in tools.items():
        with st.expander(label, expanded=name == "walk", on_change="rerun", key=f"latent-{name}") as tool:
            if tool.open:
                draw()


@st.fragment
def explain(t: Translator) -> None:
    """The lesson of the page, and the code that draws maps and finds the way back."""
    with st.expander(t("Explain: the space of codes"), icon=":material/school:", on_change="rerun", key="latent-explain") as panel:
        if not panel.open:  # colouring the source takes a browser longer than drawing the map
            return
        lesson, code = st.tabs([t("Lesson"), t("The code that runs")])
        lesson.markdown(t.lesson("latent"))
        with code:
            st.caption(t("Not a copy: this is read from the program as it runs."))
            for each in (latent.project, Plane, Blend, latent.linear, latent.spherical, latent.arithmetic):
                st.code(inspect.getsource(each), "python")
