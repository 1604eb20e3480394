"""The map to take home: a page that needs no network, files for the Embedding Projector, a table."""

from functools import partial

import streamlit as st

from aecore import latent
from aecore.latent import Map
from pages.ui import atlas
from pages.ui.i18n import Translator
from pages.ui.latent_choice import Chosen


def panel(chosen: Chosen, drawn: Map, columns: list[atlas.Column], axes: list[str], summary: str, t: Translator) -> None:
    """Downloads; each file is made when it is asked for."""
    known = partial(atlas.known, columns)
    words = atlas.words(t) | {"title": summary, "hint": t("Point at a dot to see its picture."), "colour": t("Colour by")}
    files = {
        t("Map as a web page (HTML)"): ("map.html", lambda: latent.page(drawn.points, chosen.images, known(), words, axes)),
        t("For the Embedding Projector (ZIP)"): ("projector.zip", lambda: latent.projector(chosen.codes, chosen.images, known())),
        t("Points and codes (CSV)"): ("codes.csv", lambda: latent.table(drawn.points, chosen.codes, known())),
    }
    st.markdown(
        t(
            "The web page works without a network. The ZIP holds vectors.tsv, metadata.tsv and sprite.png: load them at "
            "[projector.tensorflow.org](https://projector.tensorflow.org), or point TensorBoard at the folder. "
            "The button PNG on the map saves what is seen."
        )
    )
    with st.container(horizontal=True):
        for label, (name, make) in files.items():
            st.download_button(label, make, name, "application/octet-stream", icon=":material/download:", on_click="ignore")
