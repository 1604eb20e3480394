"""Every English text that a visitor may read: from the source, and from the registries."""

from babel.messages.extract import extract_from_dir

from aecore.data import DATASETS
from aecore.data.text import CORPORA
from aecore.latent import Projection
from aecore.models import VARIANTS
from aecore.text.variants import SEQUENCES
from aecore.training import Plan
from tests.serving import ROOT


def messages() -> set[str]:
    """Texts in ``t(...)`` and ``marked(...)`` of pages, sentences of refusals, and the words of variants, knobs, data sets and corpora."""
    found = _extracted("pages", "t", "marked", "Refused") | _extracted("aecore", "Refused")
    for variant in VARIANTS.values():
        found |= {variant.title, variant.about}
    for knob in (*Plan.knobs(), *Projection.knobs(), *(knob for variant in VARIANTS.values() for knob in variant.model.Config.knobs())):
        found |= {knob.label, knob.help}
    for sequence in SEQUENCES.values():
        found |= {sequence.title, sequence.about, *(text for knob in sequence.model.Plan.knobs() for text in (knob.label, knob.help))}
    for corpus in CORPORA.values():
        found |= {corpus.title, corpus.about, corpus.source}
    for data in DATASETS.values():
        found |= {data.title, data.about, data.licence, *(name for name in data.classes if not name.isdigit() and len(name) > 1)}
    return found


def _extracted(folder: str, *keywords: str) -> set[str]:
    calls = extract_from_dir(str(ROOT / folder), [("**.py", "python")], keywords=dict.fromkeys(keywords))
    return {str(message) for _, _, message, _, _ in calls if message != "sentence"}  # a refusal put together again from a message
