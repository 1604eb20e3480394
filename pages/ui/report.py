"""The report of a finished run: one HTML file that asks for nothing else, readable on a screen, light or dark, and on A4 paper."""

import datetime
import html
import math
import platform
from collections.abc import Iterable, Sequence

import torch
from babel.dates import format_date

from aecore.data import DATASETS
from aecore.inspect import Baselines
from aecore.jobs import View
from aecore.knobs import Knob, Value
from aecore.models import VARIANTS, blueprint
from aecore.training import Reported
from pages.ui import cache, figures, live, widgets
from pages.ui.forms import WORDS
from pages.ui.i18n import Translator

WIDTH, HEIGHT, LEFT, BOTTOM = 720, 290, 68, 50  # of the chart and of the space beside its axes, in pixels
TICKS = 5
STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 45rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin-bottom: 0.3rem; }
h2 { font-size: 1.1rem; margin: 1.6rem 0 0.4rem; }
p { margin: 0.4rem 0; } a { color: inherit; overflow-wrap: anywhere; }
.quiet, dt, figcaption { opacity: 0.75; font-size: 0.85rem; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.8rem, 1fr)); gap: 0.5rem; margin: 1rem 0; }
dl div { border: 1px solid #8886; border-radius: 0.5rem; padding: 0.4rem 0.7rem; }
dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
figure { margin: 0.6rem 0; } figure img { width: 100%; image-rendering: pixelated; } svg { width: 100%; height: auto; }
.key { display: inline-block; margin-right: 1rem; } .key svg { width: 26px; margin-right: 6px; }
.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 0 2rem; }
table { width: 100%; border-collapse: collapse; font-size: 0.9rem; } td { padding: 0.15rem 0; border-bottom: 1px solid #8884; }
td + td { text-align: right; font-variant-numeric: tabular-nums; }
h2, dl div, figure, table { break-inside: avoid; } h2 { break-after: avoid; }
@media (max-width: 30rem) { svg text { font-size: 22px; } }
@page { size: A4; margin: 14mm; }
@media print { :root { color-scheme: light; font-size: 12px; } body { margin: 0; padding: 0; max-width: none; }
  dl { grid-template-columns: repeat(4, 1fr); } .tables { grid-template-columns: 1fr 1fr; } svg[role] { max-height: 56mm; } }
"""


def page(view: View, address: str, t: Translator) -> str:
    """The report of a finished run as HTML, with a link to ``address``."""
    assert view.finished is not None and view.started is not None and view.originals is not None
    order, ended = view.order, view.finished
    variant, known = VARIANTS[order.variant], DATASETS.get(order.data)
    loss, code = str(order.knobs["loss"]), int(order.knobs["code"])
    name = "cross_entropy" if loss == "cross-entropy" else "mse"
    unit = t("loss (nats per pixel)") if loss == "cross-entropy" else t("loss (squared error)")
    lines = cache.baselines(order.data, code, loss)
    _, channels, height, width = view.originals.shape
    model = blueprint(order.variant, (channels, height, width), **order.knobs)
    pictures = t(known.title) if known else t("My own pictures")
    title, invitation = f"{t(variant.title)}: {pictures}", t("Open this run in the lab")
    numbers = [
        (t("Test loss"), t.figure(ended.test[name])),
        (t("Training loss"), t.figure(ended.train[name])),
        (t("PCA's loss"), t.figure(lines.pca)),
        (t("Floor: a perfect copy"), t.figure(lines.floor)),
        (t("PSNR on test pictures"), t("{psnr} dB", psnr=t.number(ended.test["psnr"], 1))),
        (t("Parameters"), t.number(view.started.parameters)),
        (t("Stored code"), t.size(model.bits() / 8)),
        (t("Computed on"), view.started.device.upper()),
    ]
    how = t("{steps} steps in {time} of learning.", steps=t.number(ended.step), time=t.duration(ended.seconds))
    today = format_date(datetime.datetime.now(datetime.UTC).date(), "long", locale=t.locale)
    made = t(
        "Made on {date} with Python {python} and torch {torch}.", date=today, python=platform.python_version(), torch=torch.__version__
    )
    sources = [t("Source: {source}", source=variant.source)]
    if known:
        sources.append(t("Pictures: {source}. Licence: {licence}.", source=known.source, licence=t(known.licence)))
    body = [
        f"<h1>{_safe(title)}</h1>",
        f'<p class="quiet">Autoencoder Lab. {_safe(made)}</p>',
        f"<p>{_safe(t(variant.about))} {_safe(t(live.REASONS[ended.reason]))} {_safe(how)}</p>",
        f"<dl>{''.join(f'<div><dt>{_safe(label)}</dt><dd>{_safe(value)}</dd></div>' for label, value in numbers)}</dl>",
        f"<figure><figcaption>{_safe(unit)}</figcaption>{curve(view.reports, lines, code, unit, t)}</figure>",
        *_pictures(view, t),
        '<div class="tables">',
        _table(t("Settings of the model"), variant.model.Config.knobs(), order.knobs, t),
        _table(t("Training plan"), order.plan.knobs(), order.plan.values(), t),
        "</div>",
        f'<p><a href="{_safe(address)}">{_safe(invitation)}</a></p>',
        *(f'<p class="quiet">{_safe(each)}</p>' for each in sources),
    ]
    nothing_else = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="{t.language.replace("_", "-")}"><head><meta charset="utf-8"><title>{_safe(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" content="{nothing_else}">'
        f"<style>{STYLE}</style></head>\n<body>\n{chr(10).join(body)}\n</body></html>\n"
    )


def curve(reports: Sequence[Reported], lines: Baselines, code: int, unit: str, t: Translator) -> str:
    """Training and held-out loss over epochs as SVG, with PCA's line and the floor; nothing where there are no reports."""
    if not reports:
        return ""
    points = [(each.epoch, each.train[figures.RECONSTRUCTION], each.validation[figures.RECONSTRUCTION]) for each in reports]
    lowest = min((held_out for *_, held_out in points if math.isfinite(held_out)), default=lines.mean)
    high = max(lines.mean, 1.1 * lowest)
    low = lines.floor - 0.04 * (high - lines.floor or 1.0)
    end = points[-1][0]

    def x(epoch: float) -> float:
        return LEFT + (WIDTH - LEFT - 10) * epoch / end

    def y(value: float) -> float:
        return 8 + (HEIGHT - BOTTOM - 8) * (high - value) / (high - low)

    def path(values: Iterable[tuple[float, float]], colour: str, dash: str) -> str:
        where = " ".join(f"{x(epoch):.1f},{y(value):.1f}" for epoch, value in values if math.isfinite(value))
        look = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
        return f'<polyline points="{where}" {look} clip-path="url(#inside)"/>'

    drawn = [
        (t("training pictures"), figures.TRAIN, "", [(epoch, train) for epoch, train, _ in points]),
        (t("held-out pictures"), figures.VALIDATION, "", [(epoch, held_out) for epoch, _, held_out in points]),
        (t("PCA with {count} numbers", count=code), figures.PCA, "6 4", [(0.0, lines.pca), (end, lines.pca)]),
        (t("floor: a perfect copy"), figures.FLOOR, "2 3", [(0.0, lines.floor), (end, lines.floor)]),
    ]
    bottom, across = HEIGHT - BOTTOM, t("epoch")
    marks = [f'<clipPath id="inside"><rect x="{LEFT}" y="4" width="{WIDTH - LEFT}" height="{bottom - 2}"/></clipPath>']
    for value in ticks(low, high):
        marks.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - 10}" stroke="currentColor" opacity="0.15"/>')
        marks.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{_safe(t.figure(value))}</text>')
    for epoch in ticks(0, end):
        marks.append(f'<text x="{x(epoch):.1f}" y="{bottom + 20}" text-anchor="middle">{_safe(t.figure(epoch))}</text>')
    marks.append(f'<text x="{(LEFT + WIDTH) / 2}" y="{bottom + 44}" text-anchor="middle">{_safe(across)}</text>')
    marks += [path(values, colour, dash) for _, colour, dash, values in drawn]
    legend = "".join(
        f'<span class="key"><svg viewBox="0 0 26 10"><path d="M0 5H26" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/></svg>'
        f"{_safe(name)}</span>"
        for name, colour, dash, _ in drawn
    )
    words = t("Loss over epochs: {loss} on held-out pictures now.", loss=t.figure(points[-1][2]))
    frame = f'role="img" aria-label="{_safe(words)}" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="13" fill="currentColor"'
    return f"<svg {frame}>{''.join(marks)}</svg><figcaption>{legend}</figcaption>"


def ticks(low: float, high: float) -> list[float]:
    """About five round numbers from ``low`` to ``high``."""
    rough = (high - low) / TICKS
    scale = 10 ** math.floor(math.log10(rough))
    step = next(each * scale for each in (1, 2, 5, 10) if each * scale >= rough)
    return [step * place for place in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _pictures(view: View, t: Translator) -> list[str]:
    if view.snapshot is None or view.originals is None:
        return []
    below = t("Drawn again from their codes, after step {step}", step=t.number(view.snapshot.step))
    rows = [widgets.row(t("Test pictures"), view.originals), widgets.row(below, view.snapshot.reconstructions)]
    return [
        f'<figure><figcaption>{_safe(each.caption)}</figcaption><img src="{each.source}" alt="{_safe(each.caption)}"></figure>'
        for each in rows
    ]


def _table(title: str, knobs: Iterable[Knob], values: dict[str, Value], t: Translator) -> str:
    rows = "".join(f"<tr><td>{_safe(t(each.label))}</td><td>{_safe(_word(values[each.name], t))}</td></tr>" for each in knobs)
    return f"<div><h2>{_safe(title)}</h2><table>{rows}</table></div>"


def _word(value: Value, t: Translator) -> str:
    """A setting's value in words."""
    if isinstance(value, bool):
        return t("yes") if value else t("no")
    return t(WORDS.get(value, value)) if isinstance(value, str) else t.figure(value, 10)


def _safe(text: str) -> str:
    return html.escape(text)
