"""What a code is worth: four claims of the lecture, measured over five seeds against raw pixels and PCA of equal size."""

from collections.abc import Sequence
from math import isfinite

import pyarrow as pa
import streamlit as st

from aecore import latent
from aecore.corruption import CORRUPTIONS
from aecore.data.registry import Progress
from aecore.latent import Lesson, Panel, Projection
from aecore.refusal import Refused
from pages.ui import forms, measuring
from pages.ui.compared import WAYS, Measure, bars, lines, table, verdict
from pages.ui.i18n import Translator, marked
from pages.ui.latent_choice import Chosen
from pages.ui.measuring import Question

MAPS = {"pca": "PCA", "t-sne": "t-SNE", "umap": "UMAP"}
MOST = 2_000  # pictures on the map that is judged
LABELS = 10  # per class, of which the sentence speaks
LEVEL = 0.4
NO_CLASSES = marked("All these pictures are of one class, or have no label, so there is nothing to tell apart. Choose data with labels.")


MSE = Measure("mse", marked("Reconstruction error (MSE)"), 5, more=False)
OVERLAP = Measure("overlap", marked("Neighbours kept"), percent=True)
REDUCTION = (Measure("trustworthiness", marked("Trustworthiness")), Measure("continuity", marked("Continuity")), OVERLAP, MSE)
NEIGHBOURS = Measure("neighbours", marked("k-NN accuracy"), percent=True)
PROBE = Measure("probe", marked("Linear probe accuracy"), percent=True)
APART = (PROBE, NEIGHBOURS, Measure("silhouette", marked("Silhouette"), 3))
MOVED = Measure("moved", marked("Moved by noise"), 3, more=False)
NOISY = Measure("noisy", marked("k-NN accuracy, noisy"), percent=True)
NOISE = (MOVED, Measure("clean", marked("k-NN accuracy, clean"), percent=True), NOISY)
ACCURACY = Measure("accuracy", marked("Accuracy"), percent=True)
SECONDS = Measure("seconds", marked("Seconds to train"), 3, more=False)


def section(chosen: Chosen, t: Translator) -> None:
    """The four panels, and the lesson on their figures."""
    st.subheader(t("What is the code worth?"), anchor=False)
    st.markdown(
        t(
            "Four claims are made of codes. Each is measured here, over five seeds, against the raw pixels and against PCA, the best that "
            "straight lines can do with as many numbers. The code does not always win: guess first."
        )
    )
    st.caption(
        t(
            "Here a picture has {pixels} pixels and its code {code} values; PCA gets as many. All on pictures of the chosen set, "
            "test pictures where not said otherwise. Error bars: standard deviation over the seeds.",
            pixels=chosen.images[0].numel(),
            code=chosen.codes.shape[1],
        )
    )
    panels = {
        "reduction": (t("Fewer dimensions: what is kept?"), ":material/compress:", _reduction),
        "apart": (t("Classes apart: does the code tell them?"), ":material/scatter_plot:", _apart),
        "noise": (t("Noise removed: does the code feel it?"), ":material/blur_on:", _noise),
        "downstream": (t("Training that comes after: are fewer labels enough?"), ":material/school:", _downstream),
    }
    for kind, (title, icon, draw) in panels.items():
        measuring.panel(kind, title, icon, lambda t, draw=draw: draw(chosen, t), t)
    with st.expander(t("Explain: what the figures mean"), icon=":material/school:"):
        st.markdown(t.lesson("latent-measures"))


def _reduction(chosen: Chosen, t: Translator) -> None:
    st.markdown(
        t(
            "Does a picture's code keep its nearest neighbours, and how well does the picture come back? All is compared with the pixels, "
            "which therefore are perfect."
        )
    )

    def answer(progress: Progress) -> Panel:
        return latent.reduction(latent.writings(chosen.model, chosen.data), chosen.data, progress=progress)

    def show(panel: Panel, t: Translator) -> None:
        told(panel, REDUCTION, (MSE, OVERLAP), "reduction", t)

    measuring.ask(Question("reduction", content(chosen), answer, show), t)


def _apart(chosen: Chosen, t: Translator) -> None:
    st.markdown(
        t(
            "No label took part when the code was learnt. Can a straight line, or a look at the five nearest, still tell the classes? "
            "Of the pictures on the map, one half is learnt from and the other is judged."
        )
    )
    if not chosen.labelled:
        st.info(t(NO_CLASSES))
        return
    method = st.segmented_control(
        t("Map to judge beside them"), list(MAPS), default="pca", format_func=MAPS.__getitem__, required=True, key="apart-map"
    )

    def answer(progress: Progress) -> Panel:
        rows = latent.sample(len(chosen.codes), MOST, 0)
        classes = len(chosen.labels[rows].unique())
        if len(rows) // 2 <= classes:
            raise Refused(
                "To judge {classes} classes takes at least {least} pictures, and there are {count}. Choose more.",
                classes=classes,
                least=2 * (classes + 1),
                count=len(rows),
            )
        ways = latent.writings(chosen.model, chosen.data)
        x, codes = chosen.images[rows].float() / 255, chosen.codes[rows]
        drawn = latent.project(codes, Projection(method=method), lambda done: progress(0.7 * done))
        values = {"pixels": ways["pixels"].encode(x), "pca": ways["pca"].encode(x), "code": codes, "map": drawn.points}
        return latent.separability(values, chosen.labels[rows], progress=lambda done: progress(0.7 + 0.3 * done))

    def show(panel: Panel, t: Translator) -> None:
        told(panel, APART, (PROBE, NEIGHBOURS), "apart", t)

    measuring.ask(Question("apart", f"{chosen.fingerprint}-{method}", answer, show), t)


def _noise(chosen: Chosen, t: Translator) -> None:
    st.markdown(
        t(
            "Noise moves a picture. Does it move its code less, and is its class still found? A move of 1 is as far as from one clean "
            "picture to another. The five nearest clean training pictures vote for the class."
        )
    )
    left, right = st.columns(2)
    words = {kind: t(forms.WORDS[kind]) for kind in CORRUPTIONS}
    noise = left.selectbox(t("Kind of noise"), list(words), format_func=words.__getitem__, key="worth-noise")
    level = right.slider(t("Noise level"), 0.0, 1.0, LEVEL, 0.05, format="localized", key="worth-level")

    def answer(progress: Progress) -> Panel:
        panel = latent.denoised(latent.writings(chosen.model, chosen.data), chosen.data, noise, level, progress=progress)
        if not all(isfinite(each.mean) for each in panel[MOVED.name].values()):
            raise Refused("All these pictures are written down alike, so a move has no measure. Choose another model, or other pictures.")
        return panel

    def show(panel: Panel, t: Translator) -> None:
        classes = len(chosen.data.test_labels.unique()) > 1
        told(panel, NOISE if classes else (MOVED,), (MOVED, NOISY) if classes else (MOVED,), "noise", t)

    measuring.ask(Question("noise", f"{content(chosen)}-{noise}-{level}", answer, show), t)


def _downstream(chosen: Chosen, t: Translator) -> None:
    st.markdown(
        t(
            "Labels are dear, pictures are cheap. A logistic regression learns the classes from a few labelled training pictures, "
            "written down as pixels, by PCA, or as codes."
        )
    )

    def answer(progress: Progress) -> list[Lesson]:
        return latent.downstream(latent.writings(chosen.model, chosen.data), chosen.data, progress=progress)

    measuring.ask(Question("downstream", content(chosen), answer, learnt), t)


def content(chosen: Chosen) -> str:
    """Names the model and the set, whichever of its pictures are on the map."""
    return f"{chosen.card.sha256}-{chosen.source}"


def told(panel: Panel, measures: Sequence[Measure], chief: Sequence[Measure], key: str, t: Translator) -> None:
    """A panel's figures: sentences on the ``chief`` measures, a chart for each, the table, and the file."""
    for measure in chief:
        st.markdown(verdict(t(measure.title), measure, panel[measure.name], t))
    for column, measure in zip(st.columns(len(measures)), measures, strict=True):
        with column:
            found = panel[measure.name]
            measuring.draw(bars(found, measure, t), 240, measure.words(found, t), f"{key}-{measure.name}", t)
    columns = {t("What is measured"): [t(each.title) for each in measures]}
    columns |= {t(WAYS[way]): [each.spread(panel[each.name][way], t) for each in measures] for way in panel[measures[0].name]}
    st.table(pa.table(columns), border="horizontal")
    rows = (
        (measure, way, seed, value)
        for measure, ways in panel.items()
        for way, each in ways.items()
        for seed, value in enumerate(each.values)
    )
    _file(table(("measure", "way", "seed", "value"), rows), key, t)


def learnt(lessons: Sequence[Lesson], t: Translator) -> None:
    """What few labels are worth: the sentence, accuracy and seconds over the number of labels, tables, and the file."""
    spoken = max((each for each in lessons if each.labels <= LABELS), key=lambda each: each.labels)
    st.markdown(verdict(t("Accuracy with {count} labels per class", count=spoken.labels), ACCURACY, spoken.accuracy, t))
    for column, measure in zip(st.columns(2), (ACCURACY, SECONDS), strict=True):
        with column:
            found = {each.labels: each.accuracy if measure is ACCURACY else each.seconds for each in lessons}
            measuring.draw(lines(found, measure, t), 300, measure.words(found[spoken.labels], t), f"downstream-{measure.name}", t)
            columns = {t("Labels per class"): [t.number(each) for each in found]}
            columns |= {t(WAYS[way]): [measure.spread(each[way], t) for each in found.values()] for way in spoken.accuracy}
            st.table(pa.table(columns), border="horizontal")
    st.caption(t("Seconds are of the regression alone, on this server as busy as it is."))
    rows = (
        (measure, way, lesson.labels, seed, value)
        for lesson in lessons
        for measure, ways in (("accuracy", lesson.accuracy), ("seconds", lesson.seconds))
        for way, each in ways.items()
        for seed, value in enumerate(each.values)
    )
    _file(table(("measure", "way", "labels per class", "seed", "value"), rows), "downstream", t)


def _file(content: bytes, key: str, t: Translator) -> None:
    st.download_button(
        t("Figures of every seed (CSV)"), content, f"{key}.csv", "text/csv", icon=":material/download:", on_click="ignore", key=f"{key}-csv"
    )
