"""Take it home: the script behind the number, a report, weights whole and by half, curves as CSV, pictures as PNG."""

import csv
import io
from collections.abc import Callable, Mapping

import numpy as np
import streamlit as st

from aecore import takehome, weights
from aecore.jobs import View
from aecore.recipes import Recipe
from pages.ui import cache, frame, report, shelf, state, widgets
from pages.ui.i18n import Translator


def panel(view: View, t: Translator) -> None:
    """Downloads of a finished run; each file is made when it is asked for."""
    name, address = shelf.name_of(view), state.link()
    with st.expander(t("Take it home"), icon=":material/download:"):
        st.markdown(
            t(
                "The script and the notebook hold these settings, the pictures and the code that ran, taken from the lab's own source. "
                "Unpack the ZIP and run either with only torch and numpy installed: it trains anew and prints the test loss above. "
                "Another kind of processor may change its last digits."
            )
        )
        files = {
            t("Script and notebook (ZIP)"): ("-script.zip", lambda: script(view, name)),
            t("Report (HTML)"): (".html", lambda: report.page(view, address, t)),
        }
        _buttons(files, name)
        st.markdown(t("The model is a pair of files: numbers (safetensors) and a card that says what they are. Each half also goes alone."))
        files = {
            t("Whole model (ZIP)"): (".zip", lambda: whole(view)),
            t("Encoder half"): ("-encoder.safetensors", lambda: half(view, "encoder")),
            t("Decoder half"): ("-decoder.safetensors", lambda: half(view, "decoder")),
            t("Curves (CSV)"): (".csv", lambda: curves(view)),
            t("Pictures (PNG)"): (".png", lambda: pictures(view)),
        }
        _buttons(files, name)
        _put_on_shelf(view, t)


def _buttons(files: Mapping[str, tuple[str, Callable[[], bytes]]], name: str) -> None:
    """A button for each file, by its label; no rerun, which would take the other files away for a moment."""
    with st.container(horizontal=True):
        for label, (end, make) in files.items():
            st.download_button(label, make, f"{name}{end}", "application/octet-stream", on_click="ignore")


def _put_on_shelf(view: View, t: Translator) -> None:
    """Keep the model for the other pages."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(t("Put it on my shelf"), icon=":material/shelves:", key="put", help=t("For you alone, while this server lives.")):
            found = shelf.put(view)
            st.page_link(frame.page("shelf", t), label=t("It is there now: open it"), query_params={"model": found})
            st.page_link(frame.page("latent", t), label=t("See its codes on a map"), query_params={"weights": found})


def whole(view: View) -> bytes:
    """The weights and their card in a ZIP."""
    model = cache.trained(view, cache.data(view.order.data).shape)
    return shelf.whole(model, shelf.card_of(view, model))


def script(view: View, name: str) -> bytes:
    """Script, notebook and pictures in a ZIP."""
    assert view.started is not None and view.finished is not None
    order = view.order
    recipe = Recipe(order.variant, order.data, order.knobs, order.plan)
    return takehome.bundle(name, recipe, view.started, view.finished, cache.data(order.data))


def half(view: View, which: weights.Half) -> bytes:
    """Encoder or decoder alone, as safetensors."""
    return weights.half(cache.trained(view, cache.data(view.order.data).shape), which)


def curves(view: View) -> bytes:
    """Each report as a line of CSV: step, epoch, seconds, then each loss term on training and held-out pictures."""
    file = io.StringIO()
    terms = list(view.reports[0].train) if view.reports else []
    writer = csv.writer(file)
    writer.writerow(["step", "epoch", "seconds", *[f"train_{each}" for each in terms], *[f"validation_{each}" for each in terms]])
    for each in view.reports:
        losses = [*(each.train[term] for term in terms), *(each.validation[term] for term in terms)]
        writer.writerow([each.step, round(each.epoch, 4), round(each.seconds, 3), *losses])
    return file.getvalue().encode()


def pictures(view: View) -> bytes:
    """Eight test pictures above, what the model drew of them below."""
    if view.snapshot is None or view.originals is None:
        return b""
    pairs = np.concatenate([view.originals, view.snapshot.reconstructions])
    return widgets.png(widgets.montage(pairs, len(view.originals)), 4)
