"""Verify: which marks of a generated picture a file carries, and which of them survive what."""

import streamlit as st

from pages.ui import frame, state, verifying

t = frame.enter("verify")
st.markdown(
    t(
        "Whoever makes faces by an autoencoder should say so, and here are three ways: a label to see, "
        "a watermark that no eye sees, and a signed manifest within the file. Read them from any picture or film, and try to get rid of them."
    )
)
st.info(
    t(
        "That no mark is found proves nothing: it may have been removed, or never been there. And a mark tells what made a file, "
        "not whether what it shows is true."
    ),
    icon=":material/info:",
)
state.open_link()
verifying.section(t)
verifying.explain(t)
