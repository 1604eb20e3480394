"""What is touched on the map: a picture, a place where nobody lives, or a group; each gives a code that can be called A, B or C."""

import streamlit as st
import torch
from torch import Tensor

from aecore import latent
from aecore.latent import Map
from pages.ui import atlas, state, widgets
from pages.ui.i18n import Translator
from pages.ui.latent_choice import Chosen

LETTERS = ("A", "B", "C")
SHOWN = 6  # nearest and farthest of a group


def show(chosen: Chosen, drawn: Map, touch: atlas.Touch | None, columns: list[atlas.Column], t: Translator) -> None:
    """The panel beside the map."""
    match touch:
        case None:
            _invitation(t)
        case atlas.Touch(kind="point", rows=rows):
            _point(chosen, int(rows[0]), t)
        case atlas.Touch(kind="group", rows=rows):
            _group(chosen, drawn, rows, columns, t)
        case _:
            _place(chosen, drawn, touch.at, t)


def both(before: Tensor, after: Tensor) -> Tensor:
    """A picture uint8 ``(C, H, W)`` and one in [0, 1], one above the other in a stack ``(2, C, H, W)`` of uint8."""
    return torch.stack([before, _bytes(after)])


def _invitation(t: Translator) -> None:
    st.markdown("**" + t("Touch the map") + "**")
    st.markdown(
        t(
            "- **Point** at a dot: its picture.\n- **Click** it: what the decoder makes of its code.\n"
            "- Click where **nobody lives**: a picture that nobody drew.\n- **Lasso**, or a name below the map: what a group has in common.\n"
            "- Drag to move or turn, wheel or two fingers to come nearer."
        )
    )


def _point(chosen: Chosen, row: int, t: Translator) -> None:
    where = t("Picture {place}", place=int(chosen.rows[row]))
    words = t("{picture}, class {name}", picture=where, name=chosen.classes(t)[int(chosen.labels[row])]) if chosen.labelled else where
    code = chosen.codes[row]
    pictures = both(chosen.images[row], latent.decode(chosen.model, code[None])[0])
    widgets.strip([widgets.row(t("{picture}; beside it, drawn again from its code", picture=words), pictures.numpy())], key="touched")
    st.caption(
        t(
            "Error (MSE): {error}. Error of all, in the mean: {mean}.",
            error=t.figure(float(chosen.errors[row]), 3),
            mean=t.figure(float(chosen.errors.mean()), 3),
        )
    )
    _letters(chosen, words, code, t)


def _place(chosen: Chosen, drawn: Map, at: Tensor, t: Translator) -> None:
    code = drawn.way.inverse(at)[0]
    picture = latent.decode(chosen.model, code[None])
    with st.container(width=240):
        widgets.strip([widgets.row(t("Nobody lives here. This is what the decoder draws"), _bytes(picture).numpy())], key="nobody")
    if drawn.way.exact:
        st.caption(t("Exact: the code nearest to the middle of all that the map draws at this very spot."))
    else:
        st.caption(t("A blend: this map has no formula for the way back, so the codes of the eight nearest points are mixed."))
    if at.shape[1] == 3:
        st.caption(t("A click has no depth: the spot lies as deep as the middle of the cloud."))
    _letters(chosen, t("A place where nobody lives"), code, t)


def _group(chosen: Chosen, drawn: Map, rows: Tensor, columns: list[atlas.Column], t: Translator) -> None:
    found = latent.gather(chosen.model, chosen.codes, chosen.images, rows, SHOWN)
    words = t("{count} pictures", count=t.number(len(rows)))
    if chosen.labelled:
        counts = chosen.labels[rows].bincount(minlength=len(chosen.data.classes))
        most = int(counts.argmax())
        share = t.number(100 * int(counts[most]) / len(rows))
        words = t("{pictures}, {share} % of class {name}", pictures=words, share=share, name=chosen.classes(t)[most])
    st.markdown(f"**{words}**")
    middles = torch.stack([_bytes(found.picture), _bytes(found.decoded)])
    rows_ = [
        widgets.row(t("Mean of the pictures; beside it, drawn from the mean of their codes"), middles.numpy()),
        widgets.row(t("Nearest to the mean code"), chosen.images[found.nearest].numpy()),
        widgets.row(t("Farthest from it"), chosen.images[found.farthest].numpy()),
    ]
    widgets.strip(rows_, key="group")
    meaning = t("Root mean square distance of the codes to their mean; below it, the same for all pictures on the map.")
    usual = t("all: {spread}", spread=t.figure(found.usual, 3))
    st.metric(t("Spread"), t.figure(found.spread, 3), usual, delta_color="off", delta_arrow="off", border=True, help=meaning)
    _letters(chosen, t("Mean of {pictures}", pictures=words), found.middle, t)
    st.download_button(
        t("Selection (CSV)"),
        lambda: latent.table(drawn.points, chosen.codes, atlas.known(columns), rows),
        "selection.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def _letters(chosen: Chosen, words: str, code: Tensor, t: Translator) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(t("Call it"), width="content")
        for letter in LETTERS:
            st.button(
                letter,
                key=f"call-{letter}",
                help=t("For the walk and the sum below."),
                on_click=state.keep_mark,
                args=(chosen.card.sha256, letter, words, code),
            )


def _bytes(pictures: Tensor) -> Tensor:
    return pictures.mul(255).round().clamp(0, 255).byte()
