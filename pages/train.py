"""Train: choose data, variant and knobs; guess; watch it learn; take the result home."""

import streamlit as st

from pages.ui import cache, earlier, explain, frame, live, results, setup, splits, state, takehome

t = frame.enter("train")
settings, stage = st.columns([1, 2], gap="large")
with settings:
    chosen = setup.settings(t)
with stage:
    run = state.run()
    view = live.watch(run, t) if run else None
    if view is None:
        setup.invitation(chosen, lost=run is not None, t=t)
    elif view.finished and cache.has(view.order.data):
        results.show(view, t)
        splits.panel(view, t)
        earlier.panel(view, t)
        takehome.panel(view, t)
    setup.share(t)
    if chosen:
        explain.panel(chosen.model, chosen.order.variant, chosen.order.data, t)
