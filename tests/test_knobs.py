"""Knobs: every value that does not fit is refused by name, with its limits, wherever it comes in."""

from dataclasses import FrozenInstanceError, dataclass

import pytest

from aecore.knobs import Choice, Config, Knob, Range, Switch, knob
from aecore.refusal import Refused


@dataclass(frozen=True)
class Oven(Config):
    """One knob of each kind."""

    heat: int = knob(180, 50, 250, label="Heat", help="Degrees.")
    salt: float = knob(1e-2, 1e-4, 1.0, log=True, label="Salt", help="Share.")
    mode: str = knob("fan", options=("fan", "grill"), label="Mode", help="How.")
    light: bool = knob(False, label="Light", help="Whether.")


def test_declaration_is_readable_in_order() -> None:
    assert Oven.knobs() == (
        Knob("heat", 180, Range(50, 250), "Heat", "Degrees."),
        Knob("salt", 1e-2, Range(1e-4, 1.0, log=True), "Salt", "Share."),
        Knob("mode", "fan", Choice(("fan", "grill")), "Mode", "How."),
        Knob("light", False, Switch(), "Light", "Whether."),
    )
    assert Oven().values() == {"heat": 180, "salt": 1e-2, "mode": "fan", "light": False}


@pytest.mark.parametrize(
    ("name", "value"),
    [("heat", 50), ("heat", 250), ("heat", 99.0), ("salt", 1), ("salt", 1e-4), ("mode", "grill"), ("light", True)],
)
def test_values_within_the_limits_are_taken_in_the_knobs_own_type(name: str, value: object) -> None:
    taken = Oven.of(**{name: value}).values()[name]
    assert taken == value
    assert type(taken) is type(Oven().values()[name])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("heat", 49),
        ("heat", 251),
        ("heat", 99.5),
        ("heat", True),
        ("heat", "99"),
        ("heat", None),
        ("heat", [99]),
        ("heat", 10**400),
        ("heat", float("nan")),
        ("salt", float("inf")),
        ("salt", -float("inf")),
        ("salt", 0.0),
        ("mode", "steam"),
        ("mode", ["fan"]),
        ("mode", None),
        ("light", 1),
        ("light", "true"),
    ],
)
def test_any_other_value_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(Refused, match=name) as refusal:
        Oven.of(**{name: value})
    assert "{" not in str(refusal.value)


def test_refusal_tells_the_limits() -> None:
    with pytest.raises(Refused, match=r"heat must be a number from 50 to 250\."):
        Oven(heat=1000)
    with pytest.raises(Refused, match=r"mode must be one of: fan, grill\."):
        Oven(mode="steam")


def test_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Refused, match=r"no setting called heet; there are: heat, salt, mode, light\."):
        Oven.of(heet=180)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("heat", "200", 200), ("salt", "1e-3", 1e-3), ("mode", "grill", "grill"), ("light", "true", True), ("light", "false", False)],
)
def test_text_from_a_link_is_read(name: str, text: str, value: object) -> None:
    by_name = {each.name: each for each in Oven.knobs()}
    assert by_name[name].read(text) == value
    assert type(by_name[name].read(text)) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [("heat", "hot"), ("heat", ""), ("heat", "nan"), ("heat", "1e999"), ("heat", "180.5"), ("mode", ""), ("light", "1"), ("light", "yes")],
)
def test_text_that_does_not_fit_is_refused(name: str, text: str) -> None:
    by_name = {each.name: each for each in Oven.knobs()}
    with pytest.raises(Refused, match=name):
        by_name[name].read(text)


def test_configs_are_frozen_and_compare_by_value() -> None:
    with pytest.raises(FrozenInstanceError):
        Oven().heat = 200  # type: ignore[misc]
    assert Oven(heat=200) == Oven.of(heat=200) != Oven()
