"""How quickly the job layer answers: first news, Stop, a lost worker, and what reporting costs a run.

    python benchmarks/jobs.py [--repeats 7] [--json]

Two workers on this machine, the default undercomplete model on the built-in digits. Medians of repeats.
"""

import argparse
import json
import os
import platform
import signal
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import distributed
import torch

from aecore.data import load
from aecore.jobs import Jobs, Order, View
from aecore.jobs.worker import learn
from aecore.models import build
from aecore.training import Plan, Training

SEED = 0
LONG = 500  # epochs


def order(seed: int, epochs: int = LONG) -> Order:
    return Order("undercomplete", {}, "digits", Plan(epochs=epochs, seed=seed))


def until(condition: Callable[[], object]) -> None:
    while not condition():
        time.sleep(0.0005)


def view(jobs: Jobs, run: str) -> View:
    found = jobs.look(run, "bench")
    assert found is not None
    return found


def first_event(jobs: Jobs, seed: int) -> float:
    """Seconds from ``submit`` to the run's first news, with an idle warm worker; the run is stopped then."""
    began = time.perf_counter()
    run = jobs.submit("bench", order(seed))
    until(lambda: view(jobs, run).started)
    taken = time.perf_counter() - began
    stop(jobs, run)
    return taken


def stop(jobs: Jobs, run: str) -> float:
    """Seconds from ``stop`` to status finished."""
    began = time.perf_counter()
    jobs.stop(run, "bench")
    until(lambda: view(jobs, run).status == "finished")
    return time.perf_counter() - began


def stop_latency(jobs: Jobs, seed: int) -> float:
    run = jobs.submit("bench", order(seed))
    until(lambda: view(jobs, run).reports)
    return stop(jobs, run)


def lost_worker(jobs: Jobs, seed: int) -> tuple[float, float, float]:
    """With a neighbour at work: seconds from SIGKILL until it is said, until the run goes on, until another visitor's run begins."""
    neighbour = jobs.submit("neighbour", order(seed + 1))
    run = jobs.submit("bench", order(seed))
    until(lambda: jobs._runs[run].checkpoint and view(jobs, neighbour).step)
    address = jobs._runs[run].worker
    pid = jobs._crew.client.run(os.getpid, workers=[address])[address]  # type: ignore[index]
    before = view(jobs, run).started
    began = time.perf_counter()
    os.kill(pid, signal.SIGKILL)
    until(lambda: view(jobs, run).notice)
    noticed = time.perf_counter() - began
    until(lambda: view(jobs, run).started is not before)
    again = time.perf_counter() - began
    stop(jobs, run)
    following = jobs.submit("next", order(seed + 2))
    began = time.perf_counter()
    until(lambda: view(jobs, following).started)
    after = time.perf_counter() - began
    for each, visitor in ((following, "next"), (neighbour, "neighbour")):
        jobs.stop(each, visitor)
        jobs.stop(each, "bench")
        until(lambda each=each: view(jobs, each).status == "finished")
    return noticed, again, after


def bare(wanted: Order, threads: int) -> tuple[float, float]:
    """In a worker: seconds, and processor seconds, of a run that reports nothing."""
    data = load(wanted.data)
    began, busy = time.perf_counter(), time.process_time()
    torch.set_num_threads(threads)
    for _ in Training(build(wanted.variant, data.shape, seed=wanted.plan.seed), data, wanted.plan).events():
        pass
    return time.perf_counter() - began, time.process_time() - busy


def reporting(wanted: Order, topic: str, threads: int) -> tuple[float, float]:
    """In a worker: the same of a run with all its news, as the job layer gets them."""
    learn(replace(wanted, plan=Plan(epochs=1)), "nobody", topic, threads, None, b"")  # the worker then has the pictures at hand
    began, busy = time.perf_counter(), time.process_time()
    learn(wanted, "nobody", topic, threads, None, b"")
    return time.perf_counter() - began, time.process_time() - busy


def slowdown(jobs: Jobs, repeats: int) -> float:
    """How much longer a run takes with its news than without, as a share; the two are run in turn."""
    wanted, threads, client = order(SEED, epochs=20), jobs._crew.cluster.threads, jobs._crew.client
    pairs = []
    for _ in range(repeats):
        without = client.submit(bare, wanted, threads, pure=False).result()
        with_news = client.submit(reporting, wanted, jobs._crew.topic, threads, pure=False).result()
        pairs.append((with_news[0] / without[0] - 1, with_news[1] / without[1] - 1))
    return statistics.median(each[0] for each in pairs), statistics.median(each[1] for each in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    options = parser.parse_args()
    began = time.perf_counter()
    jobs = Jobs(workers=2)
    opened = time.perf_counter() - began
    until(lambda: len(jobs._crew.threads()) == 2)
    ready = time.perf_counter() - began
    try:
        times = range(options.repeats)
        firsts = [first_event(jobs, 100 + i) for i in times]
        stops = [stop_latency(jobs, 200 + i) for i in times]
        kills = [lost_worker(jobs, 300 + 10 * i) for i in range(min(3, options.repeats))]
        slower, busier = slowdown(jobs, options.repeats)
        figures = {
            "opened_s": opened,
            "workers_ready_s": ready,
            "submit_to_first_event_s": statistics.median(firsts),
            "stop_to_finished_s": statistics.median(stops),
            "stop_to_finished_worst_s": max(stops),
            "sigkill_to_notice_s": statistics.median(each[0] for each in kills),
            "sigkill_to_run_goes_on_s": statistics.median(each[1] for each in kills),
            "next_run_begins_s": statistics.median(each[2] for each in kills),
            "slowdown_by_reporting": slower,
            "work_added_by_reporting": busier,
        }
    finally:
        jobs.close()
    machine = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "distributed": distributed.__version__,
        "seed": SEED,
        "repeats": options.repeats,
    }
    for name, value in {**machine, **figures}.items():
        shown = f"{value:.4f}" if isinstance(value, float) else value
        sys.stdout.write(f"{name:28} {shown}\n")
    if options.json:
        sys.stdout.write(json.dumps(machine | figures) + "\n")


if __name__ == "__main__":
    main()
