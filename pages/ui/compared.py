"""Figures of several ways of writing side by side: what came out in a sentence, as bars, as lines, in a file."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from aecore.latent import Figure
from pages.ui import figures
from pages.ui.i18n import Translator, marked

WAYS = {"pixels": marked("Pixels"), "pca": marked("PCA"), "code": marked("Code"), "map": marked("Map")}
COLOURS = {"pixels": figures.FLOOR, "pca": figures.PCA, "code": figures.TRAIN, "map": figures.SERIES[1]}
DECADES = [digit * 10.0**power for power in range(-5, 4) for digit in (1, 3)]
NOTHING = 1e-9  # below it a difference is of rounding
ABOVE = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None}  # where a legend takes no width


@dataclass(frozen=True)
class Measure:
    """How to tell a figure of the core: its words, its digits, whether it is a share in per cent, and whether more of it is better."""

    name: str
    title: str
    digits: int = 4
    percent: bool = False
    more: bool = True

    @property
    def scale(self) -> int:
        """From the core's unit to the one shown."""
        return 100 if self.percent else 1

    def amount(self, value: float, t: Translator) -> str:
        """A value in words."""
        return t("{share} %", share=t.number(100 * value, 1)) if self.percent else t.number(value, self.digits)

    def gap(self, value: float, t: Translator) -> str:
        """A difference in words."""
        return t("{points} percentage points", points=t.number(100 * value, 1)) if self.percent else t.figure(value, 2)

    def spread(self, figure: Figure, t: Translator) -> str:
        """Mean and standard deviation in words."""
        return f"{self.amount(figure.mean, t)} ± {t.number(self.scale * figure.spread, 1 if self.percent else self.digits)}"

    def words(self, ways: Mapping[str, Figure], t: Translator) -> str:
        """All means, for who cannot see the chart."""
        return f"{t(self.title)}: {', '.join(f'{t(WAYS[way])} {self.amount(each.mean, t)}' for way, each in ways.items())}"

    def axis(self, t: Translator) -> str:
        """The title of its axis."""
        return f"{t(self.title)} (%)" if self.percent else t(self.title)


def verdict(name: str, measure: Measure, ways: Mapping[str, Figure], t: Translator) -> str:
    """What came out for the code against PCA, and whether the difference is more than its own spread over the seeds.

    A seed draws the same pictures for both, so that their difference varies less than either.
    """
    ours, theirs = ways["code"], ways["pca"]
    difference = Figure(tuple(a - b for a, b in zip(ours.values, theirs.values, strict=True)))
    said = {"measure": name, "code": measure.amount(ours.mean, t), "pca": measure.amount(theirs.mean, t)}
    if abs(difference.mean) < NOTHING:
        return t("**{measure}**: the code and PCA come out the same, {code}.", **said)
    if (difference.mean > 0) == measure.more:
        result = t("**{measure}**: the code does better than PCA, {code} against {pca}.", **said)
    else:
        result = t("**{measure}**: the code does worse than PCA, {code} against {pca}.", **said)
    amounts = {"gap": measure.gap(abs(difference.mean), t), "spread": t.figure(measure.scale * difference.spread, 2)}
    if difference.spread < NOTHING:
        judged = t("All seeds gave the same, so there is no spread to judge the difference by.")
    elif abs(difference.mean) > difference.spread:
        judged = t("The difference of {gap} exceeds its spread from seed to seed ({spread}).", **amounts)
    else:
        judged = t("The difference of {gap} lies within its spread from seed to seed ({spread}): this run does not decide it.", **amounts)
    return f"{result} {judged}"


def bars(ways: Mapping[str, Figure], measure: Measure, t: Translator) -> go.Figure:
    """One measure as a bar for each way, with the spread over the seeds."""
    bar = go.Bar(
        x=[t(WAYS[way]) for way in ways],
        y=[measure.scale * each.mean for each in ways.values()],
        error_y={"array": [measure.scale * each.spread for each in ways.values()], "color": "#808080", "thickness": 2, "width": 6},
        marker={"color": [COLOURS[way] for way in ways], "opacity": 0.6},
        hovertemplate="%{x}: %{y:.4~g} ± %{error_y.array:.2~g}<extra></extra>",
    )
    figure = go.Figure(bar)
    figure.update_yaxes(title=measure.axis(t), rangemode="tozero")
    return figure


def lines(found: Mapping[int, Mapping[str, Figure]], measure: Measure, t: Translator) -> go.Figure:
    """One measure over the number of labels per class, a line for each way, with the spread over the seeds."""
    figure = go.Figure()
    for way in next(iter(found.values())):
        figure.add_scatter(
            x=list(found),
            y=[measure.scale * each[way].mean for each in found.values()],
            error_y={"array": [measure.scale * each[way].spread for each in found.values()], "thickness": 1.5, "width": 4},
            name=t(WAYS[way]),
            mode="lines+markers",
            line={"color": COLOURS[way]},
            hovertemplate="%{x}: %{y:.3~g} ± %{error_y.array:.2~g}",
        )
    figure.update_xaxes(title=t("Labels per class"), type="log", tickvals=list(found), ticktext=[t.number(each) for each in found])
    figure.update_yaxes(title=measure.axis(t))
    if not measure.percent:
        figure.update_yaxes(type="log", tickvals=DECADES, ticktext=[t.figure(each) for each in DECADES])
    figure.update_layout(legend=ABOVE)
    return figure


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Rows as CSV below their ``head``."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(head)
    writer.writerows(rows)
    return file.getvalue().encode()
