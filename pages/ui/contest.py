"""Compare: which kinds, on what, how long; then all of them in the line of runs, and the table that fills."""

from dataclasses import replace

import streamlit as st

from aecore import weights
from aecore.data import DATASETS
from aecore.jobs import Order, View
from aecore.knobs import Choice, Knob, Range, Value
from aecore.models import VARIANTS, blueprint
from aecore.refusal import Refused
from aecore.training import Plan
from pages.ui import board, cache, forms, frame, setup, state
from pages.ui.board import Row
from pages.ui.i18n import Translator, marked

PREFIX = "each-"  # before the names of settings that Train has too, with other defaults
MOST_SECONDS = 60
LOSS = Knob(f"{PREFIX}loss", "cross-entropy", Choice(("cross-entropy", "mse")), marked("Loss"), marked("The same for all kinds."))
DEFAULTS: dict[str, Value] = {"epochs": 15, "seconds": 30, "batch": 64}
PLAN = tuple(
    replace(
        each,
        name=f"{PREFIX}{each.name}",
        default=DEFAULTS.get(each.name, each.default),
        limits=Range(1, MOST_SECONDS, log=True) if each.name == "seconds" else each.limits,
    )
    for each in Plan.knobs()
    if each.name in ("epochs", "seconds", "batch", "rate", "seed")
)
WHO = "variants"
TICK = 0.7  # seconds
UNDER_WAY = ("waiting", "running")


def settings(t: Translator) -> list[Order]:
    """Draw the settings and the button; the orders that they make, in the order of the variants."""
    state.open_link()
    data, ready = setup.pictures(t)
    names = {name: t(variant.title) for name, variant in VARIANTS.items()}
    loss = forms.knobs([LOSS], t)[LOSS.name]
    chosen = _variants(names, t)
    with st.expander(t("Budget of each"), icon=":material/tune:"):
        plan = forms.knobs(PLAN, t)
    shown = {"data": setup.OWN if data.startswith("own-") else data, LOSS.name: loss, WHO: ",".join(chosen), **plan}
    state.put_in_link(shown, {each.name: each.default for each in (setup.DATA, LOSS, *PLAN)} | {WHO: ",".join(VARIANTS)})
    if not ready:
        return []
    order = Plan(**{name.removeprefix(PREFIX): value for name, value in plan.items()})
    orders, refused = _orders(chosen, loss, data, order)
    for words in refused:
        st.caption(f"{t(VARIANTS[words[0]].title)}: {t.refusal(words[1])}")
    _start(orders, names, t)
    return orders


def result(orders: list[Order], t: Translator) -> None:
    """The table, the curves, and the pictures: of the runs, or where there are none yet, of the weights that come with the lab."""
    busy = any(view.status in UNDER_WAY for view in _views(orders))
    st.fragment(_tick, run_every=TICK if busy else None, key=f"contest-{busy}")(orders, busy, t)


def _tick(orders: list[Order], was_busy: bool, t: Translator) -> None:
    visitor = state.visitor()
    views = _views(orders, visitor)
    under_way = [view for view in views if view.status in UNDER_WAY]
    judging = [view for view in views if view.finished and view.judged is None]
    if was_busy and not under_way and not judging:
        st.rerun()  # the last drawing is the page's, so that the ticking ends
    data, loss = orders[0].data, str(orders[0].knobs["loss"])
    code = VARIANTS["undercomplete"].model.Config().code
    lines = cache.baselines(data, code, loss)
    if under_way:
        words, button = st.columns([4, 1], vertical_alignment="center")
        done = len(orders) - len(under_way)
        words.progress(_share(views, orders), t("{done} of {count} are done", done=done, count=len(orders)))
        if button.button(t("Stop all"), icon=":material/stop_circle:", width="stretch", help=t("What was learnt so far is kept.")):
            for view in under_way:
                cache.jobs().stop(view.id, visitor)
            st.rerun()
    rows = [board.of_run(view, t) for view in views] if views else _shipped(orders, loss, t)
    if not views and rows:
        st.caption(t("Weights that come with the lab, each trained for its own time. Press the button to train all within one budget."))
    elif views and not under_way:
        _verdict(views, rows, t)
    rows.append(board.of_pca(data, code, loss, t))
    board.table(rows, lines.floor, loss, t)
    board.legend(t)
    board.curves(views, lines, loss, t)
    st.subheader(t("The same test pictures, drawn by each"))
    board.grid(rows, data, t)
    if views and not under_way:
        _links(views, t)


def _variants(names: dict[str, str], t: Translator) -> list[str]:
    refused = state.open_list(WHO, list(VARIANTS))
    words = t("Each with its own usual settings, such as the size of its code.")
    same = {"format_func": names.__getitem__, "key": state.knob_key(WHO), "help": words, "persist_state": "session"}
    chosen = st.pills(t("Kinds"), list(VARIANTS), selection_mode="multi", wrap=True, **same)
    if refused:
        st.warning(t("{reason} The link asked for something else; the default is used.", reason=t.refusal(refused)))
    return [name for name in VARIANTS if name in chosen]


def _orders(chosen: list[str], loss: str, data: str, plan: Plan) -> tuple[list[Order], list[tuple[str, Refused]]]:
    """An order for each variant, its knobs spelt out, and why some do not fit these pictures."""
    orders, refused = [], []
    for name in chosen:
        knobs = VARIANTS[name].model.Config.of(loss=loss).values()
        try:
            blueprint(name, cache.data(data).shape, **knobs)
            orders.append(Order(name, knobs, data, plan))
        except Refused as error:
            refused.append((name, error))
    return orders, refused


def _start(orders: list[Order], names: dict[str, str], t: Translator) -> None:
    left = [order for order in orders if not _is_there(order)]
    guess = st.selectbox(
        t("Predict: which draws unseen pictures best?"),
        [order.variant for order in orders],
        index=None,
        format_func=names.__getitem__,
        placeholder=t("Your guess"),
        key="contest-guess",
        disabled=not left,
    )
    label = t("Train the other {count}", count=len(left)) if 0 < len(left) < len(orders) else t("Train all {count}", count=len(orders))
    if st.button(label, type="primary", icon=":material/play_arrow:", width="stretch", key="train-all", disabled=not left):
        try:
            for order in left:
                cache.jobs().submit(state.visitor(), order, None if order.built_in else cache.data(order.data))
                if guess:
                    state.keep_winner(order.key, guess)
        except Refused as refused:
            st.error(t.refusal(refused))
        else:
            st.rerun()
    if orders and not left:
        st.caption(t("All of these are trained or under way; the same settings and seed are never computed twice."))


def _is_there(order: Order) -> bool:
    """Whether a run is kept that need not be ordered again."""
    view = cache.jobs().look(order.key)
    return view is not None and view.status != "failed" and not (view.finished and view.finished.reason == "stopped")


def _views(orders: list[Order], visitor: str | None = None) -> list[View]:
    """The runs that there are; those of own pictures are found by their digest, which only their owner has."""
    return [view for order in orders if (view := cache.jobs().look(order.key, visitor)) is not None]


def _share(views: list[View], orders: list[Order]) -> float:
    done = sum(1.0 if view.status not in UNDER_WAY else view.step / max(1, view.steps) for view in views)
    return min(1.0, done / len(orders))


def _shipped(orders: list[Order], loss: str, t: Translator) -> list[Row]:
    names = [f"{order.data}-{order.variant}" for order in orders]
    found = [cache.model(name) for name in names if name in weights.shipped()]
    return [board.of_weights(model, card, loss, t) for model, card in found]


def _verdict(views: list[View], rows: list[Row], t: Translator) -> None:
    """Which kind has drawn best, held against the guess; who has room to copy does not compete."""
    ended = [(view, row) for view, row in zip(views, rows, strict=True) if "loss" in row.figures and not row.roomy]
    if len(ended) < 2:
        return
    view, row = min(ended, key=lambda pair: pair[1].figures["loss"])
    words = t("Lowest loss on test pictures: {kind}, {loss}.", kind=row.name, loss=t.figure(row.figures["loss"]))
    guess = state.winner(view.id)
    if guess:
        right = t("You guessed right.") if guess == view.order.variant else t("Your guess was {kind}.", kind=t(VARIANTS[guess].title))
        words = f"{words} {right}"
    aside = t("Codes with room for the whole picture do not compete: look at their identity gap.")
    st.success(f"{words} {aside}", icon=":material/check_circle:")


def _links(views: list[View], t: Translator) -> None:
    """Each run in Train, with all its panels."""
    st.markdown(t("Look closer at one:"))
    with st.container(horizontal=True):
        for view in views:
            usual = {"data": setup.DATA.default, "variant": setup.VARIANT.default, **VARIANTS[view.order.variant].model.Config().values()}
            usual |= Plan().values()
            values = {"data": view.order.data, "variant": view.order.variant, **view.order.knobs, **view.order.plan.values()}
            query = {name: str(value).lower() for name, value in values.items() if value != usual[name]} | {"run": view.id}
            if view.order.data in DATASETS:
                st.page_link(frame.page("train", t), label=t(VARIANTS[view.order.variant].title), query_params=query)
