"""The Explain panel of the page Text: the lesson, formulas, the code that runs, sources."""

import inspect

import streamlit as st

from aecore.data.text import CORPORA
from aecore.text.network import Recurrent
from aecore.text.variants import SEQUENCES
from pages.ui.i18n import Translator


def panel(name: str, t: Translator) -> None:
    """Explain recurrent autoencoders, first of all variant ``name``, and where the sentences come from."""
    variant = SEQUENCES[name]
    with st.expander(t("Explain: sentences and other sequences"), icon=":material/school:"):
        lesson, kinds, code = st.tabs([t("Lesson"), t("Variants"), t("The code that runs")])
        with lesson:
            st.latex(variant.formula)
            st.markdown(t.lesson("text"))
            for known in CORPORA.values():
                st.caption(t("{title}: {source}. Licence: {licence}.", title=t(known.title), source=t(known.source), licence=known.licence))
        with kinds:
            for each in SEQUENCES.values():
                st.markdown("#### " + t(each.title))
                st.latex(each.formula)
                st.markdown(t.lesson(f"variant-{each.name}"))
                st.caption(t("Source: {source}", source=each.source))
        with code:
            st.caption(t("Not a copy: this is read from the program as it runs."))
            st.code(inspect.getsource(variant.model), "python")
            if issubclass(variant.model, Recurrent) and variant.model is not Recurrent:
                st.code(inspect.getsource(Recurrent), "python")
