"""What runs inside a Dask worker: one training, which tells the web process how it goes and looks at its stop flag."""

import contextlib
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache

import numpy as np
import torch
from distributed import get_worker

from aecore.data import Images, load
from aecore.inspect import judge
from aecore.jobs.messages import Message, array, refusal
from aecore.jobs.orders import Order
from aecore.jobs.scenes import Scenes
from aecore.models import build
from aecore.refusal import Refused
from aecore.training import Event, Finished, Plan, Reported, Started, Stepped, Training

Parcel = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_NEWS = 0.1
SECONDS_BETWEEN_SNAPSHOTS = 0.25
SECONDS_BETWEEN_CHECKPOINTS = 2.0
SHARE_FOR_EACH = 0.02  # of a run's time, at most, goes into snapshots, and as much into checkpoints

_stopped: set[str] = set()
_paused: set[str] = set()


def dask_setup(worker: object) -> None:
    """Called by Dask where this module is a worker's preload: all that torch does once is done before the first run."""
    with contextlib.suppress(RuntimeError):  # raised where torch has begun to compute: then it stays as it is
        torch.set_num_interop_threads(1)
    pictures, labels = torch.zeros(16, 1, 8, 8, dtype=torch.uint8), torch.zeros(16, dtype=torch.int64)
    data = Images(pictures, labels, pictures, labels, ("none",))
    for _ in Training(build("undercomplete", data.shape, code=2), data, Plan(epochs=1, batch=8)).events():
        pass


def stop(token: str) -> None:
    """Raise the stop flag of an attempt at a run; called in the worker through ``Client.run``."""
    _stopped.add(token)


def pause(token: str) -> None:
    """Raise the pause flag of an attempt, which then ends with a checkpoint; called as :func:`stop` is."""
    _paused.add(token)


def wrap(data: Images) -> Parcel:
    """Pictures as arrays, which Dask sends without copying."""
    return data.train.numpy(), data.train_labels.numpy(), data.test.numpy(), data.test_labels.numpy(), data.classes


def unwrap(parcel: Parcel) -> Images:
    """What :func:`wrap` was given."""
    train, train_labels, test, test_labels = (torch.from_numpy(np.require(each, requirements="W")) for each in parcel[:4])
    return Images(train, train_labels, test, test_labels, parcel[4])


def learn(order: Order, token: str, topic: str, threads: int, parcel: Parcel | None, checkpoint: bytes) -> None:
    """Train to the end. All news, errors too, goes out as events on ``topic``, marked with ``token``.

    ``threads`` is how many torch may use; 0 leaves what the worker was started with.
    """
    worker = get_worker()

    def send(message: Message) -> None:
        worker.log_event(topic, message | {"token": token})

    try:
        if threads:
            torch.set_num_threads(threads)
            _step_back()
        data = unwrap(parcel) if parcel else _built_in(order.data)
        model = build(order.variant, data.shape, seed=order.plan.seed, **order.knobs)
        training = Training(model, data, order.plan, checkpoint=checkpoint)
        reporter = Reporter(training, Scenes(data, training.device), send, worker.address)
        for event in training.events():
            reporter.tell(event)
            if token in _stopped:
                training.stop()
            elif token in _paused and isinstance(event, Stepped):
                reporter.freeze(event.step)
                return
        send({"kind": "judged", "figures": _judged(training, data)})
    except Refused as error:
        send({"kind": "refused"} | refusal(error))
    except Exception:
        send({"kind": "broken", "traceback": traceback.format_exc()})
    finally:
        _stopped.discard(token)
        _paused.discard(token)


def _judged(training: Training, data: Images) -> dict[str, float]:
    """What the model is worth besides its loss; nothing where that cannot be told, since the run itself has ended well."""
    try:
        return judge(training.model, data)
    except Exception:
        logger.exception("a model could not be judged")
        return {}


def _step_back() -> None:
    """Let this thread learn only while nothing more urgent wants the processor, such as the pages served beside it."""
    if sys.platform == "linux":  # elsewhere priority belongs to the whole process, which must answer to Stop
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


class Reporter:
    """Turns a training's events into news, seldom enough that the training is not held up by it."""

    def __init__(self, training: Training, scenes: Scenes, send: Callable[[Message], None], address: str) -> None:
        self.training = training
        self.scenes = scenes
        self.send = send
        self.address = address
        self.reports: list[Message] = []
        self.new_best = False
        now = time.monotonic()
        self.next_news = now
        self.next_snapshot = now
        self.next_checkpoint = now + SECONDS_BETWEEN_CHECKPOINTS

    def tell(self, event: Event) -> None:
        """Pass on an event, now or with a later one."""
        match event:
            case Stepped():
                now = time.monotonic()
                if now >= self.next_news:
                    self._news(event.step)
                if now >= self.next_snapshot:
                    self._snapshot(event.step)
                if now >= self.next_checkpoint:
                    self._checkpoint(event.step)
            case Reported():
                self.reports.append(asdict(event))
                self.new_best |= event.best
                if time.monotonic() >= self.next_news - SECONDS_BETWEEN_NEWS / 2:
                    self._news(event.step)
            case Started():
                self.send({"kind": "started", "worker": self.address, "event": asdict(event), "originals": array(self.scenes.originals)})
            case Finished():
                self._news(event.step)
                scene = self.scenes.draw(self.training.model, event.step)
                weights = self.scenes.weights(self.training.model.state_dict())
                self.send({"kind": "finished", "event": asdict(event), "snapshot": scene, "weights": weights})

    def freeze(self, step: int) -> None:
        """Hand over the run as it stands, to be continued later."""
        self._snapshot(step)
        self._checkpoint(step)
        self.send({"kind": "paused"})

    def _news(self, step: int) -> None:
        self.send({"kind": "news", "step": step, "reports": self.reports})
        self.reports = []
        self.next_news = time.monotonic() + SECONDS_BETWEEN_NEWS

    def _snapshot(self, step: int) -> None:
        began = time.monotonic()
        self.send({"kind": "snapshot", "snapshot": self.scenes.draw(self.training.model, step)})
        self.next_snapshot = _after(began, SECONDS_BETWEEN_SNAPSHOTS)

    def _checkpoint(self, step: int) -> None:
        began = time.monotonic()
        self._news(step)  # a run that goes on from here will not give these reports again
        best = self.scenes.weights(self.training.progress.best) if self.new_best else b""
        self.new_best = False
        self.send({"kind": "checkpoint", "step": step, "checkpoint": self.training.checkpoint(), "weights": best})
        self.next_checkpoint = _after(began, SECONDS_BETWEEN_CHECKPOINTS)


def _after(began: float, interval: float) -> float:
    """When to do again what began at ``began`` and ends now: the dearer it was, the later."""
    now = time.monotonic()
    return now + max(interval, (now - began) / SHARE_FOR_EACH)


@lru_cache(maxsize=2)
def _built_in(name: str) -> Images:
    return load(name)
