"""A recurrent autoencoder of sentences to take home: weights, card, a script that needs only torch and safetensors, and its words as points."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace

from aecore.data import zipped
from aecore.data.own import shown
from aecore.denoise.weights import Card
from aecore.latent.export import metadata
from aecore.refusal import Refused
from aecore.takehome.script import import_lines
from aecore.takehome.source import gather
from aecore.text import embeddings, tokens, uses
from aecore.text.embeddings import Words
from aecore.text.mender import Mender
from aecore.text.network import Recurrent
from aecore.text.uses import Taught
from aecore.text.weights import CARD, MOST_CARD_BYTES, pack, unpack
from aecore.weights.tensors import MOST_WEIGHTS_BYTES

LOADING = """\
HERE = Path(__file__).parent
card = json.loads((HERE / "{card}").read_text(encoding="utf-8"))
vocabulary = Vocabulary.read(card["vocabulary"])
model = {model}(len(vocabulary), SimpleNamespace(**card["plan"]))
model.load_state_dict(load_file(HERE / "{weights}"))
taught = Taught(card["variant"], model.eval(), vocabulary)

for sentence in sys.argv[1:] or [{sentence!r}]:
    print("in: ", sentence)
"""
SAYING = """\
    print("out:", *reconstruct(taught, [sentence]))
    known = vectors(taught)
    for word in sorted({*vocabulary.tokens.split(sentence)} & {*known.words}, key=lambda each: (-len(each), each))[:3]:
        print(f"nearest to {word}:", ", ".join(name for name, cosine in neighbours(known, word)))"""
MENDING = """\
    print("out:", mend(taught, [sentence])[0].sentence)"""
PROJECTOR = 'embeddings {\n  tensor_path: "vectors.tsv"\n  metadata_path: "metadata.tsv"\n}\n'


def bundle(taught: Taught, card: Card, sentence: str) -> bytes:
    """A ZIP, its files called as the card says: the pair of files that :func:`aecore.text.weights.restore` reads, and the script."""
    weights, words = pack(taught.model, card, taught.variant, taught.vocabulary)
    return _zipped({f"{card.name}.safetensors": weights, card.name + CARD: words, f"{card.name}.py": script(taught, card, sentence)})


def unbundle(name: str, content: bytes) -> tuple[Taught, Card]:
    """Model and card from such a ZIP, possibly a stranger's; ``name`` is only used to speak of it. ``Refused`` for whatever does not fit."""
    name = shown(name)
    found = zipped.entries(content, name, (".safetensors", CARD))
    most = {each.path: MOST_CARD_BYTES if each.path.lower().endswith(CARD) else MOST_WEIGHTS_BYTES for each in found}
    if sorted(most.values()) != [MOST_CARD_BYTES, MOST_WEIGHTS_BYTES]:
        raise Refused("{name} does not hold one model of sentences with its card. Choose a ZIP that was saved on this page.", name=name)
    parts = {most[each.path]: replace(each, size=min(each.size, most[each.path] + 1)).read() for each in found}
    model, variant, vocabulary, card = unpack(parts[MOST_WEIGHTS_BYTES], parts[MOST_CARD_BYTES])
    if vocabulary is None or not isinstance(model, Recurrent):
        raise Refused("This model has no code for a whole sentence. Choose a recurrent autoencoder of sentences.")
    return Taught(variant, model, vocabulary), card


def script(taught: Taught, card: Card, sentence: str) -> str:
    """Python that loads the files beside it and says ``sentence``, or those that it is given, again; the definitions are the lab's own source.

    That of a mender mends them.
    """
    model = type(taught.model)
    mends = issubclass(model, Mender)
    definitions = (
        (model.__module__, (model.__name__,)),
        (tokens.__name__, ("Vocabulary",)),
        (uses.__name__, ("Taught", "mend" if mends else "reconstruct")),
        (embeddings.__name__, () if mends else ("vectors", "neighbours")),
    )
    imports, chapters = gather([(module, name) for module, names in definitions for name in names])
    imports |= {
        ("json", "", "json"),
        ("sys", "", "sys"),
        ("pathlib", "Path", "Path"),
        ("types", "SimpleNamespace", "SimpleNamespace"),
        ("safetensors.torch", "load_file", "load_file"),
    }
    loading = LOADING.format(card=card.name + CARD, weights=f"{card.name}.safetensors", model=model.__name__, sentence=sentence)
    using = loading + (MENDING if mends else SAYING)
    data, source, licence = (
        each.replace('"', "'") for each in (card.data, card.source, card.licence)
    )  # a stranger's must not end the docstring
    introduction = (
        "A recurrent autoencoder of sentences from Autoencoder Lab\n\n"
        f"Learnt from: {data}. Source: {source}. Licence: {licence}.\n\n"
        f"Needs Python 3.11 or later, torch and safetensors, and {card.name}.safetensors and {card.name}{CARD} in the same folder.\n"
        f'Run it with sentences of your own: python {card.name}.py "One sentence." "Another."'
    )
    parts = [
        ("Imports", import_lines(imports)),
        *((each.title.rstrip("."), each.code) for each in chapters),
        ("Load it, and use it", using),
    ]
    cells = "\n\n\n".join(f"# %% {title}\n\n\n{code}" for title, code in parts[1:])
    return f'r"""{introduction}\n"""\n\n{parts[0][1]}\n\n\n{cells}\n'


def projector(known: Words, kinds: Sequence[str] = ()) -> bytes:
    """A ZIP that TensorFlow's Embedding Projector reads: ``vectors.tsv``, one word's vector a line, and ``metadata.tsv`` with the word and its kind.

    Source: https://www.tensorflow.org/tensorboard/tensorboard_projector_plugin
    """
    rows = ("\t".join(f"{value:.8g}" for value in vector) + "\n" for vector in known.vectors.tolist())
    columns = {"word": known.words} | ({"kind": kinds} if kinds else {})
    return _zipped({"vectors.tsv": "".join(rows), "metadata.tsv": metadata(columns), "projector_config.pbtxt": PROJECTOR})


def _zipped(files: dict[str, bytes | str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()
