"""Short work in line: progress, cancelling, refusals, and what becomes of results."""

import logging
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from aecore.jobs import errands
from aecore.jobs.errands import Cancelled, Errand, Errands, Report
from aecore.refusal import Refused


@pytest.fixture
def line() -> Iterator[Errands]:
    layer = Errands()
    yield layer
    layer.close()


def until(line: Errands, visitor: str, status: str) -> Errand:
    for _ in range(2000):
        if (found := line.look(visitor)) and found.status == status:
            return found
        time.sleep(0.002)
    raise AssertionError(f"never {status}: {line.look(visitor)}")


def endless(progress: Callable[[float], None], stopped: Callable[[], bool]) -> None:
    progress(0.25)
    while not stopped():
        time.sleep(0.002)
    raise Cancelled


def test_a_result_comes_back_and_progress_is_told(line: Errands) -> None:
    gate = threading.Event()

    def work(progress: Callable[[float], None], stopped: Callable[[], bool]) -> int:
        progress(0.5)
        gate.wait(5)
        return 7

    assert line.look("ana") is None
    line.submit("ana", work)
    while not (found := line.look("ana")) or found.done != 0.5:
        time.sleep(0.002)
    gate.set()
    assert until(line, "ana", "done").result == 7


def test_a_glimpse_stays_until_the_next_and_goes_at_the_end(line: Errands) -> None:
    gates = [threading.Event(), threading.Event()]

    def work(report: Report, stopped: Callable[[], bool]) -> str:
        report(0.25, "a first look")
        report(0.5)
        gates[0].wait(5)
        report(0.75, "a second look")
        gates[1].wait(5)
        return "whole"

    line.submit("ana", work)
    for done, glimpse, gate in zip((0.5, 0.75), ("a first look", "a second look"), gates, strict=True):
        while not (found := line.look("ana")) or found.done != done:
            time.sleep(0.002)
        assert found.glimpse == glimpse
        gate.set()
    ended = until(line, "ana", "done")
    assert (ended.result, ended.glimpse) == ("whole", None)


def test_the_next_waits_and_a_cancelled_one_makes_room(line: Errands) -> None:
    line.submit("ana", endless)
    until(line, "ana", "running")
    line.submit("bia", lambda progress, stopped: "b")
    line.submit("caio", lambda progress, stopped: "c")
    places = [found.place for name in ("bia", "caio") if (found := line.look(name))]
    assert places == [1, 2]
    began = time.perf_counter()
    line.cancel("ana")
    assert until(line, "bia", "done").result == "b"
    assert time.perf_counter() - began < 1
    found = line.look("ana")
    assert found and found.status == "cancelled"


def test_a_new_errand_takes_the_place_of_the_old_one(line: Errands) -> None:
    line.submit("ana", endless)
    until(line, "ana", "running")
    line.submit("ana", lambda progress, stopped: "second")
    assert until(line, "ana", "done").result == "second"


def test_a_refusal_is_kept_and_a_fault_becomes_a_sentence(line: Errands, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(*_: object) -> None:
        raise Refused("Not a picture.")

    line.submit("ana", refuse)
    assert str(until(line, "ana", "failed").error) == "Not a picture."
    with caplog.at_level(logging.CRITICAL):
        line.submit("bia", lambda progress, stopped: 1 / 0)
        assert "went wrong" in str(until(line, "bia", "failed").error)


def test_results_are_forgotten_oldest_first(line: Errands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "MOST_KEPT", 2)
    for name in ("ana", "bia", "caio", "dora"):
        line.submit(name, lambda progress, stopped: 1)
        until(line, name, "done")
    assert line.look("ana") is None
    assert line.look("dora") is not None


def test_large_results_are_forgotten_sooner(line: Errands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "MOST_BYTES_KEPT", 1000)
    for name in ("ana", "bia"):
        line.submit(name, lambda progress, stopped: np.zeros(900, np.uint8))
        until(line, name, "done")
    time.sleep(0.05)
    assert line.look("ana") is None
    assert line.look("bia") is not None


def test_a_full_line_is_refused(line: Errands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "MOST_WAITING", 1)
    line.submit("ana", endless)
    until(line, "ana", "running")
    line.submit("bia", endless)
    with pytest.raises(Refused, match="waiting already"):
        line.submit("caio", endless)
    line.cancel("bia")
    line.cancel("ana")


def test_work_that_gives_up_by_itself_counts_as_cancelled(line: Errands) -> None:
    def work(report: Report, stopped: Callable[[], bool]) -> None:
        report(0.5, "half")
        raise Cancelled

    line.submit("a", work)
    assert until(line, "a", "cancelled").glimpse is None
