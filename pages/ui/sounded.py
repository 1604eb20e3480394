"""A mended sound: seen, heard, judged, and taken home."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import streamlit as st
from torch import Tensor

from aecore.signals.files import Sound, write_sound
from pages.ui import judged, learning, spectra, waves
from pages.ui.figures import Chart
from pages.ui.i18n import Translator, marked
from pages.ui.signals import Repaired

PLAYED = 30  # seconds in a player; the file to take home is whole
LOOKS = {"spectrogram": marked("Spectrogram"), "wave": marked("Wave"), "close": marked("Close up")}
COLOURS = {"noisy": waves.NOISY, "mended": waves.MENDED, "removed": waves.REMOVED, "clean": waves.CLEAN}


def show(repaired: Repaired, t: Translator) -> None:
    """All that is to be seen and heard of a mended sound."""
    sound = repaired.signal.file
    assert isinstance(sound, Sound)
    output = judged.strength(repaired, t)
    judged.scores(repaired, output, t)
    look = st.segmented_control(
        t("Look at"),
        list(LOOKS),
        default="spectrogram",
        format_func=lambda each: t(LOOKS[each]),
        key="sound-look",
        required=True,
        label_visibility="collapsed",
    )
    shown = {"noisy": repaired.noisy, "mended": output, "removed": repaired.noisy - output}
    shown |= {} if repaired.clean is None else {"clean": repaired.clean}
    words = {"noisy": t("Noisy sound"), "mended": t("Mended sound"), "removed": t("What was removed"), "clean": t("Sound without noise")}
    draw = {"spectrogram": _spectrograms, "wave": _waves, "close": _close}[str(look)]
    charts = draw(shown, sound.rate, t)
    names = list(shown)
    for pair in (names[:2], names[2:]):
        for place, name in zip(st.columns(2), pair, strict=False):
            with place:
                st.markdown(f"**{words[name]}**")
                st.vega_lite_chart(*charts[name], key=f"sound-{name}", alt=f"{words[name]}: {t(LOOKS[str(look)])}")
                st.audio(_playable(sound, shown[name]), "audio/wav")
    if sound.seconds > PLAYED:
        st.caption(t("The players hold the first {count} seconds; the file to take home is whole.", count=PLAYED))
    st.download_button(
        t("Take the mended sound home"),
        lambda: write_sound(sound, output),
        "mended.wav",
        "audio/wav",
        icon=":material/download:",
        on_click="ignore",
    )
    if repaired.losses:
        learning.learnt(repaired.losses, t)
    judged.filters(repaired, ("savitzky-golay", "wavelet", "spectral subtraction"), t)


def _spectrograms(shown: Mapping[str, Tensor], rate: int, t: Translator) -> dict[str, Chart]:
    """All on the same scale of colours, so that they can be compared."""
    found = {name: spectra.spectrogram(values.numpy(), rate) for name, values in shown.items()}
    top = spectra.loudest(*found.values())
    return {
        name: waves.spectrogram(spectra.address(each, top), each.seconds, each.top, top, spectra.STOPS, spectra.RANGE, t)
        for name, each in found.items()
    }


def _waves(shown: Mapping[str, Tensor], rate: int, t: Translator) -> dict[str, Chart]:
    """The whole sound in outline, all on the same scale."""
    reach = _reach(shown)
    seconds = (0.0, shown["noisy"].shape[1] / rate)
    return {name: waves.wave(*spectra.outline(values.numpy()), seconds, reach, COLOURS[name], t) for name, values in shown.items()}


def _close(shown: Mapping[str, Tensor], rate: int, t: Translator) -> dict[str, Chart]:
    """Some hundredths of a second where the sound is loud, sample by sample, all on the same scale."""
    part = learning.close(shown["mended"])
    times = np.arange(shown["noisy"].shape[1])[part] / rate
    seen = {name: values[:1, part] for name, values in shown.items()}
    reach = _reach(seen)
    return {
        name: waves.traces({name: (times, values[0].numpy(), COLOURS[name])}, t("seconds"), t("amplitude"), 170, t, reach)
        for name, values in seen.items()
    }


def _reach(shown: Mapping[str, Tensor]) -> float:
    return max(float(each.abs().max()) for each in shown.values()) or 1.0


def _playable(sound: Sound, values: Tensor) -> bytes:
    """The beginning as a file that every browser plays."""
    return write_sound(replace(sound, container="WAV", encoding="PCM_16"), values[:, : PLAYED * sound.rate])
