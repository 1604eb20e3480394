"""Hyper-parameters that know their limits: one declaration feeds the form, the check, the card and the tests."""

import math
from dataclasses import Field, dataclass, field, fields
from typing import Any, Self

from aecore.refusal import Refused

Value = int | float | str | bool


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included; ``log`` where ratios matter more than differences."""

    low: float
    high: float
    log: bool = False

    def check(self, value: object, name: str, kind: type) -> Value:
        """The value as ``kind``, or Refused by name and limits."""
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan  # NaN fails every comparison
        if not self.low <= number <= self.high or (kind is int and number != int(number)):
            raise Refused("{name} must be a number from {low} to {high}.", name=name, low=self.low, high=self.high)
        return kind(number)


@dataclass(frozen=True)
class Choice:
    """One of a few named values."""

    options: tuple[str, ...]

    def check(self, value: object, name: str, kind: type) -> Value:
        """The value itself, or Refused with the choices."""
        if value not in self.options:
            raise Refused("{name} must be one of: {options}.", name=name, options=", ".join(self.options))
        return str(value)


@dataclass(frozen=True)
class Switch:
    """On or off."""

    def check(self, value: object, name: str, kind: type) -> Value:
        """The value itself, or Refused."""
        if not isinstance(value, bool):
            raise Refused("{name} must be true or false.", name=name)
        return value


Limits = Range | Choice | Switch


@dataclass(frozen=True)
class Knob:
    """A declared hyper-parameter: name, default, limits, and its English words."""

    name: str
    default: Value
    limits: Limits
    label: str
    help: str

    def check(self, value: object) -> Value:
        """The value, converted to the knob's type, or Refused."""
        return self.limits.check(value, self.name, type(self.default))

    def read(self, text: str) -> Value:
        """The value written as ``text`` (a query string, a command line), checked; Refused where it does not fit."""
        if isinstance(self.limits, Choice):
            return self.check(text)
        if isinstance(self.limits, Switch):
            return self.check({"true": True, "false": False}.get(text, text))
        try:
            return self.check(float(text))
        except ValueError as error:
            if isinstance(error, Refused):
                raise
            return self.check(text)


def knob(default: Any, low: float = 0, high: float = 0, *, label: str, help: str, log: bool = False, options: tuple[str, ...] = ()) -> Any:
    """A dataclass field with limits: ``options`` make it a choice, a bool default a switch, else ``low`` to ``high``."""
    limits: Limits = Choice(options) if options else Switch() if isinstance(default, bool) else Range(low, high, log)
    return field(default=default, metadata={"limits": limits, "label": label, "help": help})


@dataclass(frozen=True)
class Config:
    """A frozen set of knobs; a value outside its limits is refused where the config is made."""

    def __post_init__(self) -> None:
        for each in self.knobs():
            object.__setattr__(self, each.name, each.check(getattr(self, each.name)))

    @classmethod
    def knobs(cls) -> tuple[Knob, ...]:
        """The declared knobs, in order."""
        return tuple(_knob(each) for each in fields(cls))

    @classmethod
    def of(cls, **values: object) -> Self:
        """A config from named values; Refused names an unknown one."""
        names = [each.name for each in fields(cls)]
        for name in values:
            if name not in names:
                raise Refused("There is no setting called {name}; there are: {names}.", name=name, names=", ".join(names))
        return cls(**values)

    def values(self) -> dict[str, Value]:
        """Name to value, in order; what a card or a link stores."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def _knob(each: Field) -> Knob:
    return Knob(each.name, each.default, each.metadata["limits"], each.metadata["label"], each.metadata["help"])  # type: ignore[arg-type]
