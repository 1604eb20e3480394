"""Trained on one noise, tried on another: small denoising autoencoders taught here and now, and a table of what they can."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st
import torch
from torch import Tensor

from aecore.corruption import CORRUPTIONS
from aecore.jobs.errands import Cancelled, Report
from aecore.metrics import psnr
from aecore.models import Autoencoder, build
from aecore.models.denoising import Denoising
from aecore.training import Plan, Stepped, Training
from pages.ui import cache, figures, forms, mending
from pages.ui.i18n import Translator, marked

KINDS = tuple(CORRUPTIONS)
ALL, NOTHING = "all", "nothing"
ROWS = (*KINDS, ALL)
LEVEL = 0.5
KNOBS = {"loss": "mse", "code": 64, "depth": 1, "width": 256}
PLAN = Plan(epochs=5, batch=64, rate=5e-3)
WORDS = {ALL: marked("All five in turn"), NOTHING: marked("Nothing done")}


@dataclass(frozen=True)
class Row:
    """What an autoencoder ``taught`` on one kind of noise makes of each of KINDS: PSNR in dB on the test digits; and its seconds of learning."""

    taught: str
    psnr: tuple[float, ...]
    seconds: float = 0.0


_learnt: dict[str, Row] = {}  # for all visitors, until the server ends; changed by the thread of the line alone


class EveryNoise(Denoising):
    """Sees all kinds of damage, another one in each batch."""

    def damage(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Pictures as the encoder sees them."""
        kind = KINDS[int(torch.randint(len(KINDS), (), generator=rng))]
        return CORRUPTIONS[kind](x, self.config.level, rng)


def section(t: Translator) -> None:
    """The table, or the button that has it made."""
    with st.expander(t("Trained on one noise, tried on another"), icon=":material/grid_on:", on_change="rerun", key="mismatch") as panel:
        if not panel.open:
            return
        st.markdown(
            t(
                "Six small autoencoders are taught on the same digits: five to undo one kind of noise each, the sixth to undo all. "
                "Then each one is tried on every kind. Guess first: who wins where, and who loses most?"
            )
        )
        if len(_learnt) == len(ROWS):
            show(tuple(_learnt.values()), t)
        elif st.session_state.get("mismatch-wanted"):
            wish = mending.Wish("mismatch", "", learn, marked("Teaching: {share} %"), show)
            mending.watch(wish, show, t)
        else:
            st.button(t("Teach all six (half a minute)"), key="mismatch-begin", on_click=_want)


def _want() -> None:
    st.session_state["mismatch-wanted"] = True


def learn(report: Report, stopped: Callable[[], bool]) -> tuple[Row, ...]:
    """Teach the autoencoders that are not taught yet; gives all rows. Raises Cancelled; rows that are finished are kept."""
    for place, kind in enumerate(ROWS):
        if kind in _learnt:
            continue
        training = Training(_untaught(kind), cache.data("digits"), PLAN, device=torch.device("cpu"))
        for event in training.events():
            if stopped():
                raise Cancelled
            if isinstance(event, Stepped):
                report((place + event.step / training.steps) / len(ROWS), tuple(_learnt.values()) or None)
        _learnt[kind] = Row(kind, tried(training.model), training.progress.seconds)
    return tuple(_learnt.values())


@torch.no_grad()
def tried(model: Callable[[Tensor], Tensor]) -> tuple[float, ...]:
    """PSNR in dB of what ``model`` makes of the test digits under each kind of noise."""
    clean = cache.data("digits").test.float() / 255
    noisy = (CORRUPTIONS[kind](clean, LEVEL, torch.Generator().manual_seed(PLAN.seed)) for kind in KINDS)
    return tuple(psnr(model(each), clean) for each in noisy)


def show(rows: Sequence[Row], t: Translator) -> None:
    """The table as a chart, and how it came about."""
    names = {kind: t(forms.WORDS[kind]) for kind in KINDS} | {name: t(words) for name, words in WORDS.items()}
    rows = (*rows, _as_it_is())
    table, spec = figures.matrix(
        [each.psnr for each in rows],
        [names[each.taught] for each in rows],
        [names[kind] for kind in KINDS],
        (t("tried on"), t("taught on"), t("PSNR (dB)")),
        t,
    )
    st.vega_lite_chart(table, spec, key="mismatch-chart")
    st.caption(
        t(
            "PSNR in dB, brighter is better; framed: tried on what it was taught. {count} test digits, noise level {level}, "
            "seed {seed}, {epochs} epochs each; {seconds} of learning on this server, the same for everybody.",
            count=len(cache.data("digits").test),
            level=t.figure(LEVEL),
            seed=PLAN.seed,
            epochs=PLAN.epochs,
            seconds=t.duration(sum(each.seconds for each in rows)),
        )
    )


@lru_cache(maxsize=1)
def _as_it_is() -> Row:
    return Row(NOTHING, tried(lambda noisy: noisy))


def _untaught(kind: str) -> Autoencoder:
    """A fresh autoencoder for ``kind``, all of them from the same first weights."""
    shape = (1, 28, 28)
    knobs = KNOBS | {"level": LEVEL, "noise": KINDS[0] if kind == ALL else kind}
    model = build("denoising", shape, seed=PLAN.seed, **knobs)
    if kind != ALL:
        return model
    mixed = EveryNoise(shape, Denoising.Config.of(**knobs))
    mixed.load_state_dict(model.state_dict())
    return mixed
