"""What the decoder draws all over the map, and how that differs between a plain and a variational code."""

import streamlit as st

from aecore import latent, weights
from aecore.latent import Map, Projection
from aecore.refusal import Refused
from pages.ui import atlas, cache, inside, latent_choice, latent_map, widgets
from pages.ui.i18n import Translator, marked
from pages.ui.latent_choice import Asked, Chosen

SIDE = 14
KINDS = {"undercomplete": marked("Plain"), "variational": marked("Variational")}


def grid(chosen: Chosen, drawn: Map, t: Translator) -> None:
    """The map, decoded at equal distances."""
    try:
        whole = sheet(chosen, drawn)
    except Refused as refused:
        st.info(t.refusal(refused))
        return
    words = t("The map decoded at {side} × {side} places; it spans the middle 96 % of the points along each axis.", side=SIDE)
    with st.container(width=inside.WIDTH):
        st.image(whole, width="stretch", alt=words)
    st.caption(words if drawn.way.exact else words + " " + t("Each is a blend of the eight nearest codes."))


def sheet(chosen: Chosen, drawn: Map) -> bytes:
    """The decoded grid of a flat map as PNG."""
    _, codes = latent.plane(drawn, SIDE)
    return widgets.png(widgets.montage(inside.pixels(latent.decode(chosen.model, codes)), SIDE), max(1, 56 // chosen.images.shape[-1]))


def pair(chosen: Chosen, t: Translator) -> None:
    """A plain and a variational model, both of the lab, on the same pictures: two maps by PCA, each with its grid."""
    names = {kind: f"{chosen.card.data}-{kind}" for kind in KINDS}
    if not set(names.values()) <= set(weights.shipped()):
        st.info(t("There is no plain and no variational model for these pictures. Choose a model that learnt digits."))
        return
    st.markdown(
        t(
            "The plain one was free to put codes anywhere, and leaves holes where the decoder has never been. The variational one paid for every "
            "code that strays from a cloud around zero, so that what lies between codes is drawn too."
        )
    )
    for column, (kind, name) in zip(st.columns(2), names.items(), strict=True):
        model, card = cache.model(name)
        asked = Asked(name, model, card, chosen.source, chosen.part, chosen.rows, chosen.draw)
        found, look = latent_choice.encoded(asked), latent_map.Look(Projection(), "class" if chosen.labelled else "error", 0)
        drawn = latent_map.mapped(found, look.projection)
        columns = latent_map.columns(found, look, t)
        with column:
            st.markdown(f"**{t(KINDS[kind])}**")
            named = latent_map.name_of(found, look.projection)
            axes, summary = latent_map.axes(look.projection, t), latent_map.summary(found, look, t)
            atlas.draw(f"pair-{kind}", found, drawn.points, named, columns[0], columns, axes, summary, t, still=True, height="20rem")
            st.image(sheet(found, drawn), width="stretch", alt=t("The map decoded at equal distances"))
