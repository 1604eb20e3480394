"""Home: what an autoencoder is, to be touched before anything is explained."""

import streamlit as st

from pages.ui import demo, frame

t = frame.enter("home")
st.markdown(t("**An autoencoder squeezes a picture through a handful of numbers and draws it again from those alone.**"))
demo.digit_flow(t)
demo.what_you_saw(t)
demo.map_of_variants(t)
