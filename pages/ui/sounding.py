"""The sounds of Denoise: choose one, add noise or not, and have it mended."""

from collections.abc import Callable
from functools import lru_cache

import streamlit as st

from aecore.knobs import Choice, Knob
from aecore.signals import noise, samples
from aecore.signals.files import Sound, read_sound
from pages.ui import mending, signals, sounded, state, uploads
from pages.ui.i18n import Translator, marked
from pages.ui.signals import Signal

OWN = "own"
TITLES = {"guitar": marked("Guitar"), "piano": marked("Piano")}
SOURCE = Knob(
    "sound", next(iter(samples.SAMPLES)), Choice((*samples.SAMPLES, OWN)), marked("Sound"), marked("A sample, or a sound of your own.")
)
KIND = Knob(
    "sound_noise",
    "white",
    Choice(tuple(noise.KINDS)),
    marked("Kind of noise"),
    marked(
        "White noise is equally strong at all pitches; pink is weaker at high ones, as hiss is; hum comes from the mains; crackle is clicks."
    ),
)


def page(t: Translator) -> None:
    """Settings on the left, the sound on the right."""
    st.markdown(
        t("Noise out of speech and music: by an autoencoder for waves, or by one that learns from your file alone while you watch.")
    )
    left, right = st.columns([2, 5], gap="large")
    with left:
        state.open_link()
        values = signals.choose(SOURCE, TITLES, OWN, t("My own"), t)
        own = values["sound"] == OWN
        asked, load = _own(t) if own else (values["sound"], lambda: _signal(_sample(values["sound"])))
        values |= signals.settings(KIND, t)
        state.put_in_link(values, {each.name: each.default for each in (SOURCE, KIND, *signals.KNOBS)})
    with right:
        if load is None:
            st.info(t("Choose a sound on the left."))
            return
        mending.watch(signals.wish("sound", asked, load, values.get(KIND.name), values), sounded.show, t)


def _own(t: Translator) -> tuple[str, Callable[[], Signal] | None]:
    """Ask for a sound; gives a name for it, and what reads it, in the errand's thread."""
    file = st.file_uploader(t("Your sound: WAV"), max_upload_size=uploads.MOST_MEGABYTES, key="sound-file", help=signals.kept(t))
    return ("", None) if file is None else (file.file_id, lambda: _signal(read_sound(file.getvalue(), file.name)))


@lru_cache(maxsize=len(samples.SAMPLES))
def _sample(name: str) -> Sound:
    return samples.sound(name)


def _signal(sound: Sound) -> Signal:
    return Signal(sound.values, sound.rate, sound)
