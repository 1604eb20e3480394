"""What the page Latent space looks at: a model, pictures that fit it, and their codes, found once."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
import torch
from torch import Tensor, nn

from aecore import latent
from aecore.data import DATASETS, Images, Progress
from aecore.inspect.judgement import AT_ONCE
from aecore.jobs.errands import Cancelled, Report, Work
from aecore.knobs import Choice, Knob, Range, Value
from aecore.models import VARIANTS, Autoencoder
from aecore.weights import Card
from pages.ui import cache, forms, mending, shelf, state, uploads
from pages.ui.i18n import Translator, marked

OWN = "own"
START = "digits-undercomplete"
FOR_PHOTOS = "faces-64-convolutional"  # filters, on coloured pictures of 64 pixels: what photographs go through
PARTS = {"test": marked("Test pictures"), "train": marked("Training pictures"), "all": marked("All of them")}
PART = Knob("part", "test", Choice(tuple(PARTS)), marked("Which of them"), marked("A model has never seen the test pictures."))
MOST = 10_000
POINTS = Knob("points", 2_000, Range(2, MOST), marked("Points at most"), marked("If there are more pictures, some are drawn at random."))
DRAW = Knob("draw", 0, Range(0, 2**31 - 1), marked("Seed of the draw"), marked("Which pictures are drawn at random, where there are more."))
ENCODING = marked("Finding the codes: {share} %")
QUICK = 8_000_000  # pixels that a dense network encodes and draws again in half a second on one core


@dataclass(frozen=True, eq=False)
class Asked:
    """What the settings ask for. ``source`` names the pictures for :func:`cache.data`; ``rows`` are positions in ``part`` of them."""

    name: str
    model: Autoencoder
    card: Card
    source: str
    part: str
    rows: Tensor
    draw: int

    @property
    def key(self) -> tuple[str, str, str, int, int]:
        """Another one for other weights or other pictures: the same key, the same codes."""
        return self.card.sha256, self.source, self.part, len(self.rows), self.draw

    @property
    def quick(self) -> bool:
        """Whether the codes are there already, or soon enough to wait for."""
        dense = not any(isinstance(each, nn.Conv2d) for each in self.model.modules())
        return self.key in _found or (dense and len(self.rows) * cache.data(self.source).train[0].numel() <= QUICK)


@dataclass(frozen=True, eq=False)
class Chosen:
    """A model of the shelf, the pictures on the map, and their codes.

    ``model`` has ``card`` and is called ``name`` in links. ``data`` are all pictures of the set ``source``, from which ``images`` uint8
    ``(N, C, H, W)`` with ``labels`` ``(N,)`` are the ``rows`` ``(N,)`` of its ``part`` "test", "train", or "all" (training, then test), drawn
    with seed ``draw`` of ``count`` there are. ``codes`` ``(N, n)`` float32; ``errors`` ``(N,)``: mean squared error of each picture drawn again.
    ``fingerprint`` is another one for other weights or other pictures.
    """

    name: str
    model: Autoencoder
    card: Card
    source: str
    data: Images
    part: str
    rows: Tensor
    count: int
    draw: int
    images: Tensor
    labels: Tensor
    codes: Tensor
    errors: Tensor
    fingerprint: str

    @property
    def nbytes(self) -> int:
        """Memory of the arrays that are its own."""
        return self.images.nbytes + self.codes.nbytes + self.errors.nbytes

    def classes(self, t: Translator) -> list[str]:
        """The names of the classes, in the reader's language."""
        return [t(each) for each in self.data.classes]

    @property
    def labelled(self) -> bool:
        """Whether the pictures on the map are of more than one class."""
        return len(self.labels.unique()) > 1


_found: dict[tuple[str, str, str, int, int], Chosen] = {}
MOST_FOUND = 12


def settings(t: Translator) -> Asked | None:
    """Draw the settings; None, with the reason said, as long as there are no pictures."""
    models = shelf.models(state.visitor())
    words = {name: title(card, name, t) for name, (_, card) in models.items()}
    weights = Knob("weights", START, Choice(tuple(models)), marked("Model"), marked("Any model of the Shelf, your own among them."))
    state.open_options(weights)
    name = str(forms.knobs([weights], t, words)["weights"])
    model, card = models[name]
    st.caption(t("Its codes have {count} numbers.", count=model.config.code))
    fitting = _fitting(card)
    usual = fitting[0] if fitting else OWN
    pictures = Knob("pictures", usual, Choice((*fitting, OWN)), marked("Pictures"), marked("Sets whose pictures have the model's size."))
    if st.session_state.get(state.knob_key(pictures.name)) != OWN:  # one's own pictures stay, whatever the model
        state.open_follower(pictures.name, usual)
    state.open_options(pictures)
    source = str(forms.knobs([pictures], t, {each: t(DATASETS[each].title) for each in fitting} | {OWN: t("My own pictures")})["pictures"])
    values: dict[str, Value] = {"weights": name, "pictures": source}
    found: str | None = source
    if source == OWN:
        found = _own(name, card, t)
    with st.expander(t("Which pictures, and how many"), icon=":material/tune:"):
        for knob in (PART, POINTS, DRAW) if source != OWN else (POINTS, DRAW):  # one below the other, for the column is narrow
            values |= forms.knobs([knob], t, {k: t(v) for k, v in PARTS.items()})
    state.put_in_link(values, {each.name: each.default for each in (weights, pictures, PART, POINTS, DRAW)})
    if found is None:
        st.info(t("Choose some pictures above, or a ZIP of them."))
        return None
    part, draw = str(values.get("part", "all")), int(values["draw"])
    rows = latent.sample(len(_part(cache.data(found), part)[0]), int(values["points"]), draw)
    return Asked(name, model, card, found, part, rows, draw)


def title(card: Card, name: str, t: Translator) -> str:
    """What a model is called: its variant and what it learnt from."""
    data = t(DATASETS[card.data].title) if card.data in DATASETS else t("Own pictures")
    words = f"{t(VARIANTS[card.variant].title)} · {data}"
    return t("{model} (mine)", model=words) if name.startswith(shelf.OWN) else words


def ready(asked: Asked, t: Translator) -> Chosen | None:
    """The codes, at once where they are quick to find; else an errand finds them, and this is None until it is done."""
    if asked.quick:
        return encoded(asked)
    wish = mending.Wish("codes", repr(asked.key), work(asked), ENCODING)
    mending.watch(wish, lambda found, t: None, t)
    return mending.result(wish)


def work(asked: Asked) -> Work:
    """What the errand does: encode the pictures and draw them again."""

    def do(report: Report, stopped: Callable[[], bool]) -> Chosen:
        def progress(done: float) -> None:
            report(done)
            if stopped():
                raise Cancelled

        return encoded(asked, progress)

    return do


@torch.no_grad()
def encoded(asked: Asked, progress: Progress | None = None) -> Chosen:
    """The codes of what is asked for, and how badly each picture comes back; kept, so that the same is found at once."""
    if asked.key in _found:
        return _found[asked.key]
    data = cache.data(asked.source)
    images, labels = _part(data, asked.part)
    count, images, labels = len(images), images[asked.rows], labels[asked.rows]
    codes, errors = [], []
    model = asked.model.eval()
    for part in images.split(AT_ONCE):
        x = part.float() / 255
        code = model.encode(x)
        codes.append(code)
        errors.append((model.decode(code) - x).square().flatten(1).mean(1))
        if progress:
            progress(min(1.0, len(codes) * AT_ONCE / len(images)))
    fingerprint = "-".join(str(each) for each in asked.key)
    result = Chosen(
        asked.name,
        model,
        asked.card,
        asked.source,
        data,
        asked.part,
        asked.rows,
        count,
        asked.draw,
        images,
        labels,
        torch.cat(codes),
        torch.cat(errors),
        fingerprint,
    )
    _found[asked.key] = result
    while len(_found) > MOST_FOUND:
        _found.pop(next(iter(_found)))
    return result


def _fitting(card: Card) -> list[str]:
    """The sets at hand whose pictures have the model's size, the one that it learnt from first."""
    found = [name for name, known in DATASETS.items() if known.shape == card.shape and cache.has(name)]
    return sorted(found, key=lambda name: name != card.data)


def _own(name: str, card: Card, t: Translator) -> str | None:
    """Ask for the visitor's pictures, made as large as the model's; gives the name of the set that they make, or None until there is one."""
    channels, height, width = card.shape
    if height != width or height not in uploads.SIZES:
        st.warning(t("This model wants pictures of another shape than yours are made into. Choose another model."))
        return None
    if name != FOR_PHOTOS:
        st.caption(
            t("Photographs need a model with filters, in colour. This one was trained on faces, and sees more of a photograph than most:")
        )
        st.button(t("Take the convolutional model"), key="take-convolutional", on_click=_take, args=(FOR_PHOTOS,))
    found = uploads.own_pictures(t, (height, channels == 3))
    return found if found and cache.data(found).shape == card.shape else None


def _take(name: str) -> None:
    st.session_state[state.knob_key("weights")] = name


def _part(data: Images, part: str) -> tuple[Tensor, Tensor]:
    """Pictures and labels of a part of a set."""
    match part:
        case "test":
            return data.test, data.test_labels
        case "train":
            return data.train, data.train_labels
        case _:
            return torch.cat([data.train, data.test]), torch.cat([data.train_labels, data.test_labels])
