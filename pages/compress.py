"""Compress: a picture to a small file by one half of a network, and back by the other; what that costs and what it is worth."""

import streamlit as st

from pages.ui import curve, domain, duel, frame, halves, packing, parcels, secrets, state, unpacking

t = frame.enter("compress")
st.markdown(
    t(
        "An autoencoder cut in two. One half turns a picture into a small file, the other turns the file into a picture again: "
        "they could be two computers, with nothing but the file between them."
    )
)
state.open_link()
left, right = st.columns(2, gap="medium", border=True)
with left:
    asked, made = packing.half(t)
with right:
    unpacking.half(asked, made, t)
curve.section(asked, t)
duel.section(asked, t)
parcels.section(asked, t)
domain.section(t)
halves.section(t)
halves.explain(t)
secrets.section(t)
