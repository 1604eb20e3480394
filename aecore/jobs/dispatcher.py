"""The job layer itself: visitors order runs, a fair line decides who is next, and workers' news comes back."""

import logging
import threading
import time
from collections import Counter, OrderedDict

from aecore.data import Images
from aecore.jobs.cluster import open_local, open_remote
from aecore.jobs.crew import Crew
from aecore.jobs.messages import Message
from aecore.jobs.orders import Order
from aecore.jobs.runs import Run
from aecore.jobs.views import View
from aecore.jobs.waiting import Waiting
from aecore.refusal import Refused

logger = logging.getLogger(__name__)

MOST_KEPT = 200
MOST_BYTES_KEPT = 512 << 20
MOST_WAITING = 500
SECONDS_BETWEEN_ROUNDS = 0.25


class Jobs:
    """Runs for many visitors on one cluster. Every method may be called from any thread.

    ``address`` is a Dask scheduler's, such as "tcp://host:8786"; without one a cluster of ``workers`` processes, each with
    ``memory`` bytes, is started here. A visitor not seen for ``away`` seconds no longer counts as watching. A run that has
    not stopped ``deadline`` seconds after it was told to loses its worker.

    One lock guards all state and is never held across a call to Dask. Three kinds of threads meet at it: the callers',
    Dask's own, which brings news, and one of ours, which alone hands out work and keeps house.
    """

    def __init__(
        self,
        address: str | None = None,
        workers: int | None = None,
        memory: int | None = None,
        away: float = 120,
        deadline: float = 10,
    ) -> None:
        self._away = away
        self._deadline = deadline
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._runs: OrderedDict[str, Run] = OrderedDict()  # least recently seen first
        self._waiting = Waiting()
        self._tasks: dict[str, Run] = {}  # attempts, by token, that Dask has been given and has not given back
        self._seen: dict[str, float] = {}
        self._crew = Crew(open_remote(address) if address else open_local(workers, memory), self._hear, self._done)
        self._keeper = threading.Thread(target=self._keep, name="aecore-jobs", daemon=True)
        self._keeper.start()

    def submit(self, visitor: str, order: Order, data: Images | None = None) -> str:
        """Order a run, or join the one that is the same; returns its key, which is ``order.key``.

        ``data`` is needed where the workers do not have the pictures themselves. A run that failed, or was stopped, is run
        afresh. Refused where the order does not fit, or the line is too long.
        """
        key = order.key
        with self._lock:
            self._seen[visitor] = time.monotonic()
            run = self._runs.get(key)
            if run and self._worth_joining(run):
                self._join(run, visitor)
                self._resume(run)
                return key
        order.check(data)
        with self._lock:
            if self._closed:
                raise Refused("The lab is closing. Come back in a moment.")
            run = self._runs.get(key)
            if not run or not self._worth_joining(run):
                if len(self._waiting) >= MOST_WAITING:
                    raise Refused("{count} runs are waiting already. Come back in a while.", count=len(self._waiting))
                run = self._runs[key] = Run(order, None if order.built_in else data, version=run.view.version + 1 if run else 0)
                self._waiting.add(run)
            self._join(run, visitor)
            self._resume(run)
        return key

    def look(self, run: str, visitor: str | None = None) -> View | None:
        """The run as it stands, or None where there is none (any more). ``visitor`` counts as present and as watching."""
        with self._lock:
            if visitor is not None:
                self._seen[visitor] = time.monotonic()
            found = self._runs.get(run)
            if found is None:
                return None
            self._runs.move_to_end(run)
            if visitor is not None and visitor not in found.left:
                found.watch(visitor)
            return found.see()

    def touch(self, visitor: str) -> None:
        """``visitor`` is present."""
        with self._lock:
            self._seen[visitor] = time.monotonic()

    def stop(self, run: str, visitor: str) -> None:
        """``visitor`` no longer wants the run. It stops, or leaves the line, unless another who ordered it watches it still.

        A stopped run ends as "finished", reason "stopped", with what it learnt. One that never began is forgotten. Whoever
        leaves a run that others keep may go on looking at it.
        """
        with self._lock:
            self._seen[visitor] = time.monotonic()
            found = self._runs.get(run)
            if found is None or found.ended:
                return
            found.left.add(visitor)
            found.unwatch(visitor)
            if not found.active:
                self._end(found)
            self._say_places()
        self._wake.set()

    def pause(self, run: str, visitor: str) -> None:
        """The run makes room for others and keeps all it has learnt, until :meth:`resume`; only for the one visitor whose run it is."""
        with self._lock:
            self._seen[visitor] = time.monotonic()
            found = self._runs.get(run)
            if found is None or found.ended or found.paused or found.stop_asked or found.active != {visitor}:
                return
            if self._waiting.remove(found):
                found.pause()
                self._say_places()
            else:
                found.pause_asked = True
                self._crew.pause(found.worker, found.token)

    def resume(self, run: str, visitor: str) -> None:
        """A paused run of ``visitor`` goes back in line, and on from where it was."""
        with self._lock:
            self._seen[visitor] = time.monotonic()
            found = self._runs.get(run)
            if found is not None and visitor in found.owners:
                self._join(found, visitor)
                self._resume(found)

    def runs_of(self, visitor: str) -> tuple[str, ...]:
        """Ids of the runs that ``visitor`` ordered and that are still known, oldest first."""
        with self._lock:
            mine = [run for run in self._runs.values() if visitor in run.owners]
            return tuple(run.id for run in sorted(mine, key=lambda run: run.ordered))

    def close(self) -> None:
        """End all runs and the connection; the cluster too where it is ours."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._wake.set()
        self._keeper.join()
        for flag in [self._crew.stop(run.worker, token) for token, run in list(self._tasks.items())]:
            flag.join(timeout=1)
        self._crew.cluster.close()

    def _worth_joining(self, run: Run) -> bool:
        stopped = run.view.finished is not None and run.view.finished.reason == "stopped"
        return run.view.status != "failed" and not stopped and not run.stop_asked

    def _join(self, run: Run, visitor: str) -> None:
        run.owners[visitor] = None
        run.left.discard(visitor)
        run.watch(visitor)

    def _resume(self, run: Run) -> None:
        """Lock held. A paused run goes back in line; everybody is told their place."""
        if run.paused:
            run.resume()
            self._waiting.add(run)
        self._say_places()
        self._wake.set()

    def _end(self, run: Run) -> None:
        """Lock held. Forget a run that has learnt nothing, raise the flag of one at work; any other goes to a worker once more, to be measured."""
        if run.stop_asked:
            return
        idle = self._waiting.remove(run) or run.paused
        if idle and not run.checkpoint:
            del self._runs[run.id]
            return
        run.stop_asked = time.monotonic()
        if idle:
            run.resume()
            self._waiting.add(run, again=True)
        else:
            self._crew.stop(run.worker, run.token)

    def _hear(self, message: Message) -> None:
        """News from a worker, in Dask's thread."""
        with self._lock:
            run = self._tasks.get(message["token"])
            if run is None or (run.token != message["token"] and message["kind"] != "judged"):
                return
            run.take(message)
            if message["kind"] == "started" and run.stop_asked:
                self._crew.stop(run.worker, run.token)
            elif message["kind"] == "started" and run.pause_asked:
                self._crew.pause(run.worker, run.token)
            if run.ended or run.paused:
                self._trim()
        if message["kind"] == "broken":
            logger.error("run %s broke in its worker:\n%s", run.id, message["traceback"])

    def _done(self, token: str, lost: bool, error: BaseException | None) -> None:
        """An attempt has come back, in Dask's thread."""
        with self._lock:
            run = self._tasks.pop(token, None)
            if run is None or self._closed:
                return
            if run.token == token:  # else its end has been told already
                if not lost:
                    logger.error("run %s could not be computed", run.id, exc_info=error)
                    run.fail(Refused("This run could not be computed, and has ended. Try again, or change its settings."))
                elif run.lose():
                    self._waiting.add(run, again=True)
                self._trim()
            elif run.view.finished and run.view.judged is None:
                run.take({"kind": "judged", "figures": {}})
            self._say_places()
        self._wake.set()

    def _keep(self) -> None:
        while not self._closed:
            self._wake.wait(SECONDS_BETWEEN_ROUNDS)
            self._wake.clear()
            try:
                self._see_who_left()
                self._enforce_stops()
                while not self._closed and self._serve():
                    pass
            except Exception:
                logger.exception("the job layer's round failed")

    def _see_who_left(self) -> None:
        limit = time.monotonic() - self._away
        with self._lock:
            gone = [visitor for visitor, seen in self._seen.items() if seen < limit]
            for visitor in gone:
                del self._seen[visitor]
                self._waiting.forget(visitor)
            for run in list(self._runs.values()):
                for visitor in gone:
                    run.unwatch(visitor)
                if not run.ended and not run.paused and not run.watchers:
                    self._end(run)
            if gone:
                self._say_places()

    def _enforce_stops(self) -> None:
        """Restart the worker of each run that does not answer to its stop flag."""
        limit = time.monotonic() - self._deadline
        with self._lock:
            late = [(token, run) for token, run in self._tasks.items() if run.token == token and 0 < run.stop_asked < limit]
            for token, run in late:
                run.fail(Refused("This run did not answer to Stop and was ended by force. What is shown is what it had learnt until then."))
                self._crew.restart(run.worker, token)

    def _serve(self) -> bool:
        """Begin the next run; False where none can begin now."""
        if not self._waiting:
            return False
        threads = self._crew.threads()
        with self._lock:
            spare = Counter(threads)
            spare.subtract(run.worker for run in self._tasks.values())
            address = max(threads, key=lambda each: spare[each], default="")  # the idlest
            run = self._waiting.next(self._running()) if spare[address] > 0 else None
            if run is None:
                return False
            token = run.begin(address)
            self._tasks[token] = run
            self._say_places()
            data, checkpoint = run.data, run.checkpoint
        try:
            self._crew.begin(address, token, run.order, data, checkpoint)
        except Exception:
            logger.exception("run %s could not be handed to the cluster", run.id)
            with self._lock:
                self._tasks.pop(token, None)
                run.fail(Refused("This run could not be handed to the cluster. Try again in a moment."))
        return True

    def _running(self) -> list[frozenset[str]]:
        return [run.active for token, run in self._tasks.items() if run.token == token]

    def _say_places(self) -> None:
        """Lock held. Tell each waiting run its place."""
        self._waiting.say_places(self._running())

    def _trim(self) -> None:
        """Lock held. Forget the ended and paused runs that nobody has looked at for longest, down to the limits."""
        ended = [run for run in self._runs.values() if run.ended or run.paused]
        count, size = len(ended), sum(run.bytes for run in ended)
        for run in ended[:-1]:
            if count <= MOST_KEPT and size <= MOST_BYTES_KEPT:
                break
            count, size = count - 1, size - run.bytes
            del self._runs[run.id]
