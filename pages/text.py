"""Text: sentences through a code and back, words as points, mending, and a recurrent autoencoder that learns while one looks on."""

import streamlit as st

from pages.ui import (
    frame,
    measuring,
    setup,
    state,
    text_between,
    text_choice,
    text_explain,
    text_home,
    text_learning,
    text_mend,
    text_order,
    text_series,
    text_words,
    writing,
)

t = frame.enter("text")
st.markdown(
    t(
        "A recurrent autoencoder reads a sentence word by word, keeps nothing of it but one row of numbers, "
        "and a second network says the sentence again from those numbers alone."
    )
)
state.open_link()
reader = text_choice.reader(t)
writing.section(reader, t)
setup.share(t)
measuring.panel("words", t("Words: neighbours, analogies, a map"), ":material/scatter_plot:", lambda t: text_words.draw(reader, t), t)
measuring.panel("between", t("Between two sentences, and new ones"), ":material/linear_scale:", lambda t: text_between.draw(reader, t), t)
measuring.panel("order", t("Does the order of the words count?"), ":material/swap_horiz:", lambda t: text_order.draw(reader, t), t)
measuring.panel("mend", t("Mend a damaged sentence"), ":material/healing:", lambda t: text_mend.draw(reader, t), t)
measuring.panel("strange", t("How strange is a sentence?"), ":material/search:", lambda t: text_mend.strange(reader, t), t)
measuring.panel("teach", t("Teach one yourself, live"), ":material/model_training:", text_learning.draw, t)
measuring.panel("series", t("Numbers are sequences too"), ":material/monitor_heart:", text_series.draw, t)
measuring.panel("home", t("Take it home"), ":material/download:", lambda t: text_home.draw(reader, t), t)
text_explain.panel(reader.whole.variant, t)
