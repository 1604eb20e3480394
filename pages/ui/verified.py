"""What was found in a file: a picture, and a card for each of the three marks."""

import streamlit as st

from aecore.provenance import Findings, Sight, Statement, Trace
from pages.ui import packed
from pages.ui.i18n import Translator, marked, plain

SOURCES = {
    "trainedAlgorithmicMedia": marked("wholly made by a trained network"),
    "compositeWithTrainedAlgorithmicMedia": marked("a picture of which a trained network made a part"),
}
WORTH = {
    "intact": marked(
        "Nothing in this file has changed since it was signed. But who signed it nobody here can tell: anybody can make such a certificate."
    ),
    "own": marked("Nothing in this file has changed since this very installation signed it. Elsewhere its certificate counts as unknown."),
    "altered": marked("The file or its manifest has changed since it was signed, so nothing that it says counts."),
    "unreadable": marked("There is a manifest, and it cannot be read."),
    "absent": marked("There is none. Most programs and networks drop it when they save a picture."),
}


def show(found: Findings, t: Translator, caption: str = "", searching: bool = False, address: str = "") -> None:
    """The picture beside the cards. ``searching`` says that the invisible mark is still looked for; ``address`` holds the file itself."""
    left, right = st.columns([2, 3], gap="medium")
    words = caption or t(
        "The file: {kind}, {width} × {height} pixels", kind=found.kind, width=found.frame.shape[2], height=found.frame.shape[1]
    )
    left.image(address or packed.seen(found.frame), caption=words, width="stretch", alt=words)
    with right:
        _visible(found.visible, t)
        _invisible(found.invisible, found.frames, searching, t)
        _manifest(found.manifest, t)


def _visible(sight: Sight, t: Translator) -> None:
    with _card(t("1. The label"), sight.found, t):
        st.caption(
            t(
                "Likeness of the lower left corner to the label: {score}; from {threshold} on it counts. Your eyes decide better.",
                score=t.number(sight.score, 2),
                threshold=t.number(sight.threshold, 2),
            )
        )


def _invisible(trace: Trace, frames: int, searching: bool, t: Translator) -> None:
    with _card(t("2. The invisible watermark"), None if searching else trace.found, t):
        words = t(
            "Score {score}; from {threshold} on it counts. An unmarked picture gets there once in a million.",
            score=t.number(trace.score, 1),
            threshold=t.number(trace.threshold, 1),
        )
        if frames > 1:
            words += " " + t("Read from {count} frames together.", count=frames)
        if trace.found and (trace.share < 1 or trace.angle):
            words += " " + t(
                "Found by searching: {share} % of the longer side are left, turned by {angle}°.",
                share=t.number(100 * trace.share),
                angle=t.number(-trace.angle + 0.0, 1),
            )
        st.caption(words)


def _manifest(manifest: Statement, t: Translator) -> None:
    with _card(t("3. The signed manifest (C2PA)"), None if manifest.state == "absent" else manifest.holds, t, manifest.state):
        words = t(WORTH[manifest.state])
        if manifest.state != "absent" and manifest.signer:
            words += " " + t(
                "It says: made by {generator}, {source}; signed by {signer}.",
                generator=plain(manifest.generator or "?"),
                source=t(SOURCES[manifest.source]) if manifest.source in SOURCES else plain(manifest.source or "?"),
                signer=plain(manifest.signer),
            )
        if manifest.faults:
            words += " " + t("What the check complains about: {faults}.", faults=plain(", ".join(manifest.faults)))
        st.caption(words)


def _card(title: str, found: bool | None, t: Translator, state: str = ""):
    """A framed place under a title and a verdict."""
    card = st.container(border=True, gap="xsmall")
    with card.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{title}**", width="content")
        if found:
            st.badge(t("Found") if not state else t("Intact"), icon=":material/check:", color="green")
        elif state in ("altered", "unreadable"):
            st.badge(t("Altered") if state == "altered" else t("Unreadable"), icon=":material/close:", color="red")
        elif found is None and not state:
            st.badge(t("Searching"), icon=":material/search:", color="blue")
        else:
            st.badge(t("Not found"), icon=":material/remove:", color="gray")
    return card
