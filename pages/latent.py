"""Latent space: a map of codes that can be touched, and what a code is worth."""

import streamlit as st

from pages.ui import anomalies, frame, latent_choice, latent_map, latent_stage, lies, setup, state, worth

t = frame.enter("latent")
st.markdown(
    t(
        "A code is a handful of numbers, so it is a point in space. Here is that space: similar pictures lie near each other, "
        "and every point can be decoded, even where no picture has its home."
    )
)
state.open_link()
settings, stage = st.columns([2, 5], gap="large")
with settings:
    asked = latent_choice.settings(t)
    look = latent_map.settings(asked, t) if asked else None
    setup.share(t)
with stage:
    chosen = latent_choice.ready(asked, t) if asked else None
    drawn = latent_map.ready(chosen, look.projection, t) if chosen and look else None
    if chosen and drawn and look:
        latent_stage.show(chosen, drawn, look, t)
if chosen:
    worth.section(chosen, t)
    anomalies.section(chosen, t)
    lies.section(chosen, t)
latent_stage.explain(t)
