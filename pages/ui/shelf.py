"""The shelf: models that come with the lab, for all, and each visitor's own, for nobody else; in memory, within bounds."""

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock

from aecore import weights
from aecore.data import zipped
from aecore.jobs import View
from aecore.models import Autoencoder
from aecore.refusal import Refused
from aecore.weights import Card
from aecore.weights.card import MOST_CARD_BYTES
from aecore.weights.tensors import MOST_WEIGHTS_BYTES, check_file
from pages.ui import cache, state

Model = tuple[Autoencoder, Card]
OWN = "own-"
MOST_MODELS = 12  # of one visitor
MOST_BYTES = MOST_WEIGHTS_BYTES  # of one visitor's models
MOST_BYTES_IN_ALL = 1_000_000_000
OVERHEAD = 100_000  # bytes that even the smallest model takes


@dataclass(frozen=True)
class Kept:
    """A visitor's own model, its card, and the bytes of memory that the two take."""

    model: Autoencoder
    card: Card
    size: int


_lock = Lock()
_kept: dict[tuple[str, str], Kept] = {}  # by visitor and name, oldest first


def models(visitor: str) -> dict[str, Model]:
    """All models that ``visitor`` may use, by the name that a link has for them: the shipped ones, then their own, newest first."""
    return {name: cache.model(name) for name in weights.shipped()} | own(visitor)


def own(visitor: str) -> dict[str, Model]:
    """The visitor's own models, newest first; their names begin with ``OWN``."""
    with _lock:
        return {name: (each.model, each.card) for (owner, name), each in reversed(_kept.items()) if owner == visitor}


def keep(visitor: str, model: Autoencoder, card: Card) -> str:
    """Put a model on the visitor's own shelf, from where the oldest go when room is short; gives its name there."""
    name = OWN + card.sha256[:12]
    with _lock:
        _kept.pop((visitor, name), None)
        _kept[visitor, name] = Kept(model, card, OVERHEAD + size(model))
        mine = [key for key in _kept if key[0] == visitor]
        while len(mine) > 1 and (len(mine) > MOST_MODELS or sum(_kept[key].size for key in mine) > MOST_BYTES):
            del _kept[mine.pop(0)]
        while len(_kept) > 1 and sum(each.size for each in _kept.values()) > MOST_BYTES_IN_ALL:
            del _kept[next(iter(_kept))]
    return name


def remove(visitor: str, name: str) -> None:
    """Take a model off the visitor's own shelf."""
    with _lock:
        _kept.pop((visitor, name), None)


def size(model: Autoencoder) -> int:
    """Bytes of a model's numbers, which its file holds too."""
    return sum(each.numel() * each.element_size() for each in model.state_dict().values())


def put(view: View) -> str:
    """Put what a finished run has learnt on the visitor's own shelf; gives its name there. Refused where its pictures are gone."""
    model = cache.trained(view, cache.data(view.order.data).shape)
    return keep(state.visitor(), model, card_of(view, model))


def card_of(view: View, model: Autoencoder) -> Card:
    """The card of the ``model`` that a finished run has learnt."""
    assert view.finished is not None
    return weights.card_for(model, name_of(view), view.order.data, view.order.plan, view.finished, view.judged)


def name_of(view: View) -> str:
    """What the files of a run are called."""
    return f"{re.sub(r'[^a-z0-9-]', '', view.order.data)[:20]}-{view.order.variant}"


def whole(model: Autoencoder, card: Card) -> bytes:
    """The weights and their card in a ZIP, which :func:`read` takes back."""
    tensors, text = weights.pack(model, card)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{card.name}.safetensors", tensors)
        archive.writestr(f"{card.name}.json", text)
    return file.getvalue()


def read(files: Sequence[tuple[str, bytes]]) -> Model:
    """The one model in a stranger's files, given as (name, content): weights and card, or a ZIP of both. Refused where there is none."""
    parts = [part for name, content in files for part in (_unzipped(name, content) if name.lower().endswith(".zip") else [(name, content)])]
    cards = [content for name, content in parts if name.lower().endswith(".json")]
    tensors = [content for name, content in parts if not name.lower().endswith(".json")]
    for each in tensors:
        check_file(each)
    if len(cards) > 1 or len(tensors) > 1 or not parts:
        raise Refused("One model at a time is taken: one .safetensors file and the .json file that is its card. Leave out the others.")
    if not cards:
        raise Refused("The card is missing. Add the .json file that was saved with these weights.")
    if not tensors:
        raise Refused("The weights are missing. Add the .safetensors file that was saved with this card.")
    return weights.unpack(tensors[0], cards[0])


def _unzipped(name: str, content: bytes) -> list[tuple[str, bytes]]:
    """The pair in a ZIP, each file read only as far as its limit and one byte beyond, so that what reads it next can tell."""
    try:
        found = zipped.entries(content, name, (".safetensors", ".json"))
    except Refused as refused:
        raise _unfit(name) from refused
    if not 1 <= len(found) <= 2:
        raise _unfit(name)
    most = {each.path: MOST_CARD_BYTES if each.path.lower().endswith(".json") else MOST_WEIGHTS_BYTES for each in found}
    return [(each.path, replace(each, size=min(each.size, most[each.path] + 1)).read()) for each in found]


def _unfit(name: str) -> Refused:
    return Refused(
        "{name} is not a ZIP of one model and its card, whole and safe to open. Choose the two files themselves.", name=name[:60]
    )
