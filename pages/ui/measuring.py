"""A question that is measured once somebody asks: a panel, a button, an errand in the line of learning, an answer kept for all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from aecore.data.registry import Progress
from aecore.jobs.errands import Cancelled, Report
from pages.ui import mending
from pages.ui.i18n import Translator, marked

MEASURING = marked("Measuring: {share} %")
MOST_KEPT = 64

_answers: dict[str, Any] = {}  # for all visitors, by content, the oldest first; changed by the thread of the line alone


@dataclass(frozen=True)
class Question:
    """What is asked. A tab asks one question of each ``kind`` at a time; ``asked`` names all that the answer depends on.

    ``answer`` finds it, told how to tell progress, which may raise to stop it; ``show`` draws it.
    """

    kind: str
    asked: str
    answer: Callable[[Progress], Any]
    show: mending.Show

    @property
    def name(self) -> str:
        """By which its answer is kept."""
        return f"{self.kind}-{self.asked}"

    def work(self, report: Report, stopped: Callable[[], bool]) -> Any:
        """What the errand does."""

        def progress(done: float) -> None:
            if stopped():
                raise Cancelled
            report(done)

        found = self.answer(progress)
        while len(_answers) >= MOST_KEPT:
            _answers.pop(next(iter(_answers)))
        _answers[self.name] = found
        return found


def panel(kind: str, title: str, icon: str, draw: Callable[[Translator], None], t: Translator) -> None:
    """A closed panel whose content is made by ``draw`` when it is opened, without the rest of the page."""
    st.fragment(_panel, key=f"measuring-{kind}")(kind, title, icon, draw, t)


def _panel(kind: str, title: str, icon: str, draw: Callable[[Translator], None], t: Translator) -> None:
    with st.expander(title, icon=icon, on_change="rerun", key=f"panel-{kind}") as opened:
        if opened.open:
            draw(t)


def ask(question: Question, t: Translator) -> None:
    """The answer if it is known, else the button that has it found, or how far that is."""
    wanted = f"measure-{question.kind}"
    if question.name in _answers:
        question.show(_answers[question.name], t)
    elif st.session_state.get(wanted) == question.asked:
        wish = mending.Wish(question.kind, question.asked, question.work, MEASURING, _nothing_yet)
        mending.watch(wish, question.show, t)
    else:
        st.button(t("Measure"), key=f"{wanted}-begin", type="primary", on_click=_want, args=(wanted, question.asked))


def _want(wanted: str, asked: str) -> None:
    st.session_state[wanted] = asked


def _nothing_yet(glimpse: Any, t: Translator) -> None:
    """There is nothing to see before the end."""


def draw(figure: go.Figure, height: int, alt: str, key: str, t: Translator) -> None:
    """A Plotly chart as the pages have it: numbers as the language writes them, and a finger scrolls the page, not the chart."""
    symbols = t.locale.number_symbols["latn"]
    figure.update_layout(
        height=height, margin={"l": 8, "r": 8, "t": 8, "b": 8}, separators=f"{symbols['decimal']}{symbols['group']}", dragmode=False
    )
    st.plotly_chart(figure, key=key, alt=alt, config={"displayModeBar": False, "scrollZoom": False})
