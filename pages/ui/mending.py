"""Work for a visitor that takes seconds: the lines it waits in, and what a tab sees of it meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Event
from typing import Any

import streamlit as st

from aecore.jobs.errands import Errand, Errands, Work
from aecore.refusal import Refused
from pages.ui import state
from pages.ui.i18n import Translator, marked

UNDER_WAY = ("waiting", "running")
TICK = 0.3  # seconds
LIVE_TICK = 0.5  # where each tick draws charts too
MENDING = marked("Mending: {share} %")
Show = Callable[[Any, Translator], None]


@cache
def lines() -> tuple[Errands, Errands]:
    """The line of work that takes seconds, and the line of learning, so that a picture never waits for a minute of that."""
    return Errands(), Errands()


def close() -> None:
    """End the lines, if there are any."""
    if lines.cache_info().currsize:
        for line in lines():
            line.close()
        lines.cache_clear()


@dataclass(frozen=True)
class Wish:
    """What a tab asks for. It has one errand of each ``kind`` at a time; another name ``asked`` begins a new one.

    ``words`` are an English sentence with a gap {share}. Work that is ``slow``, or ``live``, which draws its glimpses, waits in the line of learning.
    Work that looks at ``enough`` ends early once it is set, and keeps what it has: by the button Stop, in place of Cancel as soon as something is
    done, or because the tab is closed.
    """

    kind: str
    asked: str
    work: Work
    words: str = MENDING
    live: Show | None = None
    slow: bool = False
    enough: Event | None = None

    @property
    def line(self) -> Errands:
        """Where it waits."""
        short, long = lines()
        return long if self.live or self.slow else short

    @property
    def owner(self) -> str:
        """Whose errand it is: two tabs of a visitor mend two things."""
        return _owner(self.kind)


def _owner(kind: str) -> str:
    return f"{state.session()}-{kind}"


def _stop(events: list[Event]) -> None:
    for each in events:
        each.set()


@st.cache_resource(scope="session", on_release=_stop, show_spinner=False)
def _left_behind() -> list[Event]:
    """What ends this session's learning once its tab is closed, so that nobody waits for what nobody watches."""
    return []


def watch(wish: Wish, show: Show, t: Translator) -> None:
    """Have a wish done, with progress and a way to cancel it while it lasts; then ``show`` what came of it."""
    noted = f"asked-{wish.kind}"
    found = wish.line.look(wish.owner)
    if found is None or st.session_state.get(noted) != wish.asked:
        st.session_state[noted] = wish.asked
        for line in lines():
            line.cancel(wish.owner)
        if wish.enough:
            _left_behind().append(wish.enough)
        try:
            wish.line.submit(wish.owner, wish.work)
        except Refused as refused:
            st.error(t.refusal(refused))
            return
        found = wish.line.look(wish.owner)
    busy = found is not None and found.status in UNDER_WAY
    tick = LIVE_TICK if wish.live else TICK
    st.fragment(_tick, run_every=tick if busy else None, key=f"mending-{wish.kind}-{wish.asked}-{busy}")(wish, show, busy, t)


def under_way(kind: str) -> bool:
    """Whether this tab's errand of a kind waits or runs."""
    found = [line.look(_owner(kind)) for line in lines()]
    return any(each is not None and each.status in UNDER_WAY for each in found)


def forget(kind: str) -> None:
    """What is asked of this kind next begins anew, even if it is what was asked last."""
    st.session_state.pop(f"asked-{kind}", None)


def result(wish: Wish) -> Any:
    """What came of a wish that was watched, once it is done; else None."""
    found = wish.line.look(wish.owner)
    return found.result if found and found.status == "done" and st.session_state.get(f"asked-{wish.kind}") == wish.asked else None


def _tick(wish: Wish, show: Show, was_busy: bool, t: Translator) -> None:
    errand = wish.line.look(wish.owner)
    if errand is None or (was_busy and errand.status not in UNDER_WAY):
        st.rerun()  # the last drawing is the page's, so that the ticking ends
    match errand.status:
        case "waiting" | "running":
            _progress(wish, errand, t)
        case "failed":
            st.error(t.refusal(errand.error) if errand.error else "", icon=":material/error:")
        case "cancelled":
            st.info(t("Cancelled. Change a setting, or begin again."))
            if st.button(t("Begin again"), key=f"again-{wish.kind}"):
                forget(wish.kind)
                st.rerun()
        case "done":
            show(errand.result, t)


def _progress(wish: Wish, errand: Errand, t: Translator) -> None:
    words, button = st.columns([4, 1], vertical_alignment="center")
    share = t(wish.words, share=t.number(100 * errand.done))
    waiting = t("Waiting: number {place} in line", place=errand.place)
    words.progress(errand.done, waiting if errand.status == "waiting" else share)
    if wish.enough and errand.done:
        kept, ends = t("What was learnt so far is kept."), wish.enough
        button.button(t("Stop"), key=f"stop-{wish.kind}", width="stretch", on_click=ends.set, disabled=ends.is_set(), help=kept)
    elif button.button(t("Cancel"), key=f"cancel-{wish.kind}", width="stretch"):
        wish.line.cancel(wish.owner)
        st.rerun()
    if wish.live and errand.glimpse is not None:
        wish.live(errand.glimpse, t)
