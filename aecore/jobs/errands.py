"""Short work for visitors, such as mending one picture: in threads of this process, since workers may train for minutes.

torch lets go of Python's lock while it computes, and the threads step back in priority, so pages stay quick.
"""

import logging
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol
from uuid import uuid4

from aecore.refusal import Refused

logger = logging.getLogger(__name__)

MOST_KEPT = 96
MOST_BYTES_KEPT = 1 << 30  # of results that tell their ``nbytes``
MOST_WAITING = 50


class Report(Protocol):
    """How work tells how far it is: ``done`` from 0 to 1 and, where there is something to see already, a frozen ``glimpse`` of it."""

    def __call__(self, done: float, glimpse: Any = None) -> None: ...


Work = Callable[[Report, Callable[[], bool]], Any]
"""Told how to report, and how to ask whether it is no longer wanted; gives its result."""


class Cancelled(Exception):
    """Raised by work that is no longer wanted."""


@dataclass(frozen=True)
class Errand:
    """As it stands: ``result`` once it is "done", ``error`` if it has "failed". ``place`` is 1 for the next in line.

    ``glimpse`` is what it showed last while "running".
    """

    status: Literal["waiting", "running", "done", "failed", "cancelled"]
    place: int = 0
    done: float = 0.0
    glimpse: Any = None
    result: Any = None
    error: Refused | None = None


class Errands:
    """A line of errands, first come, first served. Safe from any thread.

    Each visitor, or each tab of one, as the caller names them, has one errand: a new one takes the old one's place.
    """

    def __init__(self, threads: int = 1) -> None:
        self._lock = threading.Lock()
        self._errands: OrderedDict[str, Errand] = OrderedDict()  # by visitor; least recently begun first
        self._tokens: dict[str, str] = {}  # of each visitor's present errand
        self._pool = ThreadPoolExecutor(threads, "aecore-errand", initializer=_step_back)

    def submit(self, visitor: str, work: Work) -> None:
        """Put ``work`` in line; Refused where too much waits already. What the visitor had is cancelled, or its result forgotten."""
        token = uuid4().hex
        with self._lock:
            if sum(each.status == "waiting" for each in self._errands.values()) >= MOST_WAITING:
                raise Refused("{count} files are waiting already. Come back in a while.", count=MOST_WAITING)
            self._tokens[visitor] = token
            self._errands.pop(visitor, None)
            self._errands[visitor] = Errand("waiting")
            self._trim()
        self._pool.submit(self._do, visitor, token, work)

    def look(self, visitor: str) -> Errand | None:
        """The visitor's errand, or None where there is none."""
        with self._lock:
            found = self._errands.get(visitor)
            if found and found.status == "waiting":
                waiting = [name for name, each in self._errands.items() if each.status == "waiting"]
                return replace(found, place=waiting.index(visitor) + 1)
            return found

    def cancel(self, visitor: str) -> None:
        """The visitor no longer wants it: what runs ends at its next look at the flag."""
        with self._lock:
            found = self._errands.get(visitor)
            if found and found.status in ("waiting", "running"):
                self._tokens[visitor] = ""
                self._errands[visitor] = Errand("cancelled")

    def close(self) -> None:
        """Cancel everything and wait for the thread."""
        with self._lock:
            self._tokens.clear()
        self._pool.shutdown(cancel_futures=True)

    def _trim(self) -> None:
        """Lock held. Forget the oldest results, down to the limits; the newest stays in any case."""
        ended = [name for name, each in self._errands.items() if each.status not in ("waiting", "running")]
        for name in ended[:-1]:
            if (
                len(self._errands) <= MOST_KEPT
                and sum(getattr(each.result, "nbytes", 0) for each in self._errands.values()) <= MOST_BYTES_KEPT
            ):
                break
            del self._errands[name]
            self._tokens.pop(name, None)

    def _do(self, visitor: str, token: str, work: Work) -> None:
        def wanted() -> bool:
            return self._tokens.get(visitor) == token

        def change(**parts: Any) -> None:
            with self._lock:
                if wanted():
                    self._errands[visitor] = replace(self._errands[visitor], **parts)

        def report(done: float, glimpse: Any = None) -> None:
            change(done=done) if glimpse is None else change(done=done, glimpse=glimpse)

        if not wanted():
            return
        change(status="running")
        began = time.perf_counter()
        try:
            result = work(report, lambda: not wanted())
            change(status="done", done=1.0, glimpse=None, result=result)
            with self._lock:
                self._trim()
        except Cancelled:
            change(status="cancelled", glimpse=None)  # where work gave up by itself; one that is not wanted is so already
        except Refused as refused:
            change(status="failed", error=refused)
        except Exception:
            logger.exception("an errand broke after %.1f s", time.perf_counter() - began)
            change(status="failed", error=Refused("Something went wrong. Try again, or with another file or other settings."))


def _step_back() -> None:
    if sys.platform == "linux":  # elsewhere priority belongs to the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
