"""Compare: every kind on the same pictures, under the same seed and budget, side by side."""

import streamlit as st

from pages.ui import contest, frame, setup

t = frame.enter("compare")
st.markdown(
    t(
        "Every kind of autoencoder on the same pictures, with the same seed and budget. Guess which will draw best, then let all of them learn."
    )
)
settings, stage = st.columns([1, 3], gap="large")
with settings:
    orders = contest.settings(t)
    setup.share(t)
with stage:
    if orders:
        contest.result(orders, t)
    else:
        st.info(t("Choose at least one kind on the left, and pictures that are at hand."))
