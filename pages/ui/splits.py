"""Train on train, or on train and test together: the switch, and the difference that it makes, measured."""

from dataclasses import replace

import pyarrow as pa
import streamlit as st

from aecore.jobs import Order, View
from aecore.refusal import Refused
from pages.ui import cache, state
from pages.ui.i18n import Translator

TICK = 0.7  # seconds


def panel(view: View, t: Translator) -> None:
    """What the finished run of ``view`` makes of the pictures it learnt from and of the test pictures, beside its counterpart."""
    other = replace(view.order, plan=replace(view.order.plan, train_on_test=not view.order.plan.train_on_test))
    with st.expander(t("Learnt from the test pictures too: what difference does it make?"), icon=":material/balance:"):
        st.markdown(
            t(
                "A code represents best what it has learnt from. An autoencoder needs no labels, so it may learn from the test pictures as well: "
                "a common trick in competitions. Then their loss no longer tells how it does on pictures never seen."
            )
        )
        found = cache.jobs().look(other.key)
        waits = found is not None and found.status in ("waiting", "running")
        st.fragment(_table, run_every=TICK if waits else None, key=f"splits-{view.id}-{waits}")(view, other, waits, t)


def _table(view: View, other: Order, waited: bool, t: Translator) -> None:
    found = cache.jobs().look(other.key, state.visitor() if waited else None)
    waits = found is not None and found.status in ("waiting", "running")
    if waited and not waits:
        st.rerun()
    runs = [each for each in (view, found) if each and each.finished]
    runs.sort(key=lambda each: each.order.plan.train_on_test)
    st.table(_rows(runs, t))
    if found and waits:
        st.progress(found.step / max(1, found.steps), t("The other way round is being trained"))
    elif len(runs) == 2:
        only, both = (_losses(each)[1] for each in runs)
        share = t.number(abs(100 * (only - both) / only), 1)
        better = t("Test pictures come back {share} % better once they have been learnt from.", share=share)
        worse = t("Here it made no gain: test pictures came back {share} % worse.", share=share)
        st.markdown(better if both < only else worse)
    elif st.button(t("Train it the other way round too"), icon=":material/swap_horiz:", key="other-split"):
        try:
            cache.jobs().submit(state.visitor(), other, None if other.built_in else cache.data(other.data))
        except Refused as refused:
            st.error(t.refusal(refused))
        else:
            st.rerun()


def _rows(runs: list[View], t: Translator) -> pa.Table:
    names = [t("training and test pictures") if each.order.plan.train_on_test else t("training pictures only") for each in runs]
    pairs = [_losses(each) for each in runs]
    return pa.table(
        {
            t("Learnt from"): names,
            t("Loss on pictures learnt from"): [t.figure(learnt) for learnt, _ in pairs],
            t("Loss on test pictures"): [t.figure(test) for _, test in pairs],
            t("Difference"): [t.figure(test - learnt, 2) for learnt, test in pairs],
        }
    )


def _losses(view: View) -> tuple[float, float]:
    """Of a finished run, in its own loss: on up to 2,000 pictures that it learnt from, and on the test pictures."""
    assert view.finished is not None
    name = "cross_entropy" if view.order.knobs.get("loss") == "cross-entropy" else "mse"
    return view.finished.train[name], view.finished.test[name]
