"""The Explain panel: lesson, drawing with shapes, formula, the code that runs, sources."""

import inspect
import math

import streamlit as st
from torch import nn

from aecore.data import DATASETS
from aecore.models import VARIANTS, Autoencoder
from aecore.nn.conv import Enlarge
from pages.ui import widgets
from pages.ui.i18n import Translator


def panel(model: Autoencoder, name: str, data: str, t: Translator) -> None:
    """Explain variant ``name`` as built in ``model``, and where the pictures of ``data`` come from."""
    variant = VARIANTS[name]
    with st.expander(t("Explain: {variant}", variant=t(variant.title)), icon=":material/school:"):
        lesson, code = st.tabs([t("Lesson"), t("The code that runs")])
        with lesson:
            widgets.drawing(diagram(model, t), key="diagram")
            st.latex(variant.formula)
            st.markdown(t.lesson(f"variant-{name}"))
            st.caption(t("Source: {source}", source=variant.source))
            if data in DATASETS:
                known = DATASETS[data]
                st.caption(t("Pictures: {source}. Licence: {licence}.", source=known.source, licence=t(known.licence)))
        with code:
            st.caption(t("Not a copy: this is read from the program as it runs."))
            st.code(inspect.getsource(variant.model), "python")
            st.code(inspect.getsource(Autoencoder.loss) + "\n" + inspect.getsource(Autoencoder.distance), "python")


def sizes(model: Autoencoder) -> list[tuple[int, ...]]:
    """Shapes of what flows through a model, picture to picture, one after each layer with weights."""
    shapes: list[tuple[int, ...]] = [model.shape]
    for part in (model.encoder, model.decoder):
        if part is model.decoder and shapes[-1] != (model.config.code,):
            shapes.append((model.config.code,))
        for layer in part.modules():
            if isinstance(layer, nn.Linear):
                shapes.append((layer.out_features,))
            elif isinstance(layer, Enlarge):
                shapes.append((layer.convolution.out_channels // 4, layer.height, layer.width))
            elif isinstance(layer, nn.Conv2d) and layer.stride == (2, 2):
                _, height, width = shapes[-1]
                shapes.append((layer.out_channels, (height + 1) // 2, (width + 1) // 2))
    if len(shapes[-1]) == 1:
        shapes[-1] = model.shape
    return shapes


def diagram(model: Autoencoder, t: Translator) -> str:
    """The hourglass as SVG: a bar for each layer, as high as the logarithm of its size, the shape written below."""
    shapes = sizes(model)
    waist = min(range(len(shapes)), key=lambda index: (math.prod(shapes[index]), index))
    largest = math.log(max(math.prod(shape) for shape in shapes) + 1)
    step, bars = 96, []
    for index, shape in enumerate(shapes):
        height = 20 + 100 * math.log(math.prod(shape) + 1) / largest
        x, y = 48 + index * step, 75 - height / 2
        words = " × ".join(str(each) for each in shape)
        fill = "var(--st-primary-color, #e4572e)" if index == waist else "currentColor"
        bars.append(
            f'<rect x="{x - 14}" y="{y:.0f}" width="28" height="{height:.0f}" rx="5" fill="{fill}" opacity="{1 if index == waist else 0.35}"/>'
            f'<text x="{x}" y="152" text-anchor="middle" font-size="13" fill="currentColor">{words}</text>'
        )
        if index + 1 < len(shapes):
            bars.append(f'<path d="M{x + 20} 75h{step - 48}m-6 -5l6 5l-6 5" fill="none" stroke="currentColor" opacity="0.6"/>')
    width = 96 + step * (len(shapes) - 1)
    names = t("picture, encoder, code, decoder, picture; below each layer its shape, channels first")
    return f'<svg role="img" aria-label="{names}" viewBox="0 0 {width} 160" width="{width}" height="160">{"".join(bars)}</svg>'
