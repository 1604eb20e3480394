"""Anomaly detection: an autoencoder that has never seen a class draws it badly, unless the class is simple."""

from collections.abc import Sequence

import plotly.graph_objects as go
import pyarrow as pa
import streamlit as st

from aecore import latent
from aecore.data import Images
from aecore.data.registry import Progress
from aecore.latent import Anomaly
from aecore.latent.anomaly import MOST, PLAN
from aecore.models import VARIANTS
from pages.ui import measuring, widgets
from pages.ui.compared import ABOVE, COLOURS, WAYS, Measure, table, verdict
from pages.ui.i18n import Translator, plain
from pages.ui.latent_choice import Chosen
from pages.ui.measuring import Question

AUC = Measure("auc", "AUC", 3)


def section(chosen: Chosen, t: Translator) -> None:
    """The panel."""
    title = t("Anomalies: is what was never seen drawn badly?")
    measuring.panel("anomalies", title, ":material/search:", lambda t: _draw(chosen, t), t)


def _draw(chosen: Chosen, t: Translator) -> None:
    st.markdown(
        t(
            "A fresh autoencoder learns all classes but one. Then it draws all test pictures, and those that come back worst are called strange. "
            "Which class will be found, and which will slip through?"
        )
    )
    names, titles = chosen.classes(t), {name: t(variant.title) for name, variant in VARIANTS.items()}
    left, right = st.columns(2)
    places = range(len(names))
    left_out = left.selectbox(t("Class to leave out"), places, format_func=names.__getitem__, key=f"anomaly-class-{chosen.source}")
    variant = right.selectbox(t("Variant"), list(titles), format_func=titles.__getitem__, key="anomaly-variant")
    knobs = chosen.model.config.values() if variant == chosen.card.variant else {}
    st.caption(
        t(
            "Five trainings of {epochs} epochs on at most {count} pictures: half a minute with dense layers on digits, a few minutes with filters.",
            epochs=PLAN.epochs,
            count=MOST,
        )
    )
    key = f"{chosen.source}-{left_out}-{variant}-{'-'.join(map(str, knobs.values()))}"

    def answer(progress: Progress) -> Anomaly:
        return latent.anomaly(chosen.data, left_out, variant, knobs, progress=progress)

    def show(measured: Anomaly, t: Translator) -> None:
        _show(measured, chosen.data, names[measured.left_out], t)

    measuring.ask(Question("anomalies", key, answer, show), t)


def _show(measured: Anomaly, data: Images, name: str, t: Translator) -> None:
    st.markdown(verdict(t("Chance that a stranger comes back worse (AUC)"), AUC, measured.auc, t))
    if measured.auc["code"].mean < 0.5:
        st.markdown(
            t(
                "Below 0.5 the strangers come back **better** than the known: what is simpler than the rest is easy to draw, seen or not. "
                "This way of finding anomalies fails here."
            )
        )
    left, right = st.columns([3, 2])
    with left:
        means = {way: t.number(each.mean, 3) for way, each in measured.auc.items()}
        alt = t("ROC curve: strangers found over false alarms. AUC of the code {code}, of PCA {pca}.", **means)
        measuring.draw(roc(measured, t), 340, alt, "anomaly-roc", t)
    with right:
        columns = {t("Seed"): [*map(str, range(len(latent.SEEDS))), t("mean")]}
        for way, figure in measured.auc.items():
            columns[t("AUC, {way}", way=t(WAYS[way]))] = [t.number(each, 3) for each in (*figure.values, figure.mean)]
        st.table(pa.table(columns), border="horizontal")
    rows = ((way, *point) for way, curve in measured.curve.items() for point in zip(curve.alarms, curve.hits, strict=True))
    file = table(("way", "false alarms", "strangers found"), rows)
    st.download_button(
        t("Points of the curve (CSV)"), file, "roc.csv", "text/csv", icon=":material/download:", on_click="ignore", key="roc-csv"
    )
    words = t("The test pictures that come back worst, worst first"), t("As the autoencoder draws them")
    rows = data.test[measured.worst].numpy(), (255 * measured.drawn).round().byte().numpy()
    widgets.strip([widgets.row(*each) for each in zip(words, rows, strict=True)], key="anomaly-worst")
    st.caption(
        t(
            "Curves and pictures are of seed 0. Of these {shown} pictures {count} are of the class left out ({name}).",
            shown=len(measured.worst),
            count=int((data.test_labels[measured.worst] == measured.left_out).sum()),
            name=plain(name),
        )
    )


def roc(measured: Anomaly, t: Translator) -> go.Figure:
    """The curves of the first seed, and the line of guessing."""
    figure = go.Figure()
    for way, curve in measured.curve.items():
        name = t("{way}, AUC {auc}", way=t(WAYS[way]), auc=t.number(measured.auc[way].values[0], 3))
        figure.add_scatter(x=_shares(curve.alarms), y=_shares(curve.hits), name=name, mode="lines", line={"color": COLOURS[way]})
    figure.add_scatter(x=[0, 100], y=[0, 100], name=t("guessing"), mode="lines", line={"color": "#808080", "dash": "dot"}, hoverinfo="skip")
    figure.update_traces(hovertemplate="%{x:.1f} %, %{y:.1f} %")
    figure.update_xaxes(title=t("False alarms (%)"), range=[0, 101])
    figure.update_yaxes(title=t("Strangers found (%)"), range=[0, 101])
    figure.update_layout(legend=ABOVE)
    return figure


def _shares(values: Sequence[float]) -> list[float]:
    return [100 * each for each in values]
