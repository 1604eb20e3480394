"""What a recurrent autoencoder that has learnt is good for: sentences to codes and back, ways between them, mending, strangeness."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aecore.refusal import Refused
from aecore.text.damage import distance
from aecore.text.measures import Recall, padded, recall, surprise, worded
from aecore.text.mender import Mender, pieces, spelt
from aecore.text.network import Recurrent
from aecore.text.tokens import END, SPECIALS, Vocabulary
from aecore.text.variants import Variational

LONGEST = 64
"""Words of a sentence that are read, at most."""
AT_ONCE = 200
SURE = 0.5  # probability from which a mender's word is believed
FAR = 0.6  # edits by letters from which it is not


@dataclass(frozen=True)
class Taught:
    """A network that has learnt, with what it needs to read sentences and to write them."""

    variant: str
    model: nn.Module
    vocabulary: Vocabulary

    @property
    def recurrent(self) -> Recurrent:
        """The network, where one code stands for a sentence; ``Refused`` for a mender or a network of series."""
        if not isinstance(self.model, Recurrent):
            raise Refused("This model has no code for a whole sentence. Choose a recurrent autoencoder of sentences.")
        return self.model

    def rows(self, sentences: Sequence[str]) -> list[Tensor]:
        """Sentences as numbers of words ``(T,)``, END last; those of too many words are cut."""
        return [torch.tensor([*self.vocabulary.encode(each)[:LONGEST], END]) for each in sentences]

    def unknown(self, sentence: str) -> tuple[str, ...]:
        """The words of a sentence that are not in the vocabulary."""
        words = self.vocabulary.tokens.split(sentence)[:LONGEST]
        return tuple(word for word in words if word not in self.vocabulary.ids)


@torch.no_grad()
def encode(taught: Taught, sentences: Sequence[str]) -> Tensor:
    """Sentences to codes ``(B, n)``."""
    return taught.recurrent.encode(padded(taught.rows(sentences)))


def decode(taught: Taught, codes: Tensor, longest: int = LONGEST) -> list[str]:
    """Codes ``(B, n)`` to sentences."""
    with torch.no_grad():
        return [taught.vocabulary.decode(row) for row in taught.recurrent.generate(codes, longest).tolist()]


def reconstruct(taught: Taught, sentences: Sequence[str]) -> list[str]:
    """Sentences as they come back from their codes."""
    return decode(taught, encode(taught, sentences))


def interpolate(taught: Taught, first: str, second: str, count: int = 7) -> list[str]:
    """``count`` sentences on the straight way from one sentence's code to another's, both ends included."""
    start, end = encode(taught, [first, second])
    return decode(taught, torch.lerp(start, end, torch.linspace(0, 1, count)[:, None]))


def draw(taught: Taught, count: int, seed: int = 0) -> list[str]:
    """Sentences of codes drawn from the standard normal distribution; ``Refused`` for a model whose codes are not like that."""
    model = taught.recurrent
    if not isinstance(model, Variational):
        raise Refused("Only a variational autoencoder knows from where to draw new codes. Choose one of those.")
    return decode(taught, torch.randn((count, model.plan.code), generator=torch.Generator().manual_seed(seed)))


@dataclass(frozen=True)
class Strangeness:
    """How little a sentence is like those learnt from: nats of each of its ``words`` (the END last), and the ``mean`` of them."""

    words: tuple[tuple[str, float], ...]
    mean: float


def strangeness(taught: Taught, sentences: Sequence[str]) -> list[Strangeness]:
    """Of each sentence: how unlikely the decoder finds its words, given the sentence's own code."""
    rows = taught.rows(sentences)
    found = []
    for sentence, nats in zip(sentences, surprise(taught.recurrent, rows), strict=True):
        words = [*taught.vocabulary.tokens.split(sentence)[:LONGEST], ""]
        found.append(Strangeness(tuple(zip(words, nats.tolist(), strict=True)), nats.mean().item()))
    return found


@dataclass(frozen=True)
class Mended:
    """A mended sentence, and of each word: as it was given, as it is now, and how sure the model is, from 0 to 1."""

    sentence: str
    words: tuple[tuple[str, str, float], ...]


@torch.no_grad()
def mend(taught: Taught, sentences: Sequence[str]) -> list[Mended]:
    """Sentences with damaged letters, mended; a word stays as it is where the model is not sure, knows none, or would change too much of it."""
    if not isinstance(taught.model, Mender):
        raise Refused("This model does not read letters, so it cannot mend them. Choose a denoising one that does.")
    tokens = taught.vocabulary.tokens
    words = [pieces(tokens, each)[:LONGEST] for each in sentences]
    full = [place for place, each in enumerate(words) if each]
    mended = [Mended(each, ()) for each in sentences]
    for start in range(0, len(full), AT_ONCE):
        places = full[start : start + AT_ONCE]
        chances, ids = taught.model(spelt([words[place] for place in places])).softmax(2).max(2)
        for place, sure, best in zip(places, chances.tolist(), ids.tolist(), strict=True):
            pairs = zip(words[place], best, sure, strict=False)
            found = tuple((given, _believed(taught.vocabulary, given, number, chance), chance) for given, number, chance in pairs)
            mended[place] = Mended(tokens.join([now for _, now, _ in found if now]), found)
    return mended


def _believed(vocabulary: Vocabulary, given: str, number: int, chance: float) -> str:
    """What becomes of the word ``given``: the word of this id, or it stays."""
    if number < SPECIALS or chance < SURE or (given and not any(letter.isalpha() for letter in given)):
        return given
    best = vocabulary.words[number - SPECIALS]
    near = not given or distance(best, given) <= max(1.0, FAR * max(len(best), len(given)))
    return best if near else given


def order(taught: Taught, sentences: Sequence[str], seed: int = 0) -> tuple[Recall, Recall]:
    """The order-of-words experiment: what comes back of sentences, read as they are and read in a random order; the true order is asked for."""
    rows, counted = taught.rows(sentences), worded(taught.vocabulary)
    rng = torch.Generator().manual_seed(seed)
    shuffled = [torch.cat((row[:-1][torch.randperm(len(row) - 1, generator=rng)], row[-1:])) for row in rows]
    return recall(taught.recurrent, rows, counted), recall(taught.recurrent, rows, counted, shuffled)
