"""The training loop: its events, its ends, its checkpoints, and that its numbers come from the seed alone."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

import aecore
from aecore.data import Images
from aecore.models import Autoencoder
from aecore.training import Event, Finished, Plan, Reported, Started, Stepped, Training, loop, measure
from tests.synthetic import blobs

CPU = torch.device("cpu")
DATA = blobs(train=240, test=40)  # 216 learnt from, 24 held out
PLAN = Plan(epochs=6, batch=32, rate=5e-3)  # 6 steps an epoch


def fresh(seed: int = 0) -> Autoencoder:
    return aecore.build("undercomplete", DATA.shape, seed=seed, code=3, loss="mse")


def start(plan: Plan = PLAN, data: Images = DATA, checkpoint: bytes = b"", seed: int = 0) -> Training:
    return Training(fresh(seed), data, plan, device=CPU, checkpoint=checkpoint)


def reports(events: list[Event]) -> list[Reported]:
    return [event for event in events if isinstance(event, Reported)]


def numbers(event: Event) -> Event:
    """The event without what a clock decides."""
    if isinstance(event, Reported):
        return replace(event, seconds=0.0, images_per_second=0.0)
    return replace(event, seconds=0.0) if isinstance(event, Finished) else event


def last(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished)
    return events[-1]


def validation_loss(training: Training) -> float:
    """Computed apart from the loop's own arithmetic."""
    x = training.validation.float() / 255
    with torch.no_grad():
        return (training.model.decoder(training.model.encoder(x)) - x).square().mean().item()


def test_events_come_in_order_and_count_every_step() -> None:
    training = start()
    events = list(training.events())
    first, *middle, end = events
    assert first == Started("cpu", torch.get_num_threads(), training.model.parameter_count(), 216, 0, 36)
    assert [event.step for event in middle if isinstance(event, Stepped)] == list(range(1, 37))
    assert [event.step for event in reports(events)] == [6, 12, 18, 24, 30, 36]
    assert [event.epoch for event in reports(events)] == [1, 2, 3, 4, 5, 6]
    assert all(
        isinstance(before, Stepped) and before.step == after.step for before, after in pairwise(middle) if isinstance(after, Reported)
    )
    assert isinstance(end, Finished)
    assert (end.reason, end.step) == ("complete", 36)
    assert all(each.images_per_second > 0 for each in reports(events))
    seconds = [each.seconds for each in reports(events)]
    assert seconds == sorted(seconds) and seconds[0] > 0 and seconds[-1] == end.seconds


def test_long_epochs_are_reported_on_several_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "MOST_STEPS_BETWEEN_REPORTS", 4)
    assert [event.step for event in reports(list(start(replace(PLAN, epochs=2)).events()))] == [3, 6, 9, 12]


def test_a_reported_loss_is_the_mean_of_its_steps_and_validation_that_of_pictures_held_out() -> None:
    training = start()
    learn, each = training._learn, []

    def watched(rows: torch.Tensor) -> dict[str, torch.Tensor]:
        terms = learn(rows)
        each.append(terms["reconstruction"].item())
        return terms

    training._learn = watched  # type: ignore[method-assign]
    for event in training.events():
        if isinstance(event, Reported):
            assert event.train["reconstruction"] == pytest.approx(sum(each) / len(each), rel=1e-5)
            assert event.validation["reconstruction"] == pytest.approx(validation_loss(training), rel=1e-5)
            each.clear()


def rows_of(pictures: torch.Tensor) -> set[bytes]:
    return {bytes(picture.flatten().tolist()) for picture in pictures}


def test_held_out_learnt_and_test_pictures_never_meet() -> None:
    training = start()
    learnt, held, test = rows_of(training.pictures), rows_of(training.validation), rows_of(training.test)
    assert len(training.validation) == 24
    assert learnt | held == rows_of(DATA.train)
    assert not learnt & held
    assert not (learnt | held) & test
    assert held != rows_of(start(replace(PLAN, seed=1)).validation)


def test_train_on_test_adds_the_test_pictures_to_those_learnt_from() -> None:
    training = start(replace(PLAN, train_on_test=True))
    pool = rows_of(training.pictures) | rows_of(training.validation)
    assert pool == rows_of(DATA.train) | rows_of(DATA.test)
    started = next(training.events())
    assert isinstance(started, Started) and started.images == 280 - 28
    assert torch.equal(training.test, DATA.test)


def test_every_epoch_shows_each_picture_once_in_a_new_order() -> None:
    training = start(replace(PLAN, batch=24, epochs=2))  # 9 steps an epoch and none left over
    learn, rows = training._learn, []
    training._learn = lambda chosen: (rows.append(chosen), learn(chosen))[1]  # type: ignore[method-assign,func-returns-value]
    list(training.events())
    first, second = torch.cat(rows[:9]), torch.cat(rows[9:])
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(216))
    assert first.tolist() != second.tolist()


def test_learning_lowers_the_loss_and_finished_measures_the_model_left_behind() -> None:
    training = start(replace(PLAN, epochs=20, rate=2e-2))
    events = list(training.events())
    assert reports(events)[-1].validation["reconstruction"] < 0.2 * reports(events)[0].validation["reconstruction"]
    x = DATA.test.float() / 255
    y = training.model(x).detach()
    error = (y - x).square().mean().item()
    assert last(events).test["mse"] == pytest.approx(error, rel=1e-5)
    assert last(events).test["psnr"] == pytest.approx(-10 * math.log10(error), rel=1e-5)
    y = y.clamp(1 / 510, 1 - 1 / 510)  # under MSE a pixel may be exactly black: see measure
    entropy = -(x * y.log() + (1 - x) * (1 - y).log()).mean().item()
    assert last(events).test["cross_entropy"] == pytest.approx(entropy, rel=1e-4)
    assert last(events).train == pytest.approx(measure(training.model, training.pictures))


def test_same_seed_same_events_and_another_seed_others() -> None:
    first = list(map(numbers, start().events()))
    between = start(replace(PLAN, seed=9)).events()  # a run going on beside changes nothing
    mixed = []
    for event in start().events():
        next(between, None)
        torch.rand(3)
        mixed.append(numbers(event))
    assert mixed == first
    other = list(map(numbers, start(replace(PLAN, seed=1)).events()))
    assert reports(other)[0].validation != reports(first)[0].validation


@pytest.mark.parametrize("at", [1, 5, 6, 7, 15, 18, 35, 36], ids=lambda at: f"step-{at}")
def test_a_resumed_run_gives_the_numbers_of_one_never_interrupted(at: int) -> None:
    plan = replace(PLAN, patience=3, rate=3e-2)
    whole_run = start(plan)
    whole = list(map(numbers, whole_run.events()))
    interrupted = start(plan)
    before = []
    for event in interrupted.events():
        before.append(numbers(event))
        if event == Stepped(at):
            break
    else:
        pytest.skip("the run ended before")
    resumed = start(plan, checkpoint=interrupted.checkpoint(), seed=5)  # other first weights: all must come from the checkpoint
    started, *after = map(numbers, resumed.events())
    assert isinstance(started, Started) and started.step == at
    assert before + after == whole
    assert all(torch.equal(a, b) for a, b in zip(resumed.model.parameters(), whole_run.model.parameters(), strict=True))


def test_a_checkpoint_taken_at_a_report_continues_too() -> None:
    whole = list(map(numbers, start().events()))
    interrupted = start()
    events: Iterator[Event] = interrupted.events()
    taken = 0
    for event in events:
        taken += 1
        if isinstance(event, Reported) and event.step == 12:
            break
    after = list(map(numbers, start(checkpoint=interrupted.checkpoint(), seed=5).events()))
    assert after[1:] == whole[taken:]


def test_time_spent_is_kept_in_a_checkpoint() -> None:
    interrupted = start()
    for event in interrupted.events():
        if event == Stepped(7):
            break
    resumed = start(checkpoint=interrupted.checkpoint())
    assert resumed.progress.seconds == interrupted.progress.seconds > 0


def restless() -> Training:
    """A rate so high that the validation loss goes up and down."""
    return start(Plan(epochs=60, batch=32, rate=0.1, schedule="constant"))


def test_the_best_weights_are_left_in_the_model() -> None:
    training = restless()
    events = list(training.events())
    losses = [event.validation["reconstruction"] for event in reports(events)]
    assert losses[-1] > min(losses)  # else this test would show nothing
    assert validation_loss(training) == pytest.approx(min(losses), rel=1e-5)
    assert last(events).best_step == reports(events)[losses.index(min(losses))].step
    flags = [event.best for event in reports(events)]
    assert flags == [value < min([math.inf, *losses[:place]]) for place, value in enumerate(losses)]


@pytest.mark.parametrize("patience", [1, 3])
def test_early_stop_after_that_many_reports_without_a_better_one(patience: int) -> None:
    training = start(Plan(epochs=300, batch=32, rate=0.1, schedule="constant", patience=patience))
    events = list(training.events())
    assert last(events).reason == "early"
    flags = [event.best for event in reports(events)]
    assert flags[-patience - 1 :] == [True] + [False] * patience
    runs = "".join("x" if flag else "." for flag in flags[:-patience])
    assert "." * patience not in runs


def test_stop_ends_after_the_step_and_keeps_what_was_learnt() -> None:
    training = start()
    before = validation_loss(training)
    seen = []
    for event in training.events():
        seen.append(event)
        if event == Stepped(16):
            training.stop()
    assert seen[-2] == Stepped(16)
    assert (last(seen).reason, last(seen).step) == ("stopped", 16)
    assert validation_loss(training) < before
    assert last(seen).best_step in (12, 16)
    assert last(seen).test == pytest.approx(measure(training.model, DATA.test))


def test_stop_before_the_first_step_ends_at_once() -> None:
    training = start()
    training.stop()
    started, finished = training.events()
    assert isinstance(started, Started) and isinstance(finished, Finished)
    assert (finished.reason, finished.step) == ("stopped", 0)


def test_time_limit_counts_time_spent_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(0.15 * tick for tick in range(10_000))  # a step asks twice, so it takes 0.15 s
    monkeypatch.setattr(loop.time, "perf_counter", lambda: next(clock))
    events = list(start(replace(PLAN, seconds=1)).events())
    assert (last(events).reason, last(events).step) == ("time", 7)
    assert reports(events)[-1].step == 7
    assert last(events).seconds == pytest.approx(7 * 0.15)


def test_a_diverged_run_ends_at_its_report_with_its_best_weights() -> None:
    training = start()
    seen = []
    for event in training.events():
        seen.append(event)
        if event == Stepped(13):
            with torch.no_grad():
                next(training.model.parameters()).fill_(math.nan)
    assert last(seen).reason == "diverged"
    assert (last(seen).step, last(seen).best_step) == (18, 12)
    assert validation_loss(training) == pytest.approx(reports(seen)[1].validation["reconstruction"], rel=1e-5)


def test_a_run_that_diverges_at_once_keeps_its_first_weights() -> None:
    training = start()
    first = {name: value.clone() for name, value in training.model.state_dict().items()}
    seen = []
    for event in training.events():
        seen.append(event)
        if event == Stepped(1):
            with torch.no_grad():
                next(training.model.parameters()).fill_(math.nan)
    assert (last(seen).reason, last(seen).best_step) == ("diverged", 0)
    assert all(torch.equal(value, first[name]) for name, value in training.model.state_dict().items())


def rates(schedule: str) -> list[float]:
    """The learning rate that each step used."""
    training = start(replace(PLAN, schedule=schedule, epochs=10))
    return [training.optimiser.param_groups[0]["lr"] for event in training.events() if isinstance(event, Stepped)]


def test_schedules() -> None:
    top, steps = PLAN.rate, 60
    assert rates("constant") == [top] * steps
    assert rates("cosine") == pytest.approx([top / 2 * (1 + math.cos(math.pi * step / steps)) for step in range(steps)])
    one_cycle = rates("one-cycle")
    assert one_cycle[0] == pytest.approx(0.04 * top)
    assert one_cycle[12] == pytest.approx(top) == max(one_cycle)
    rises = [after - before for before, after in pairwise(one_cycle[:13])]
    assert rises == pytest.approx([0.08 * top] * 12)
    assert one_cycle[36] == pytest.approx(top / 2)
    assert all(after < before for before, after in pairwise(one_cycle[12:]))
    assert one_cycle[-1] < 0.01 * top


def test_the_plan_decides_how_the_model_learns() -> None:
    """Every knob that could be forgotten changes the numbers."""
    base = reports(list(start().events()))[-1].validation
    for change in ({"rate": 1e-3}, {"schedule": "constant"}, {"batch": 16}, {"epochs": 5}, {"seed": 3}):
        assert reports(list(start(replace(PLAN, **change)).events()))[-1].validation != base, change


@pytest.mark.parametrize("count", [2, 9])
def test_very_few_pictures_are_enough(count: int) -> None:
    events = list(start(Plan(epochs=3), blobs(train=count, test=1)).events())
    assert (last(events).reason, last(events).step) == ("complete", 3)
