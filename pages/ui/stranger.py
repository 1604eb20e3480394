"""A stranger who has no decoder: other people's do not help, one of their own does, and the codes tell much without any."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import streamlit as st
import torch
from torch import Tensor

from aecore.codec import attack, small_weights
from aecore.codec.attack import Look
from aecore.codec.fixed import Decoding, FixedDecoder, FixedEncoder
from aecore.jobs.errands import Cancelled, Report, Work
from aecore.models import build
from pages.ui import cache, figures, mending, waves, widgets
from pages.ui.i18n import Translator, marked

COUNTS = (1, 3, 10, 30, 100, 300, 1000)
SECRETS, SHOWN, PAIRS, SEED = 500, 10, 2000, 0
OTHER = "digits-contractive"  # its code is as long
LEARNING = marked("The stranger is learning: {share} %")


@dataclass(frozen=True, eq=False)
class Scene:
    """The codec; the secrets, the first ten one of each class, and the pairs known to a stranger: pictures in [0, 1], numbers, labels."""

    encoder: FixedEncoder
    decoder: FixedDecoder
    secrets: Tensor
    secret_numbers: Tensor
    secret_labels: Tensor
    known: Tensor
    known_numbers: Tensor
    known_labels: Tensor


@dataclass(frozen=True)
class Theft:
    """What a stranger with ``known`` pairs has come to: looks at the way there, and the seconds it took."""

    known: int
    looks: tuple[Look, ...]
    seconds: float = 0.0


_thefts: dict[int, Theft] = {}  # for all visitors, until the server ends; changed by the thread of the line alone


@lru_cache(maxsize=1)
def scene() -> Scene:
    """What the section is about, the same for everybody."""
    encoder, decoder, _ = small_weights.load("digits")
    data = cache.data("digits")
    firsts = [int((data.test_labels == label).nonzero()[0]) for label in range(SHOWN)]
    secret = [*firsts, *(place for place in range(SECRETS) if place not in firsts)][:SECRETS]
    known = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(SEED))[: COUNTS[-1]]
    return Scene(
        encoder,
        decoder,
        data.test[secret].float() / 255,
        attack.numbers_of(encoder, data.test[secret]),
        data.test_labels[secret],
        data.train[known].float() / 255,
        attack.numbers_of(encoder, data.train[known]),
        data.train_labels[known],
    )


@lru_cache(maxsize=1)
@torch.no_grad()
def decoded() -> tuple[tuple[Tensor, float], ...]:
    """The secrets by the right decoder, by one of its shape that has learnt nothing, by another model's; and the mean SSIM of each."""
    here = scene()
    card = small_weights.load("digits")[2]
    untaught = build(card.variant, card.shape, seed=SEED, **(card.knobs or {}))
    other = cache.model(OTHER)[0]
    decoders = (here.decoder.decode, *(Decoding(each.decoder, each.config.loss) for each in (untaught, other)))
    pictures = [each(here.secret_numbers * here.decoder.scale.step).clamp(0, 1) for each in decoders]
    return tuple((each[:SHOWN], attack.likeness(each, here.secrets)) for each in pictures)


@lru_cache(maxsize=1)
def compared() -> tuple[np.ndarray, np.ndarray, float, Tensor, float]:
    """Distances of codes and of pictures, their rank correlation; for each secret the place of the closest known code, and how often its digit is the same."""
    here = scene()
    codes, pixels, correlation = attack.distances(here.secret_numbers, here.secrets, PAIRS, SEED)
    places = attack.nearest(here.secret_numbers, here.known_numbers)
    same = float((here.known_labels[places] == here.secret_labels).float().mean())
    return codes.numpy(), pixels.numpy(), correlation, places, same


def wrong(t: Translator) -> None:
    """Three decoders on the same codes."""
    st.markdown("#### " + t("1. With the wrong decoder"))
    here = scene()
    words = (
        t("With the right decoder"),
        t("With a decoder of the same shape that has learnt nothing"),
        t("With the decoder of another model"),
    )
    rows = [(t("The secret"), here.secrets)]
    for name, (pictures, ssim) in zip(words, decoded(), strict=True):
        score = t.number(round(ssim, 2) + 0.0, 2)  # never "-0.00"
        rows.append((t("{name}: SSIM {ssim}", name=name, ssim=score), pictures))
    _strip(rows, "secrets-wrong")
    st.markdown(t("Nothing to see: so far it looks like a secret. But the decoder is no key. It can be learnt."))


def learnt(t: Translator) -> None:
    """Pairs to choose, and a decoder learnt from them while one looks on."""
    st.markdown("#### " + t("2. With a decoder of one's own"))
    st.markdown(
        t(
            "Suppose the stranger knows some other pictures together with their files, for instance because they have sent a few themselves. "
            "From these pairs they teach a small network to turn codes into pictures. How many pairs will it take?"
        )
    )
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    count = left.select_slider(t("Known pairs"), COUNTS, value=COUNTS[2], format_func=t.number, key="thief-known")
    right.button(t("Learn"), key="thief-begin", type="primary", width="stretch", on_click=_want, args=(count,))
    wanted = st.session_state.get("thief-wanted")
    if wanted in _thefts:
        _stolen(_thefts[wanted], t)
    elif wanted:
        mending.watch(mending.Wish("thief", str(wanted), work(wanted), LEARNING, _so_far), _stolen, t)


def _want(count: int) -> None:
    st.session_state["thief-wanted"] = count


def work(count: int) -> Work:
    """What the errand does: learn from ``count`` pairs, and show each look at the secrets."""

    def do(report: Report, stopped: Callable[[], bool]) -> Theft:
        here, began = scene(), time.perf_counter()
        looks: tuple[Look, ...] = ()
        known = here.known_numbers[:count], here.known[:count]
        for look in attack.learn(*known, here.secret_numbers, here.secrets, seed=SEED):
            if stopped():
                raise Cancelled
            looks = (*looks, Look(look.share, look.loss, look.pictures[:SHOWN].clone(), look.ssim))
            report(look.share, Theft(count, looks))
        _thefts[count] = Theft(count, looks, time.perf_counter() - began)
        return _thefts[count]

    return do


def _so_far(theft: Theft, t: Translator) -> None:
    """The secrets as the stranger sees them now, and how that and the loss went."""
    last, here = theft.looks[-1], scene()
    seen = t("What the stranger sees, from {count} known pairs: SSIM {ssim}", count=theft.known, ssim=t.number(last.ssim, 2))
    _strip([(t("The secret"), here.secrets), (seen, last.pictures)], "secrets-learnt")
    left, right = st.columns(2)
    steps = np.array([each.share * attack.STEPS for each in theft.looks])
    for column, name, up, values, colour in (
        (left, t("SSIM on the secrets"), "SSIM", [each.ssim for each in theft.looks], figures.TRAIN),
        (right, t("Loss on the known pairs, in nats per pixel"), t("loss"), [each.loss for each in theft.looks], figures.VALIDATION),
    ):
        chart = waves.traces({name: (steps, np.array(values), colour)}, t("step"), up, 200, t)
        column.caption(name)
        column.vega_lite_chart(*chart, key=f"thief-{up}", alt=t("{name}: {value} now.", name=name, value=t.figure(values[-1], 3)))


def _stolen(theft: Theft, t: Translator) -> None:
    """What became of it, beside what other numbers of pairs gave."""
    _so_far(theft, t)
    tried = [_thefts[count] for count in COUNTS if count in _thefts]
    columns = {
        t("Known pairs"): [t.number(each.known) for each in tried],
        t("SSIM on the secrets"): [t.number(each.looks[-1].ssim, 3) for each in tried],
        t("Learnt in"): [t.duration(each.seconds) for each in tried],
    }
    st.table(pa.table(columns), border="horizontal")
    st.caption(
        t(
            "Mean SSIM of {count} test digits, of which neither codec nor stranger has seen any; seed {seed}. The right decoder has {right}: "
            "it was taught on squared error, which leaves a faint veil on the black, and the stranger on cross-entropy, which does not.",
            count=SECRETS,
            seed=SEED,
            right=t.number(decoded()[0][1], 3),
        )
    )


def alike(t: Translator) -> None:
    """What distances between codes tell."""
    st.markdown("#### " + t("3. Without any decoder"))
    here = scene()
    codes, pixels, correlation, places, same = compared()
    left, right = st.columns([2, 3])
    words = t("distance between the codes"), t("distance between the pictures")
    with left:
        alt = t("Pairs of pictures as points: codes far apart belong to pictures far apart.")
        st.vega_lite_chart(*_cloud(codes, pixels, words, t), key="secrets-alike", alt=alt)
    with right:
        _strip([(t("The secret"), here.secrets), (t("The known picture whose code is closest"), here.known[places])], "secrets-nearest")
        st.markdown(
            t(
                "A code is made so that similar pictures have similar codes: the rank correlation of the two distances is {correlation}. "
                "So the stranger just looks up which of {known} known codes is closest. In {share} % of {count} cases it is the same digit.",
                correlation=t.number(correlation, 2),
                known=len(here.known),
                share=t.number(100 * same),
                count=SECRETS,
            )
        )


def _strip(rows: Sequence[tuple[str, Tensor]], key: str) -> None:
    """The first ten pictures of each row ``(N, 1, 28, 28)`` in [0, 1]."""
    widgets.strip([widgets.row(words, each[:SHOWN].mul(255).round().byte().numpy()) for words, each in rows], key=key)


def _cloud(x: np.ndarray, y: np.ndarray, titles: tuple[str, str], t: Translator) -> figures.Chart:
    axes = {
        name: {"field": name, "type": "quantitative", "title": title, "scale": {"zero": False}}
        for name, title in zip(("x", "y"), titles, strict=True)
    }
    spec = {"mark": {"type": "circle", "size": 12, "opacity": 0.4}, "encoding": axes, "config": figures.config(t), "height": 260}
    return pa.table({"x": pa.array(x, pa.float32()), "y": pa.array(y, pa.float32())}), spec
