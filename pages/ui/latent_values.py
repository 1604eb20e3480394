"""Single values of a picture's code under sliders, decoded at once."""

from functools import partial

import streamlit as st

from aecore import latent
from pages.ui import latent_touch, widgets
from pages.ui.i18n import Translator
from pages.ui.latent_choice import Chosen

SLIDERS = 8
REACH = 3.0  # standard deviations to each side of the mean


def show(chosen: Chosen, row: int, t: Translator) -> None:
    """The values that differ most between pictures, each with a slider from its mean by three standard deviations; the others stay."""
    spread, middle = chosen.codes.std(0), chosen.codes.mean(0)
    most = [int(each) for each in spread.argsort(descending=True)[:SLIDERS] if spread[each] > 0]
    code, begun = chosen.codes[row].clone(), f"value-{chosen.fingerprint}-{row}"
    left, right = st.columns([3, 2])
    with left:
        for first in range(0, len(most), 2):
            for column, place in zip(st.columns(2), most[first : first + 2], strict=False):
                reach = REACH * float(spread[place])
                low, high = min(float(middle[place]) - reach, float(code[place])), max(float(middle[place]) + reach, float(code[place]))
                label = t("Code value {place}", place=place)
                code[place] = column.slider(
                    label, low, high, float(code[place]), step=(high - low) / 200, format="%.2f", key=f"{begun}-{place}"
                )
        keys = [f"{begun}-{place}" for place in most]
        st.button(t("Back to the picture's own code"), key="values-back", on_click=partial(_forget, keys))
    with right:
        both = latent_touch.both(chosen.images[row], latent.decode(chosen.model, code[None])[0])
        words = t("Picture {place}; beside it, drawn from the values set here", place=int(chosen.rows[row]))
        widgets.strip([widgets.row(words, both.numpy())], key="values")
        st.caption(
            t(
                "The {count} values that differ most between pictures. Click another point of the map to change its picture.",
                count=len(most),
            )
        )


def _forget(keys: list[str]) -> None:
    for key in keys:
        st.session_state.pop(key, None)
