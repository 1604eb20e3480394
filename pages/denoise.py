"""Denoise: a photograph in, its noise out; what was removed; the classical filters beside it."""

import streamlit as st

from pages.ui import cleaning, frame

t = frame.enter("denoise")
st.markdown(t("A denoising autoencoder, trained on photographs, takes the noise out of yours. Nobody tells it how much there is."))
cleaning.page(t)
cleaning.explain(t)
