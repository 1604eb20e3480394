"""The workers as the job layer deals with them: all that is asked of Dask once a cluster is open."""

import logging
import threading
from collections.abc import Callable
from typing import cast
from uuid import uuid4

from distributed import Future, KilledWorker

from aecore.data import Images
from aecore.jobs import worker
from aecore.jobs.cluster import Cluster
from aecore.jobs.messages import Message
from aecore.jobs.orders import Order

logger = logging.getLogger(__name__)


class Crew:
    """Who is there, what they are given to do, and what they are told. A call may take as long as Dask does to answer.

    ``hear`` gets each message of a worker. ``done`` gets each attempt that Dask gives back: its token, whether its worker
    was lost, and the error if there was one. Both are called in Dask's threads.
    """

    def __init__(self, cluster: Cluster, hear: Callable[[Message], None], done: Callable[[str, bool, BaseException | None], None]) -> None:
        self.cluster = cluster
        self.client = cluster.client
        self.topic = f"aecore-{uuid4().hex}"
        self._done = done
        self._futures: dict[str, Future] = {}  # Dask forgets a task whose future nobody holds
        self._restarting: set[str] = set()
        self._reachable = True
        self.client.subscribe_topic(self.topic, lambda event: hear(event[1]))

    def threads(self) -> dict[str, int]:
        """Threads of each worker that may be given work, by address; none where the scheduler does not answer."""
        try:
            threads = cast(dict[str, int], self.client.nthreads())
        except Exception:
            if self._reachable:
                logger.warning("the scheduler does not answer", exc_info=True)
            self._reachable = False
            return {}
        self._reachable = True
        return {address: count for address, count in threads.items() if address not in self._restarting}

    def begin(self, address: str, token: str, order: Order, data: Images | None, checkpoint: bytes) -> None:
        """Give an attempt at a run to the worker at ``address``, or to another if it has just gone."""
        parcel = worker.wrap(data) if data else None
        task = (order, token, self.topic, self.cluster.threads, parcel, checkpoint)
        future = self.client.submit(worker.learn, *task, key=token, pure=False, workers=[address], allow_other_workers=True)
        self._futures[token] = future
        future.add_done_callback(lambda future: self._given_back(token, future))

    def stop(self, address: str, token: str) -> threading.Thread:
        """Raise the stop flag of an attempt, in a thread of its own: a sick worker may never answer."""
        return self._flag(worker.stop, address, token)

    def pause(self, address: str, token: str) -> threading.Thread:
        """Raise the pause flag of an attempt, likewise."""
        return self._flag(worker.pause, address, token)

    def _flag(self, raise_: Callable[[str], None], address: str, token: str) -> threading.Thread:
        def call() -> None:
            try:
                self.client.run(raise_, token, workers=[address], on_error="ignore")
            except Exception:
                logger.debug("no flag could be raised in %s", address, exc_info=True)

        return _begin(call, "aecore-flag")

    def restart(self, address: str, token: str) -> threading.Thread:
        """Replace the process of a worker that does not stop an attempt; until that is done it is given nothing."""

        def call() -> None:
            try:
                if future := self._futures.get(token):
                    future.cancel()  # or the scheduler would hand it to another worker
                self.client.restart_workers([address], timeout=30, raise_for_error=False)
            except Exception:
                logger.warning("worker %s could not be restarted", address, exc_info=True)
            finally:
                self._restarting.discard(address)

        self._restarting.add(address)
        return _begin(call, "aecore-restart")

    def _given_back(self, token: str, future: Future) -> None:
        error = cast(BaseException | None, future.exception()) if future.status == "error" else None
        self._futures.pop(token, None)
        self._done(token, future.status not in ("finished", "error") or isinstance(error, KilledWorker), error)


def _begin(call: Callable[[], None], name: str) -> threading.Thread:
    thread = threading.Thread(target=call, name=name, daemon=True)
    thread.start()
    return thread
