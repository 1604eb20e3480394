"""Take it home: weights whole and by half, curves as CSV, pictures as PNG."""

import csv
import io
import re
import zipfile

import numpy as np
import streamlit as st

from aecore import weights
from aecore.data import DATASETS
from aecore.jobs import View
from pages.ui import cache, widgets
from pages.ui.i18n import Translator


def panel(view: View, t: Translator) -> None:
    """Downloads of a finished run; each file is made when it is asked for."""
    name = f"{_slug(view.order.data)}-{view.order.variant}"
    with st.expander(t("Take it home"), icon=":material/download:"):
        st.markdown(t("The model is a pair of files: numbers (safetensors) and a card that says what they are. Each half also goes alone."))
        with st.container(horizontal=True):
            st.download_button(t("Whole model (ZIP)"), lambda: whole(view, name), f"{name}.zip", "application/zip")
            st.download_button(t("Encoder half"), lambda: half(view, "encoder"), f"{name}-encoder.safetensors")
            st.download_button(t("Decoder half"), lambda: half(view, "decoder"), f"{name}-decoder.safetensors")
            st.download_button(t("Curves (CSV)"), lambda: curves(view), f"{name}-curves.csv", "text/csv")
            st.download_button(t("Pictures (PNG)"), lambda: pictures(view), f"{name}.png", "image/png")


def whole(view: View, name: str) -> bytes:
    """The weights and their card in a ZIP."""
    assert view.finished is not None
    model = cache.trained(view, cache.data(view.order.data).shape)
    known = DATASETS.get(view.order.data)
    words = {"licence": known.licence, "source": known.source} if known else {}
    card = weights.card_for(model, name, view.order.data, view.order.plan, view.finished, **words)
    tensors, text = weights.pack(model, card)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.safetensors", tensors)
        archive.writestr(f"{name}.json", text)
    return file.getvalue()


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


def _slug(data: str) -> str:
    return re.sub(r"[^a-z0-9-]", "", data)[:20]
