"""A run as the web process remembers it: it takes in a worker's news and gives views."""

import time
from dataclasses import replace
from uuid import uuid4

from aecore.data import Images
from aecore.jobs.messages import Message, as_array, as_refusal
from aecore.jobs.orders import Order
from aecore.jobs.views import Snapshot, Status, View
from aecore.refusal import Refused
from aecore.training import Finished, Reported, Started

BYTES_OF_A_REPORT = 1_000  # as Python objects, roughly
MOST_SECONDS_BESIDE = 60


class Run:
    """Not safe by itself: whoever calls holds the lock of :class:`aecore.jobs.Jobs`.

    ``owners`` have ordered the run, ``watchers`` are looking on, ``left`` have stopped it for themselves. ``token``
    names the present attempt, so that news from an earlier one is told apart.
    """

    def __init__(self, order: Order, data: Images | None, version: int = 0) -> None:
        self.id = order.key
        self.order = order
        self.data = data
        self.owners: dict[str, None] = {}
        self.watchers: set[str] = set()
        self.left: set[str] = set()
        self.losses = 0
        self.checkpoint = b""
        self.worker = ""
        self.token = ""
        self.ordered = time.monotonic()
        self.stop_asked = 0.0  # when, on the monotonic clock; 0 for never
        self.pause_asked = False
        self.resting = False  # between a pause and the attempt that ends it
        self.reports: dict[int, Reported] = {}  # by step: one frozen just before a report gives it once more
        self.pace: tuple[float, int] | None = None
        self.view = View(self.id, order, "waiting", 0, None, 0, 0, (), None, None, None, None, b"", None, None, version, 0, None)

    @property
    def active(self) -> frozenset[str]:
        """The owners who still look on: those to whom this run counts as theirs."""
        return frozenset(each for each in self.owners if each in self.watchers)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.view.status in ("finished", "failed")

    @property
    def paused(self) -> bool:
        """Whether it rests until somebody resumes or stops it."""
        return self.view.status == "paused"

    @property
    def brief(self) -> bool:
        """Whether it may run beside another one of the same visitor, on a worker that nobody else waits for."""
        return self.order.plan.seconds <= MOST_SECONDS_BESIDE

    @property
    def bytes(self) -> int:
        """What keeping this run costs, roughly."""
        view = self.view
        arrays = [view.originals, *((view.snapshot.reconstructions, view.snapshot.codes) if view.snapshot else ())]
        return (
            len(view.weights)
            + len(self.checkpoint)
            + sum(each.nbytes for each in arrays if each is not None)
            + BYTES_OF_A_REPORT * len(view.reports)
        )

    def see(self) -> View:
        """The view, made anew only after a change."""
        if len(self.reports) != len(self.view.reports):
            self.view = replace(self.view, reports=tuple(self.reports.values()))
        return self.view

    def watch(self, visitor: str) -> None:
        """``visitor`` looks on, and keeps the run alive by it."""
        if visitor not in self.watchers:
            self.watchers.add(visitor)
            self._change(watchers=len(self.watchers))

    def unwatch(self, visitor: str) -> None:
        """``visitor`` has gone."""
        if visitor in self.watchers:
            self.watchers.discard(visitor)
            self._change(watchers=len(self.watchers))

    def queue(self, place: int) -> None:
        """Say the place in line."""
        if self.view.place != place:
            self._change(place=place)

    def begin(self, worker: str) -> str:
        """A new attempt, on ``worker``; returns its token."""
        self.token = f"{self.id}-{uuid4().hex[:8]}"
        self.worker = worker
        self.pace = None
        if self.stop_asked:
            self.stop_asked = time.monotonic()  # it waited for a worker only to be measured; the worker has its full time to answer
        self._change(status="running", place=0, seconds_left=None)
        return self.token

    def pause(self) -> None:
        """Rest, until somebody resumes or stops it."""
        self.token = ""
        self._change(status="paused", place=0, seconds_left=None, notice=None)

    def resume(self) -> None:
        """Wait for a worker again."""
        self.resting = True
        self.pause_asked = False
        self._change(status="waiting")

    def take(self, message: Message) -> None:
        """Take in news of the present attempt."""
        match message["kind"]:
            case "started":
                self._started(Started(**message["event"]), message)
            case "news":
                self.reports |= {each["step"]: Reported(**each) for each in message["reports"]}
                self._change(step=message["step"], seconds_left=self._seconds_left(message["step"]))
            case "snapshot":
                self._change(snapshot=_snapshot(message["snapshot"]))
            case "checkpoint":
                self.checkpoint = message["checkpoint"]
                self._change(weights=message["weights"] or self.view.weights)
            case "paused":
                self.pause()
            case "judged":
                self._change(judged=message["figures"])
            case "finished":
                finished = Finished(**message["event"])
                self._change(finished=finished, snapshot=_snapshot(message["snapshot"]), weights=message["weights"], step=finished.step)
                self._end("finished")
            case "refused":
                self.fail(as_refusal(message))
            case "broken":
                self.fail(Refused("Something went wrong while this run was learning, and it has ended. Try again, or change its settings."))

    def lose(self) -> bool:
        """The worker is gone. True where the run shall go on from its last checkpoint; else it has failed."""
        self.losses += 1
        self.token = ""
        self.resting = False
        if self.stop_asked:
            self.fail(Refused("This run's worker was lost while it was stopping. What is shown is what it had learnt until then."))
        elif self.losses > 1:
            self.fail(
                Refused("This run has lost its worker twice, perhaps for want of memory, and has ended. Try a smaller model or batch.")
            )
        else:
            notice = Refused(
                "The worker of this run was lost at step {step}. The run goes on from its last checkpoint.", step=self.view.step
            )
            self._change(status="waiting", notice=notice, seconds_left=None)
        return not self.ended

    def fail(self, error: Refused) -> None:
        """End with a sentence."""
        self._change(error=error)
        self._end("failed")

    def _started(self, started: Started, message: Message) -> None:
        # Also comes a second time within an attempt, where a foreign scheduler retries a lost task by itself.
        again = started.step > 0 or bool(self.reports) or self.view.step > 0
        self.worker = message["worker"]
        self.reports = {step: each for step, each in self.reports.items() if step <= started.step}
        self.pace = (time.monotonic(), started.step)
        notice = self.view.notice
        if again and not self.resting:
            notice = Refused("The worker of this run was lost. The run goes on from step {step}.", step=started.step)
        self.resting = False
        reports, originals = tuple(self.reports.values()), as_array(message["originals"])
        self._change(started=started, step=started.step, steps=started.steps, reports=reports, originals=originals, notice=notice)

    def _seconds_left(self, step: int) -> float | None:
        if self.pace is None or step <= self.pace[1]:
            return None
        began, first = self.pace
        return (time.monotonic() - began) / (step - first) * (self.view.steps - step)

    def _end(self, status: Status) -> None:
        self.token = ""
        self.data = None
        self.checkpoint = b""
        self._change(status=status, place=0, seconds_left=None)

    def _change(self, **parts: object) -> None:
        self.view = replace(self.view, version=self.view.version + 1, **parts)  # type: ignore[arg-type]


def _snapshot(message: Message) -> Snapshot:
    return Snapshot(message["step"], as_array(message["reconstructions"]), as_array(message["codes"]), as_array(message["labels"]))
