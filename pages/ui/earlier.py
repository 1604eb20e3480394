"""A visitor's earlier runs on the same pictures, beside the one on screen."""

import streamlit as st

from aecore.jobs import View
from aecore.knobs import Choice, Knob, Switch, Value
from aecore.models import VARIANTS
from aecore.training import Plan
from pages.ui import board, cache, forms, state
from pages.ui.i18n import Translator

MOST = 20


def panel(view: View, t: Translator) -> None:
    """A table of the visitor's finished runs on the pictures, and under the loss, of ``view``; nothing where it is the only one."""
    jobs = cache.jobs()
    found = [jobs.look(run) for run in jobs.runs_of(state.visitor())]
    alike = [each for each in found if each and each.finished and _kind(each) == _kind(view)][-MOST:]
    if len(alike) < 2:
        return
    data, loss = _kind(view)
    lines = cache.baselines(data, int(view.order.knobs["code"]), loss)
    with st.expander(t("Beside your {count} other runs on these pictures", count=len(alike) - 1), icon=":material/table_rows:"):
        board.table([board.of_run(each, t, _words(each, t)) for each in alike], lines.floor, loss, t)


def _kind(view: View) -> tuple[str, str]:
    return view.order.data, str(view.order.knobs["loss"])


def _words(view: View, t: Translator) -> str:
    """The variant, and what was set differently from its usual settings."""
    order, variant = view.order, VARIANTS[view.order.variant]
    declared = {each.name: each for each in (*variant.model.Config.knobs(), *Plan.knobs())}
    values: dict[str, Value] = {**order.knobs, **order.plan.values()}
    changed = [_setting(declared[name], value, t) for name, value in values.items() if name != "code" and value != declared[name].default]
    return ", ".join([t(variant.title), *changed])


def _setting(knob: Knob, value: Value, t: Translator) -> str:
    if isinstance(knob.limits, Switch):
        return t(knob.label) if value else t("not: {setting}", setting=t(knob.label))
    shown = t(forms.WORDS[str(value)]) if isinstance(knob.limits, Choice) else t.figure(float(value))
    return f"{t(knob.label)} {shown}"
