"""The runs that wait for a worker."""

import time
from collections.abc import Collection

from aecore.jobs.line import may_start, order_of_service
from aecore.jobs.runs import Run


class Waiting:
    """Not safe by itself: whoever calls holds the lock of :class:`aecore.jobs.Jobs`.

    Those that come ``again``, having lost a worker or only to be measured, are ahead of the fair line. ``running`` is in
    each call the visitors of each run at work.
    """

    def __init__(self) -> None:
        self._line: list[Run] = []
        self._again: list[Run] = []
        self._served: dict[str, float] = {}  # when a visitor's last run began

    def __len__(self) -> int:
        return len(self._line) + len(self._again)

    def add(self, run: Run, again: bool = False) -> None:
        """At the end of the line, or ahead of it."""
        (self._again if again else self._line).append(run)

    def remove(self, run: Run) -> bool:
        """Take ``run`` out; False where it does not wait."""
        for line in (self._line, self._again):
            if run in line:
                line.remove(run)
                return True
        return False

    def forget(self, visitor: str) -> None:
        """``visitor`` has gone: when they were served last no longer counts."""
        self._served.pop(visitor, None)

    def next(self, running: Collection[Collection[str]]) -> Run | None:
        """Take out the run whose turn it is; where all who wait have one at work already, the first brief one."""
        if self._again:
            return self._again.pop(0)
        order = self._order(running)
        chosen = next((run for run in order if may_start(run.active, running)), next((run for run in order if run.brief), None))
        if chosen:
            self._line.remove(chosen)
            self._served.update(dict.fromkeys(chosen.active, time.monotonic()))
        return chosen

    def say_places(self, running: Collection[Collection[str]]) -> None:
        """Tell each run its place."""
        for place, run in enumerate([*self._again, *self._order(running)], start=1):
            run.queue(place)

    def _order(self, running: Collection[Collection[str]]) -> list[Run]:
        runs = {run.id: run for run in self._line}
        keys = order_of_service([(key, run.active) for key, run in runs.items()], running, self._served)
        return [runs[key] for key in keys]
