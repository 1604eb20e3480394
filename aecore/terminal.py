"""What commands at a terminal have in common."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

INTERRUPTED = 130
"""The exit status after Ctrl-C."""


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """While it lasts, Ctrl-C only raises a flag, so that a step is never cut in half; a second Ctrl-C ends at once."""
    flag: list[int] = []

    def note(number: int, frame: object) -> None:
        flag.append(number)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(flag)
    finally:
        signal.signal(signal.SIGINT, before)
