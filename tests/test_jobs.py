"""Runs on a real cluster of two workers: same numbers as in process, a fair line, Stop, lost workers, and what visitors are told."""

import os
import pickle
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import numpy as np
import pytest
import torch
from distributed import LocalCluster
from safetensors.torch import load as load_weights
from torch import Tensor

from aecore.data import DATASETS, Images, load
from aecore.jobs import Jobs, Order, View, cluster, dispatcher, worker
from aecore.jobs.line import may_start, order_of_service
from aecore.jobs.messages import Message, as_array
from aecore.jobs.runs import Run
from aecore.jobs.scenes import Scenes
from aecore.jobs.worker import Reporter, unwrap, wrap
from aecore.knobs import Value
from aecore.models import build
from aecore.refusal import Refused
from aecore.training import Finished, Plan, Reported, Training, choose_device

LONG = 500  # epochs
Losses = list[tuple[int, dict[str, float], dict[str, float]]]


@pytest.fixture(scope="module")
def jobs() -> Iterator[Jobs]:
    layer = Jobs(workers=2)
    yield layer
    layer.close()


@pytest.fixture(autouse=True)
def two_idle_workers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test finds both workers free and leaves nothing running."""
    if "jobs" not in request.fixturenames:
        yield
        return
    layer: Jobs = request.getfixturevalue("jobs")
    until(lambda: len(layer._crew.threads()) == 2, 60)
    yield
    for run in list(layer._runs.values()):
        for visitor in list(run.watchers):
            layer.stop(run.id, visitor)
    until(lambda: not layer._tasks, 30)


def until(condition: Callable[[], object], seconds: float) -> float:
    """Wait for ``condition``; seconds it took, or a failed test."""
    began = time.perf_counter()
    while not condition():
        assert time.perf_counter() - began < seconds, "waited too long"
        time.sleep(0.005)
    return time.perf_counter() - began


def order(seed: int = 0, epochs: int = 2, data: str = "digits", variant: str = "undercomplete", **knobs: Value) -> Order:
    return Order(variant, dict(knobs), data, Plan(epochs=epochs, seed=seed))


def view(jobs: Jobs, run: str) -> View:
    found = jobs.look(run)
    assert found is not None
    return found


def ended(jobs: Jobs, run: str, seconds: float = 60) -> View:
    until(lambda: view(jobs, run).status in ("finished", "failed"), seconds)
    return view(jobs, run)


def running(jobs: Jobs, run: str) -> View:
    """Wait until steps are made."""
    until(lambda: view(jobs, run).step > 0, 30)
    return view(jobs, run)


def losses(reports: tuple[Reported, ...]) -> Losses:
    return [(each.step, each.train, each.validation) for each in reports]


def in_process(wanted: Order, threads: int, data: Images | None = None) -> tuple[Losses, Finished, dict[str, Tensor]]:
    """What the same run gives without a job layer: its curve, its last event, and the weights it ends with."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        data = data or load(wanted.data)
        model = build(wanted.variant, data.shape, seed=wanted.plan.seed, **wanted.knobs)
        events = list(Training(model, data, wanted.plan).events())
    finally:
        torch.set_num_threads(before)
    last = events[-1]
    assert isinstance(last, Finished)
    return losses(tuple(each for each in events if isinstance(each, Reported))), last, model.state_dict()


def kill(jobs: Jobs, run: str) -> None:
    """SIGKILL the worker that a run is in."""
    address = jobs._runs[run].worker
    pids = jobs._crew.client.run(os.getpid, workers=[address])
    os.kill(pids[address], signal.SIGKILL)  # type: ignore[index]


def small_pictures(classes: int = 3) -> Images:
    rng = torch.Generator().manual_seed(1)
    train = torch.randint(0, 256, (60, 3, 8, 8), dtype=torch.uint8, generator=rng)
    test = torch.randint(0, 256, (5, 3, 8, 8), dtype=torch.uint8, generator=rng)
    return Images(train, torch.arange(60) % classes, test, torch.arange(5) % classes, tuple("abc"[:classes]))


class NoCluster:
    """Stands in for a Dask client that has two workers; the test says what they tell."""

    def nthreads(self) -> dict[str, int]:
        return {"one": 1, "two": 1}

    def subscribe_topic(self, topic: str, handler: Callable[[tuple[float, Message]], None]) -> None:
        self.handler = handler

    def submit(self, *task: object, **options: object) -> Future:
        return Future()

    def run(self, *call: object, **options: object) -> None:
        pass

    def close(self, timeout: float = 0) -> None:
        pass


def news(wanted: Order, data: Images, checkpoint: bytes = b"", token: str = "") -> list[Message]:
    """All that a worker tells of an attempt that it is left in peace with."""
    training = Training(build(wanted.variant, data.shape, seed=wanted.plan.seed, **wanted.knobs), data, wanted.plan, checkpoint=checkpoint)
    sent: list[Message] = []
    reporter = Reporter(training, Scenes(data, training.device), lambda message: sent.append(message | {"token": token}), "here")
    for event in training.events():
        reporter.tell(event)
    return sent


@pytest.fixture
def checkpoints_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, a checkpoint and a snapshot after each step."""
    monkeypatch.setattr(worker, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    monkeypatch.setattr(worker, "_after", lambda began, interval: began)


def test_a_refusal_survives_a_pickle() -> None:
    again = pickle.loads(pickle.dumps(Refused("{name} has {count}.", name="x", count=3)))
    assert (str(again), again.details) == ("x has 3.", {"name": "x", "count": 3})


def test_same_content_same_key() -> None:
    assert order().key == order(code=32).key == Order("undercomplete", {}, "digits", Plan(epochs=2, seed=0, batch=128)).key
    assert len({order().key, order(1).key, order(code=31).key, order(data="clothes").key, order(variant="convolutional").key}) == 5
    assert len(order().key) == 16 and int(order().key, 16) >= 0
    assert hash(order()) == hash(order())


@pytest.mark.parametrize(
    "wrong",
    [order(variant="none"), order(data="none"), order(data="own-1"), order(code=0), Order("undercomplete", {"no": 1}, "digits", Plan())],
)
def test_an_order_that_does_not_fit_is_refused_at_once(jobs: Jobs, wrong: Order) -> None:
    with pytest.raises(Refused):
        jobs.submit("ana", wrong)


def test_own_pictures_are_needed_with_the_order(jobs: Jobs) -> None:
    with pytest.raises(Refused, match="no longer here"):
        jobs.submit("ana", order(data="own-" + "0" * 64))


def test_pictures_come_out_as_they_were_packed() -> None:
    data = small_pictures()
    again = unwrap(pickle.loads(pickle.dumps(wrap(data), protocol=5)))
    assert torch.equal(again.train, data.train) and torch.equal(again.test_labels, data.test_labels) and again.classes == data.classes


def test_the_line_serves_every_visitor_in_turn() -> None:
    waiting = [("a1", {"ana"}), ("a2", {"ana"}), ("a3", {"ana"}), ("b1", {"bia"}), ("c1", {"caio"})]
    assert order_of_service(waiting, [], {}) == ["a1", "b1", "c1", "a2", "a3"]
    assert order_of_service(waiting, [{"ana"}], {}) == ["b1", "c1", "a1", "a2", "a3"]
    assert order_of_service(waiting, [], {"bia": 5.0, "caio": 3.0}) == ["a1", "c1", "b1", "a2", "a3"]
    assert order_of_service([("x", {"ana", "dora"}), ("b1", {"bia"})], [{"ana"}], {})[0] == "x"
    assert may_start({"bia"}, [{"ana"}]) and may_start((), [{"ana"}]) and not may_start({"ana"}, [{"ana"}])


@pytest.mark.usefixtures("checkpoints_all_the_time")
def test_wherever_a_run_is_cut_its_curve_is_the_uninterrupted_one() -> None:
    """The worker is lost after any of its messages; or a foreign scheduler tries the lost task again by itself, from its beginning."""
    data = small_pictures()
    wanted = Order("undercomplete", {"code": 2}, "own-" + "4" * 64, Plan(epochs=4, batch=16))
    reference, last, weights = in_process(wanted, torch.get_num_threads(), data)
    whole, once_more = news(wanted, data), news(wanted, data)
    for cut in range(len(whole)):
        for retried in (False, True):
            run = Run(wanted, data)
            run.begin("one")
            for message in whole[:cut]:
                run.take(message)
            run.see()
            if not retried:
                assert run.lose()
                run.begin("two")
            for message in once_more if retried else news(wanted, data, run.checkpoint):
                run.take(message)
            seen = run.see()
            assert losses(seen.reports) == reference
            assert seen.finished is not None and (seen.finished.step, seen.finished.best_step) == (last.step, last.best_step)
            assert all(torch.equal(value, weights[name]) for name, value in load_weights(seen.weights).items())


def test_a_second_start_within_an_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a foreign scheduler that tries a lost task again by itself makes us hear; it goes on elsewhere, from its beginning."""
    client = NoCluster()
    monkeypatch.setattr(dispatcher, "open_local", lambda workers, memory: cluster.Cluster(client, None, 1))  # type: ignore[arg-type]
    jobs = Jobs()
    try:
        data = small_pictures()
        wanted = Order("undercomplete", {"code": 2}, "own-" + "4" * 64, Plan(epochs=4, batch=16))
        run = jobs.submit("ana", wanted, data)
        until(lambda: jobs._tasks, 5)
        token = jobs._runs[run].token
        told = news(wanted, data, token=token)
        halfway = [message["kind"] for message in told].index("finished")
        for message in [*told[:halfway], told[0] | {"worker": "elsewhere"}]:
            client.handler((0.0, message))
        again = view(jobs, run)
        assert (again.status, again.step, again.reports) == ("running", 0, ()) and "goes on" in str(again.notice)
        assert jobs._runs[run].worker == "elsewhere" and jobs._runs[run].token == token
        for message in told[1:]:
            client.handler((0.0, message))
        assert losses(ended(jobs, run).reports) == in_process(wanted, torch.get_num_threads(), data)[0]
        version = view(jobs, run).version
        client.handler((0.0, told[0]))  # too late to matter
        assert view(jobs, run).version == version
    finally:
        jobs.close()


@pytest.mark.parametrize("size", [torch.nan, torch.inf, 1e30])
def test_a_model_gone_wild_can_still_be_drawn(size: float) -> None:
    data = small_pictures()
    model = build("undercomplete", data.shape, code=4)
    scenes = Scenes(data, torch.device("cpu"))
    scenes.draw(model, 1)
    with torch.no_grad():
        next(model.parameters()).mul_(size)
    assert as_array(scenes.draw(model, 2)["codes"]).shape == (5, 2)


def test_a_run_gives_the_numbers_of_one_in_process(jobs: Jobs) -> None:
    """And the same beside another run; another seed gives others."""
    reference, last, _ = in_process(order(), jobs._crew.cluster.threads)
    first = jobs.submit("ana", order())
    beside = jobs.submit("bia", order(seed=1))
    mine, other = ended(jobs, first), ended(jobs, beside)
    assert losses(mine.reports) == reference
    assert losses(other.reports) != reference
    assert mine.finished is not None and (mine.finished.test, mine.finished.train) == (last.test, last.train)
    assert mine.started is not None and mine.started.threads == jobs._crew.cluster.threads
    assert (mine.step, mine.steps, mine.place, mine.error, mine.notice) == (last.step, last.step, 0, None, None)


def test_a_view_shows_the_same_pictures_and_points(jobs: Jobs) -> None:
    seen = ended(jobs, jobs.submit("ana", order()))
    data = load("digits")
    assert seen.originals is not None and seen.snapshot is not None
    assert seen.originals.shape == seen.snapshot.reconstructions.shape == (8, *data.shape)
    assert seen.snapshot.reconstructions.dtype == np.uint8
    assert seen.snapshot.codes.shape == (300, 2) and seen.snapshot.codes.dtype == np.float32
    assert seen.snapshot.labels.shape == (300,) and seen.snapshot.labels.dtype == np.int64
    model = build("undercomplete", data.shape)
    model.load_state_dict(load_weights(seen.weights))
    output = model(torch.from_numpy(seen.originals.copy()).float() / 255)
    assert np.abs(output.detach().numpy() * 255 - seen.snapshot.reconstructions).max() <= 1


def test_the_same_order_is_one_run(jobs: Jobs) -> None:
    wanted = order(seed=2, epochs=LONG)
    run = jobs.submit("ana", wanted)
    running(jobs, run)
    assert jobs.submit("bia", Order("undercomplete", {"code": 32}, "digits", wanted.plan)) == run
    assert len(jobs._tasks) == 1 and view(jobs, run).watchers == 2
    assert run in jobs.runs_of("ana") and run in jobs.runs_of("bia") and run not in jobs.runs_of("caio")
    jobs.stop(run, "ana")  # leaves; the run goes on for the other
    step = running(jobs, run).step
    assert jobs.look(run, "ana") is not None and view(jobs, run).watchers == 1
    until(lambda: view(jobs, run).step > step, 5)
    jobs.stop(run, "bia")
    stopped = ended(jobs, run)
    assert stopped.finished is not None and stopped.finished.reason == "stopped" and stopped.weights
    assert jobs.submit("ana", wanted) == run  # a stopped one is run afresh, and its version goes on growing
    assert view(jobs, run).version > stopped.version and view(jobs, run).finished is None


def test_a_finished_run_is_given_back_at_once(jobs: Jobs) -> None:
    run = jobs.submit("ana", order(seed=3, epochs=1))
    done = ended(jobs, run)
    assert jobs.submit("bia", order(seed=3, epochs=1)) == run
    assert view(jobs, run).finished is done.finished


def test_places_and_fairness(jobs: Jobs) -> None:
    mine = [jobs.submit("ana", order(seed=10 + i, epochs=LONG)) for i in range(3)]
    running(jobs, mine[0])
    assert [view(jobs, run).place for run in mine] == [0, 1, 2]  # a worker is free, but one runs for ana already
    bia = jobs.submit("bia", order(seed=20, epochs=LONG))
    running(jobs, bia)
    caio = jobs.submit("caio", order(seed=30, epochs=LONG))
    assert view(jobs, caio).place == 1 and [view(jobs, run).place for run in mine] == [0, 2, 3]
    assert view(jobs, caio).status == "waiting"
    jobs.stop(mine[1], "ana")  # a run that waits leaves the line and is forgotten
    assert jobs.look(mine[1]) is None and view(jobs, mine[2]).place == 2
    jobs.stop(mine[0], "ana")
    running(jobs, caio)
    assert view(jobs, mine[2]).place == 1
    jobs.stop(caio, "caio")
    running(jobs, mine[2])


def test_stop_is_quick_and_keeps_what_was_learnt(jobs: Jobs) -> None:
    taken = []
    for seed in range(5):
        run = jobs.submit("ana", order(seed=40 + seed, epochs=LONG))
        until(lambda run=run: view(jobs, run).reports, 30)
        began = time.perf_counter()
        jobs.stop(run, "ana")
        until(lambda run=run: view(jobs, run).status == "finished", 10)
        taken.append(time.perf_counter() - began)
        done = view(jobs, run)
        assert done.finished is not None and done.finished.reason == "stopped" and done.finished.step < done.steps
        assert set(load_weights(done.weights)) == set(build("undercomplete", (1, 28, 28)).state_dict())
    assert statistics.median(taken) < 0.5  # benchmarks/jobs.py measures it; a busy machine must not fail the test


def test_a_look_costs_nothing(jobs: Jobs) -> None:
    run = jobs.submit("ana", order())
    ended(jobs, run)
    began = time.perf_counter()
    for _ in range(1000):
        jobs.look(run, "ana")
    assert (time.perf_counter() - began) / 1000 < 1e-3
    assert jobs.look(run) is jobs.look(run)


def test_own_pictures_travel_to_the_worker(jobs: Jobs) -> None:
    data = small_pictures()
    done = ended(jobs, jobs.submit("ana", order(data="own-" + "1" * 64, variant="convolutional", epochs=3, code=2), data))
    assert done.error is None and done.originals is not None and done.snapshot is not None
    assert done.originals.shape == (5, 3, 8, 8) and done.snapshot.codes.shape == (5, 2)
    assert not jobs._runs[done.id].data  # nothing of a visitor's is kept longer than needed


def test_an_error_in_a_worker_becomes_a_sentence(jobs: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    data = small_pictures()
    broken = Images(data.train[:1], data.train_labels[:1], data.test, data.test_labels, data.classes)  # nothing left to learn from
    done = ended(jobs, jobs.submit("ana", order(data="own-" + "3" * 64), broken))
    assert done.status == "failed" and isinstance(done.error, Refused) and "Traceback" not in str(done.error)
    assert "Traceback" in caplog.text
    again = jobs.submit("ana", order(data="own-" + "3" * 64), data)  # a failed run is run afresh
    assert ended(jobs, again).status == "finished"


def test_a_killed_worker(jobs: Jobs) -> None:
    """Noticed at once; the neighbour keeps its numbers; the run goes on from its checkpoint and to the numbers it would have had."""
    wanted, neighbour = order(seed=50, epochs=20), order(seed=51, epochs=15)
    jobs._crew.client.run(setattr, worker, "SECONDS_BETWEEN_CHECKPOINTS", 0.3)
    run = jobs.submit("ana", wanted)
    beside = jobs.submit("bia", neighbour)
    until(lambda: jobs._runs[run].checkpoint, 30)
    before = view(jobs, run)
    kill(jobs, run)
    assert until(lambda: view(jobs, run).notice, 10) < 2
    assert until(lambda: view(jobs, run).status == "running" and view(jobs, run).started is not before.started, 30) < 10
    went_on = view(jobs, run)
    assert went_on.started is not None and went_on.started.step > 0 and "goes on" in str(went_on.notice)
    for each, mine in ((neighbour, beside), (wanted, run)):
        done = ended(jobs, mine, 120)
        reference, last, _ = in_process(each, jobs._crew.cluster.threads)
        assert losses(done.reports) == reference
        assert done.finished is not None and (done.finished.reason, done.finished.test) == ("complete", last.test)


def test_a_run_that_diverges_keeps_its_best_weights(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    learn = Training._learn

    def spoilt(self: Training, rows: Tensor) -> dict[str, Tensor]:
        """A weight becomes no number: Adam comes back from all that the knobs allow."""
        if self.plan.rate == 0.1 and self.progress.step == 20:
            next(self.model.parameters()).data.fill_(torch.nan)
        return learn(self, rows)

    data = small_pictures()
    wanted = Order("undercomplete", {"loss": "mse"}, "own-" + "5" * 64, Plan(epochs=40, rate=0.1))
    jobs._crew.client.run(setattr, Training, "_learn", spoilt)
    done = ended(jobs, jobs.submit("ana", wanted, data))
    monkeypatch.setattr(Training, "_learn", spoilt)
    reference, last, weights = in_process(wanted, jobs._crew.cluster.threads, data)
    assert done.status == "finished" and done.finished is not None
    assert (done.finished.reason, done.finished.step, done.finished.best_step) == ("diverged", 21, last.best_step)
    assert losses(done.reports[:-1]) == reference[:-1] and len(done.reports) == len(reference) == 21
    assert np.isnan(done.reports[-1].train["reconstruction"]) and np.isfinite(done.finished.test["mse"])
    kept = load_weights(done.weights)
    assert all(value.isfinite().all() and torch.equal(value, weights[name]) for name, value in kept.items())


@pytest.mark.skipif(choose_device().type != "cpu", reason="the limit is on the machine's memory, not the card's")
def test_a_run_that_takes_too_much_memory_ends_with_a_sentence_and_the_next_begins() -> None:
    jobs = Jobs(workers=1, memory=800 << 20)
    try:
        greedy = Order("convolutional", {"channels": 64, "depth": 1}, "digits", Plan(epochs=1, batch=2048))
        lost = ended(jobs, jobs.submit("ana", greedy))
        assert lost.status == "failed" and "memory" in str(lost.error) and jobs._runs[lost.id].losses == 2
        modest = order(data="own-" + "6" * 64, code=2)
        assert ended(jobs, jobs.submit("bia", modest, small_pictures())).status == "finished"
    finally:
        jobs.close()


def test_a_second_loss_ends_a_run_with_a_sentence_and_the_next_begins(jobs: Jobs) -> None:
    run = jobs.submit("ana", order(seed=60, epochs=LONG))
    running(jobs, run)
    kill(jobs, run)
    until(lambda: view(jobs, run).notice, 10)
    until(lambda: view(jobs, run).started and view(jobs, run).status == "running" and jobs._runs[run].pace, 30)
    kill(jobs, run)
    lost = ended(jobs, run, 10)
    assert lost.status == "failed" and "twice" in str(lost.error)
    following = jobs.submit("bia", order(seed=61, epochs=1))
    assert until(lambda: view(jobs, following).started, 30) < 10
    assert ended(jobs, following).status == "finished"


def test_visitors_who_left_and_a_scheduler_elsewhere() -> None:
    """Connected by address; a run with no visitor ends by itself, and one that ignores Stop loses its worker."""
    elsewhere = LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0")
    jobs = Jobs(elsewhere.scheduler_address, away=1.5, deadline=1)
    try:
        run = jobs.submit("ana", order(seed=70, epochs=LONG))
        waiting = jobs.submit("bia", order(seed=71, epochs=LONG))
        until(lambda: jobs.look(run, "ana").step, 30)  # type: ignore[union-attr]
        until(lambda: jobs.look(waiting) is None, 5)
        done = ended(jobs, run, 10)
        assert done.finished is not None and done.finished.reason == "stopped" and done.watchers == 0

        deaf = jobs.submit("ana", order(seed=72, epochs=LONG))
        until(lambda: jobs.look(deaf, "ana").step, 30)  # type: ignore[union-attr]
        pid = next(iter(jobs._crew.client.run(os.getpid).values()))  # type: ignore[union-attr]
        os.kill(pid, signal.SIGSTOP)
        jobs.stop(deaf, "ana")
        assert "by force" in str(ended(jobs, deaf, 10).error)
        until(lambda: pid not in jobs._crew.client.run(os.getpid, on_error="ignore").values(), 30)  # type: ignore[union-attr]
    finally:
        jobs.close()
        elsewhere.close()


def test_no_scheduler_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "SECONDS_TO_CONNECT", 1)
    with pytest.raises(Refused, match="No Dask scheduler"):
        Jobs("tcp://127.0.0.1:9")


def test_built_in_pictures_are_not_sent() -> None:
    assert order().built_in and DATASETS["digits"].built_in and not order(data="own-" + "0" * 64).built_in


def test_a_paused_run_gives_its_worker_away_and_goes_on_to_the_same_numbers(jobs: Jobs) -> None:
    wanted = order(seed=70, epochs=20)
    run = jobs.submit("ana", wanted)
    until(lambda: view(jobs, run).reports, 30)
    jobs.pause(run, "ana")
    assert until(lambda: view(jobs, run).status == "paused", 5) < 2
    rested = view(jobs, run)
    assert 0 < rested.step < rested.steps and rested.reports and rested.notice is None
    until(lambda: not jobs._tasks, 5)
    another = jobs.submit("ana", order(seed=71))
    assert ended(jobs, another).status == "finished", "a paused run is not counted as running"
    jobs.resume(run, "bia")
    assert view(jobs, run).status == "paused", "it is not hers"
    jobs.resume(run, "ana")
    last = ended(jobs, run)
    assert last.notice is None
    reference, finished, weights = in_process(wanted, jobs._crew.cluster.threads)
    assert losses(last.reports) == reference
    assert last.finished is not None and last.finished.test == finished.test
    assert all(torch.equal(value, weights[name]) for name, value in load_weights(last.weights).items())


def test_a_paused_run_can_be_stopped_and_is_measured_then(jobs: Jobs) -> None:
    run = jobs.submit("ana", order(seed=72, epochs=LONG))
    running(jobs, run)
    jobs.pause(run, "ana")
    until(lambda: view(jobs, run).status == "paused", 5)
    step = view(jobs, run).step
    jobs.stop(run, "ana")
    last = ended(jobs, run, 10)
    assert last.finished is not None and last.finished.reason == "stopped" and step <= last.finished.step <= step + 200


def test_pausing_what_waits_and_what_others_watch(jobs: Jobs) -> None:
    first = jobs.submit("ana", order(seed=73, epochs=LONG))
    second = jobs.submit("ana", order(seed=74, epochs=LONG))
    jobs.pause(second, "ana")
    assert view(jobs, second).status == "paused"
    jobs.submit("ana", order(seed=74, epochs=LONG))
    assert view(jobs, second).status == "waiting", "ordered again, it goes back in line"
    jobs.pause(second, "ana")
    jobs.stop(second, "ana")
    assert jobs.look(second) is None, "it had learnt nothing"
    running(jobs, first)
    jobs.submit("bia", order(seed=73, epochs=LONG))
    jobs.pause(first, "ana")
    time.sleep(0.5)
    assert view(jobs, first).status == "running"
    jobs.stop(first, "ana")
    jobs.stop(first, "bia")


def test_brief_runs_of_one_visitor_use_idle_workers_but_stand_back_for_others(jobs: Jobs) -> None:
    def brief(seed: int) -> Order:
        return Order("undercomplete", {}, "digits", Plan(epochs=LONG, seconds=60, seed=seed))

    mine = [jobs.submit("ana", brief(75 + i)) for i in range(3)]
    running(jobs, mine[0])
    running(jobs, mine[1])
    bia = jobs.submit("bia", order(seed=80))
    assert view(jobs, bia).place == 1
    jobs.stop(mine[0], "ana")
    assert ended(jobs, bia).status == "finished"
    running(jobs, mine[2])


def test_a_finished_model_is_judged(jobs: Jobs) -> None:
    run = jobs.submit("ana", order(seed=81))
    ended(jobs, run)
    until(lambda: view(jobs, run).judged is not None, 20)
    judged = view(jobs, run).judged
    assert judged is not None
    assert judged["probe_accuracy"] > 0.5 and judged["identity_gap"] > 3 and judged["active_values"] == 32
