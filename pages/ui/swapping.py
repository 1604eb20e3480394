"""Swap: what may be swapped and how, and every part of the page in its order."""

import inspect

import streamlit as st

from aecore.swap import joins, scores
from aecore.swap.network import Separate, Swapper
from aecore.swap.training import Lessons
from pages.ui import swap_clip, swap_lesson, swap_own, swap_scores, swap_stage, swap_steps
from pages.ui.i18n import Translator


def page(t: Translator) -> None:
    """Everything with the built-in people."""
    st.subheader(t("Cut and joined three ways"), anchor=False)
    st.markdown(
        t(
            "Two autoencoders have learnt one face each. Cut them in the middle, join one person's encoder to the other's decoder, and the face "
            "changes while the expression stays? Not so: the two codes have to mean the same."
        )
    )
    asked = swap_stage.settings(t)
    place = swap_stage.section(asked, t)
    swap_scores.section(asked, t)
    swap_clip.section(asked, t)
    swap_lesson.section(asked, t)
    swap_steps.section(asked, place, t)
    with st.expander(t("Own faces"), icon=":material/person:", on_change="rerun", key="swap-own") as panel:
        if panel.open:
            swap_own.show(t)


def explain(t: Translator) -> None:
    """The lesson and the code."""
    with st.expander(t("Explain: why a shared encoder swaps faces"), icon=":material/school:"):
        lesson, code = st.tabs([t("Lesson"), t("The code that runs")])
        lesson.markdown(t.lesson("swap"))
        with code:
            st.caption(t("Not a copy: this is read from the program as it runs."))
            for each in (Swapper, Separate, joins.Join, joins.by_moments, joins.by_pairs, Lessons.loss, scores.nearness):
                st.code(inspect.getsource(each), "python")
