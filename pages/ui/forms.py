"""Widgets drawn from the knobs of a config."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from aecore.knobs import Choice, Knob, Range, Switch
from pages.ui import state
from pages.ui.i18n import Translator, marked

FEW = 8  # whole numbers that fit on a slider
SIDE_BY_SIDE = 3  # choices that fit in a column
LETTERS = 36  # of all choices together, that fit in a column
WORDS = {
    "mse": marked("MSE"),
    "cross-entropy": marked("Cross-entropy"),
    "one-cycle": marked("One-cycle"),
    "cosine": marked("Cosine"),
    "constant": marked("Constant"),
    "dense": marked("Dense"),
    "convolutional": marked("Convolutional"),
    "gaussian": marked("Gaussian"),
    "masking": marked("Masking"),
    "salt-and-pepper": marked("Salt and pepper"),
    "speckle": marked("Speckle"),
    "occlusion": marked("Occlusion"),
    "none": marked("None"),
    "l1": marked("L1"),
    "top-k": marked("Top-k"),
    "noise": marked("Noise"),
    "contraction": marked("Contraction"),
}


def knobs(declared: Sequence[Knob], t: Translator, words: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Draw a widget for each knob and give the values; ``words`` names the options of choices.

    A bad value in the link is said, and the default taken.
    """
    words = words or {option: t(text) for option, text in WORDS.items()}
    alone = len(declared) == 1
    refusals = [refused for knob in declared if (refused := state.open_knob(knob))]
    values = {}
    for first in range(0, len(declared), 2):
        pair = declared[first : first + 2]
        for place, knob in zip(st.columns(1 if alone else 2, vertical_alignment="bottom"), pair, strict=False):
            with place:
                values[knob.name] = knob.check(_widget(knob, t, words, alone))
    for refused in refusals:
        st.warning(t("{reason} The link asked for something else; the default is used.", reason=t.refusal(refused)))
    return values


def _widget(knob: Knob, t: Translator, words: Mapping[str, str], alone: bool) -> Any:
    key, label = state.knob_key(knob.name), t(knob.label)
    same: dict[str, Any] = {"key": key, "help": t(knob.help), "persist_state": "session"}
    match knob.limits:
        case Switch():
            return st.toggle(label, **same)
        case Choice(options) if len(options) > SIDE_BY_SIDE or not alone or sum(len(words[each]) for each in options) > LETTERS:
            return st.selectbox(label, options, format_func=words.__getitem__, **same)
        case Choice(options):
            return st.segmented_control(label, options, format_func=words.__getitem__, required=True, width="stretch", **same)
        case Range(low, high) if isinstance(knob.default, int) and high - low <= FEW:
            return st.slider(label, int(low), int(high), **same)
        case Range(low, high) if isinstance(knob.default, int):
            return st.number_input(label, int(low), int(high), step=1, **same)
        case Range(low, high, log=False):
            return st.slider(label, float(low), float(high), step=(high - low) / 100, format="localized", **same)
        case Range(low, high):
            return st.number_input(label, float(low), float(high), step=float(low) * 10, format="%g", **same)
