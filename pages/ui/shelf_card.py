"""A model's card as a visitor reads it: tables, recipe, and the way to train the same again."""

import json
from collections.abc import Sequence
from html import escape

import streamlit as st

from aecore import weights
from aecore.data import DATASETS
from aecore.knobs import Knob, Value
from aecore.models import VARIANTS
from aecore.weights import Card
from pages.ui import cache, forms, live, setup
from pages.ui.i18n import Translator, marked

METRICS = {
    "cross_entropy": marked("Cross-entropy (nats per pixel)"),
    "mse": marked("MSE"),
    "psnr": marked("PSNR (dB)"),
    "probe_accuracy": marked("Class found in the code (share)"),
    "identity_gap": marked("Identity gap (dB)"),
    "active_values": marked("Active values in a code"),
}
LINE = "border-top: 1px solid rgba(128, 128, 128, 0.35); padding: 0.3rem 0.5rem; vertical-align: top; text-align: left;"


def show(card: Card, mine: bool, t: Translator) -> None:
    """The whole card and the recipe."""
    config = VARIANTS[card.variant].model.Config.knobs()
    with st.expander(t("Card: what it learnt from, and how well"), expanded=True, icon=":material/id_card:"):
        st.html(_table(_origin(card, t), (), t("What the model is and what it learnt from")))
        st.html(_table(_measured(card, t), (t("Measured"), t("Training pictures"), t("Test pictures")), t("Measured")))
    with st.expander(t("Settings"), icon=":material/tune:"):
        rows = [*_settings(config, card.knobs, t), *_settings(setup.PLAN, card.plan, t)]
        st.html(_table(rows, (), t("Settings")))
    with st.expander(t("Recipe: how to make it again"), icon=":material/menu_book:"):
        _recipe(card, mine, t)


def recipe(card: Card) -> str:
    """The recipe of a model as TOML, from its card."""
    parts = [f"variant = {_toml(card.variant)}\ndata = {_toml(card.data)}\n"]
    for title, values in (("knobs", card.knobs), ("plan", card.plan)):
        parts.append(f"[{title}]\n" + "".join(f"{name} = {_toml(value)}\n" for name, value in values.items()))
    return "\n".join(parts)


def settings(card: Card) -> dict[str, Value]:
    """What Train needs to open the settings of a model; a longer time limit than a run of a page may have is cut."""
    data = card.data if card.data in DATASETS else setup.OWN
    seconds = min(card.plan["seconds"], setup.MOST_SECONDS)
    return {"variant": card.variant, "data": data, **card.knobs, **card.plan, "seconds": seconds}


def _toml(value: Value) -> str:
    """A TOML value. A JSON string without escapes beyond quote and backslash is one; cards hold printable text only."""
    return json.dumps(value, ensure_ascii=False)


def _recipe(card: Card, mine: bool, t: Translator) -> None:
    file = f"{card.name}.toml"
    text = recipe(card) if mine else (weights.FOLDER / file).read_text(encoding="utf-8")
    st.code(text, "toml")
    if not mine:
        st.markdown(t("This file comes with the lab, and the same command makes the same model again:"))
        st.code(f"python -m aecore train weights/{file}", "bash", wrap_lines=True)
    elif card.data in DATASETS:
        st.markdown(t("Save it as a file, and this command makes the model again:"))
        st.code(f"python -m aecore train {file}", "bash", wrap_lines=True)
    else:
        st.markdown(t("It learnt from somebody's own pictures, which are not here: with others the numbers will differ."))


def _origin(card: Card, t: Translator) -> list[tuple[str, ...]]:
    known = DATASETS.get(card.data)
    rows = [
        (t("Name"), card.name),
        (t("Variant"), t(VARIANTS[card.variant].title)),
        (t("Pictures"), t(known.title) if known else card.data),
        (t("Licence of the pictures"), t(card.licence) if known else card.licence),
        (t("Source of the pictures"), card.source),
        (t("Size of a picture"), " × ".join(str(side) for side in card.shape)),
    ]
    if known and cache.has(card.data):
        pictures = cache.data(card.data)
        count = t("{train} to learn from, {test} to test on", train=t.number(len(pictures.train)), test=t.number(len(pictures.test)))
        rows.append((t("Number of pictures"), count))
    return [
        *rows,
        (t("Parameters"), t.number(card.parameters)),
        (t("Learning"), f"{t(live.REASONS[card.reason])} " if card.reason in live.REASONS else card.reason),
        (t("Steps"), t("{steps} in {time}", steps=t.number(card.steps), time=t.duration(card.seconds))),
        (t("Made on"), card.created),
        (t("Made with"), ", ".join(f"{name} {version}" for name, version in card.versions.items())),
        (t("SHA-256 of the weights"), card.sha256),
    ]


def _measured(card: Card, t: Translator) -> list[tuple[str, ...]]:
    train, test = card.metrics["train"], card.metrics["test"]
    names = [*METRICS, *sorted((train.keys() | test.keys()) - METRICS.keys())]
    figure = {split: {name: t.figure(value) for name, value in terms.items()} for split, terms in card.metrics.items()}
    return [
        (t(METRICS.get(name, name)), figure["train"].get(name, "—"), figure["test"].get(name, "—"))
        for name in names
        if name in train or name in test
    ]


def _settings(knobs: Sequence[Knob], values: dict[str, Value], t: Translator) -> list[tuple[str, ...]]:
    return [(t(each.label), _words(values[each.name], t)) for each in knobs]


def _words(value: Value, t: Translator) -> str:
    if isinstance(value, bool):
        return t("Yes") if value else t("No")
    return t(forms.WORDS.get(value, value)) if isinstance(value, str) else t.figure(value, 10)


def _table(rows: Sequence[tuple[str, ...]], head: tuple[str, ...], caption: str) -> str:
    """A table in HTML, each row begun by its heading. Cards come from strangers, so every text is escaped."""
    top = "".join(f'<th scope="col" style="{LINE}">{escape(each)}</th>' for each in head)
    body = "".join(
        f'<tr><th scope="row" style="{LINE} font-weight: 500;">{escape(first)}</th>'
        + "".join(f'<td style="{LINE} overflow-wrap: anywhere;">{escape(each)}</td>' for each in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return f'<table aria-label="{escape(caption)}" style="width: 100%; border-collapse: collapse; font-size: 0.9rem;"><tr>{top}</tr>{body}</table>'
