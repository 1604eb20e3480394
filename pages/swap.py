"""Swap: two autoencoders cut and joined crosswise, measured against the truth, with the ethics first."""

import streamlit as st

from pages.ui import frame, state, swap_notice, swapping

t = frame.enter("swap")
st.markdown(
    t(
        "Two faces, two autoencoders: one person's expression on the other's face. Here the swap is measured, "
        "because both people were rendered in the same scenes."
    )
)
swap_notice.show(t)
state.open_link()
swapping.page(t)
swapping.explain(t)
