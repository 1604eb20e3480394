"""Kinds of autoencoders side by side: a table, their curves, and what each draws of the same pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import streamlit as st
import torch

from aecore import inspect
from aecore.jobs import View
from aecore.models import VARIANTS, Autoencoder, blueprint
from aecore.weights import Card
from pages.ui import cache, figures, widgets
from pages.ui.i18n import Translator, marked

LINE = marked("PCA (best straight lines)")
FLOOR = marked("Perfect copy (the floor)")
DASH = "—"
BEST = {"loss": min, "mse": min, "psnr": max, "probe_accuracy": max}
"""Figures of which one is the best; of the others, such as the size of a code, more is not better or worse."""


@dataclass(frozen=True)
class Row:
    """A line of the table; a figure that is not known (yet) is None. ``pictures`` are uint8 ``(8, C, H, W)`` drawn by the model."""

    name: str
    code: int
    figures: dict[str, float]
    parameters: int | None
    seconds: float | None
    bits: float | None
    pictures: np.ndarray | None
    state: str = ""

    @property
    def roomy(self) -> bool:
        """Whether the code has room for the whole picture: a low loss then proves nothing."""
        return self.pictures is not None and self.code >= self.pictures[0].size


def of_run(view: View, t: Translator, title: str = "") -> Row:
    """A run, finished or not, by its variant's name or by ``title``."""
    order, ended = view.order, view.finished
    title, code = title or t(VARIANTS[order.variant].title), int(order.knobs["code"])
    if ended is None:
        known = {"failed": t("failed"), "waiting": t("waiting, number {place}", place=view.place), "paused": t("paused")}
        share = t("{share} %", share=t.number(100 * view.step / max(1, view.steps)))
        return Row(title, code, {}, None, None, None, _drawn(view), known.get(view.status, share))
    model = blueprint(order.variant, cache.data(order.data).shape, **order.knobs)
    found = _with_loss(ended.test, str(order.knobs["loss"])) | (view.judged or {})
    return Row(title, code, found, model.parameter_count(), ended.seconds, model.bits(), _drawn(view))


def of_weights(model: Autoencoder, card: Card, loss: str, t: Translator) -> Row:
    """A model that was trained before."""
    found = _with_loss(card.metrics["test"], loss)
    count, code = model.parameter_count(), int(card.knobs["code"])
    return Row(t(VARIANTS[card.variant].title), code, found, count, card.seconds, model.bits(), _pictures(model, card.data))


def of_pca(data: str, code: int, loss: str, t: Translator) -> Row:
    """PCA at a code size, as the linear autoencoder it is."""
    model, found = cache.judged_pca(data, code)
    return Row(t(LINE), code, _with_loss(found, loss), model.parameter_count(), None, model.bits(), _pictures(model, data))


def table(rows: Sequence[Row], floor: float, loss: str, t: Translator) -> None:
    """The rows, best figures in bold among codes smaller than the picture, and the floor below them."""
    fair = [row.figures for row in rows if not row.roomy]
    best = {name: which(known) for name, which in BEST.items() if (known := [each[name] for each in fair if name in each])}

    def cell(row: Row, name: str, text: str) -> str:
        return f"**{text}**" if len(rows) > 2 and not row.roomy and row.figures[name] == best.get(name) else text

    def column(name: str, write: Callable[[float], str]) -> list[str]:
        return [cell(row, name, write(row.figures[name])) if name in row.figures else row.state if name == "loss" else DASH for row in rows]

    unit = t("nats per pixel") if loss == "cross-entropy" else t("squared error")
    columns = {
        t("Kind"): [row.name for row in rows] + [t(FLOOR)],
        t("Code values"): [t.number(row.code) for row in rows] + [DASH],
        t("Test loss ({unit})", unit=unit): [*column("loss", t.figure), t.figure(floor)],
        "MSE": [*column("mse", lambda value: t.figure(value, 3)), "0"],
        "PSNR (dB)": [*column("psnr", lambda value: t.number(value, 1)), "∞"],
        t("Class told from code (%)"): [*column("probe_accuracy", lambda value: t.number(100 * value, 1)), DASH],
        t("Active values"): [*column("active_values", lambda value: t.number(value, 1)), DASH],
        t("Identity gap (dB)"): [*column("identity_gap", lambda value: t.number(value, 1)), "0"],
        t("Parameters"): [DASH if row.parameters is None else t.number(row.parameters) for row in rows] + [DASH],
        t("Seconds"): [DASH if row.seconds is None else t.number(row.seconds, 1) for row in rows] + [DASH],
        t("Bytes per code"): [DASH if row.bits is None else t.number(row.bits / 8, int(row.bits % 8 > 0)) for row in rows] + [DASH],
    }
    st.table(pa.table(columns), border="horizontal")


def legend(t: Translator) -> None:
    """What the columns mean."""
    with st.expander(t("What the columns mean"), icon=":material/help:"):
        st.markdown(t.lesson("compare"))


def curves(views: Sequence[View], lines: inspect.Baselines, loss: str, t: Translator) -> None:
    """Reconstruction loss on held-out pictures over epochs, one line for each run, with PCA and the floor."""
    drawn = {
        t(VARIANTS[view.order.variant].title): [(each.epoch, each.validation["reconstruction"]) for each in view.reports] for view in views
    }
    if any(drawn.values()):
        unit = t("loss (nats per pixel)") if loss == "cross-entropy" else t("loss (squared error)")
        words = t("Reconstruction loss on held-out pictures over epochs, one line for each kind.")
        st.vega_lite_chart(*figures.overlay(drawn, lines, views[0].order.plan.epochs, unit, t), key="overlay", alt=words)
        st.caption(words)


def grid(rows: Sequence[Row], data: str, t: Translator) -> None:
    """The same eight test pictures, and what each kind makes of them."""
    shown = [(t("Test pictures"), cache.scene(data))] + [(row.name, row.pictures) for row in rows if row.pictures is not None]
    widgets.strip([_strip(words, pictures.tobytes(), pictures.shape) for words, pictures in shown], key="grid")


@lru_cache(maxsize=256)
def _strip(words: str, pictures: bytes, shape: tuple[int, ...]) -> widgets.Row:
    return widgets.row(words, np.frombuffer(pictures, np.uint8).reshape(shape))


def _with_loss(found: dict[str, float], loss: str) -> dict[str, float]:
    return found | {"loss": found["cross_entropy" if loss == "cross-entropy" else "mse"]}


def _drawn(view: View) -> np.ndarray | None:
    return view.snapshot.reconstructions if view.snapshot else None


@lru_cache(maxsize=128)
@torch.no_grad()
def _pictures(model: Autoencoder, data: str) -> np.ndarray:
    x = torch.from_numpy(cache.scene(data)).float() / 255
    return (model(x).numpy() * 255).round().astype(np.uint8)
