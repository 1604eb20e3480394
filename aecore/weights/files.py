"""Pairs on disk: those that come with the lab, and a visitor's own."""

import tempfile
from pathlib import Path

from aecore.models import Autoencoder
from aecore.refusal import Refused
from aecore.weights.card import MOST_CARD_BYTES, NAME, Card
from aecore.weights.pair import pack, unpack
from aecore.weights.tensors import MOST_WEIGHTS_BYTES, Bits

FOLDER = Path(__file__).parents[2] / "weights"
"""Where the shipped pairs and their recipes lie."""


def save(model: Autoencoder, card: Card, path: str | Path, bits: Bits = 32) -> None:
    """Write the pair beside each other; ``path`` is the weights' file, in which a weight takes as many ``bits``. Raises ``Refused`` where it cannot be written."""
    target = _weights_path(path)
    weights, words = pack(model, card, bits)
    write(target, weights)
    write(target.with_suffix(".json"), words)


def load(name_or_path: str | Path) -> tuple[Autoencoder, Card]:
    """The model and card of shipped weights by name, or of a ``.safetensors`` file whose card lies beside it."""
    shipped_name = isinstance(name_or_path, str) and NAME.fullmatch(name_or_path)
    path = FOLDER / f"{name_or_path}.safetensors" if shipped_name else _weights_path(name_or_path)
    if shipped_name and not path.exists():
        raise Refused(
            "There are no weights called {name}; there are: {names}. A file's name ends in .safetensors.",
            name=name_or_path,
            names=", ".join(shipped()) or "none",
        )
    return unpack(read(path, MOST_WEIGHTS_BYTES), read(path.with_suffix(".json"), MOST_CARD_BYTES))


def shipped() -> tuple[str, ...]:
    """Names of the weights that come with the lab, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.safetensors") if path.with_suffix(".json").exists()))


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, so that a reader or a sudden end never meets half of it; ``Refused`` where it cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-", ignore_cleanup_errors=True) as folder:
            temporary = Path(folder) / path.name
            temporary.write_bytes(content)
            temporary.replace(path)
    except OSError as error:
        raise Refused("{path} cannot be written ({reason}). Choose another place.", path=str(path), reason=error.strerror) from error


def _weights_path(path: str | Path) -> Path:
    path = Path(path)
    return path if path.suffix == ".safetensors" else path.with_name(path.name + ".safetensors")


def read(path: Path, most: int) -> bytes:
    """A file's bytes, at most one more than ``most``, so that the check on size that follows can tell; ``Refused`` where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise Refused("{path} cannot be read ({reason}).", path=str(path), reason=error.strerror) from error
