"""Denoise: a photograph, a sound, a series or a sentence in, its noise out; what was removed; the classical filters beside it."""

import streamlit as st

from aecore.knobs import Choice, Knob
from pages.ui import cleaning, frame, signals, sounding, state, text_explain, text_mend, tracing
from pages.ui.i18n import marked

WORDS = {"pictures": marked("Pictures"), "sound": marked("Sound"), "series": marked("Series"), "text": marked("Text")}
PART = Knob(
    "part",
    "pictures",
    Choice(tuple(WORDS)),
    marked("What is noisy?"),
    marked("Photographs, sounds, numbers measured one after another, or sentences."),
)

t = frame.enter("denoise")
state.open_link()
refused = state.open_knob(PART)
same = {"format_func": lambda name: t(WORDS[name]), "key": state.knob_key(PART.name), "persist_state": "session"}
part = PART.check(st.segmented_control(t(PART.label), list(WORDS), help=t(PART.help), required=True, **same))
if refused:
    st.warning(t("{reason} The link asked for something else; the default is used.", reason=t.refusal(refused)))
state.put_in_link({PART.name: part}, {PART.name: PART.default})
match part:
    case "sound":
        sounding.page(t)
        signals.explain("sound", t)
    case "series":
        tracing.page(t)
        signals.explain("series", t)
    case "text":
        text_mend.page(t)
        text_explain.panel("mender", t)
    case _:
        st.markdown(t("A denoising autoencoder, trained on photographs, takes the noise out of yours. Nobody tells it how much there is."))
        cleaning.page(t)
        cleaning.explain(t)
