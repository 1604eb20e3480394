"""What networks know of words: their vectors, neighbours and analogies, beside two ways that need no network."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional

from aecore.refusal import Refused
from aecore.text.pairs import Pair
from aecore.text.tokens import SPECIALS, Vocabulary
from aecore.text.uses import Taught

REACH = 4
"""Words to either side that count as being near."""
TINY = 1e-9


@dataclass(frozen=True)
class Words:
    """Words and their vectors ``(N, D)``, row for row."""

    words: tuple[str, ...]
    vectors: Tensor

    def place(self, word: str) -> int:
        """The row of a word, as it is written or in small letters; ``Refused`` for one that is not there."""
        for each in (word, word.lower()):
            if each in self.words:
                return self.words.index(each)
        raise Refused("{word} does not occur in the text that was learnt from. Choose another word.", word=word[:60])


def vectors(taught: Taught) -> Words:
    """The embeddings that a network of sentences has learnt; marks and other tokens without a letter or digit are left out."""
    return worded(taught.vocabulary, taught.recurrent.embedding.weight.detach()[SPECIALS:])


def worded(vocabulary: Vocabulary, table: Tensor) -> Words:
    """The words among a vocabulary's tokens with their rows of ``table`` ``(N, D)``."""
    kept = [place for place, word in enumerate(vocabulary.words) if any(letter.isalnum() for letter in word)]
    return Words(tuple(vocabulary.words[place] for place in kept), table[kept])


def neighbours(words: Words, word: str, count: int = 8) -> tuple[tuple[str, float], ...]:
    """The words whose vectors point most nearly where ``word``'s does, with the cosine between them, nearest first."""
    place = words.place(word)
    return _nearest(words, words.vectors[place], {place}, count)


def analogy(words: Words, first: str, second: str, third: str, count: int = 5) -> tuple[tuple[str, float], ...]:
    """What is to ``third`` as ``second`` is to ``first``: the words nearest to second - first + third, none of the three among them.

    Source: Mikolov, Yih and Zweig (2013), https://aclanthology.org/N13-1090.
    """
    places = [words.place(each) for each in (first, second, third)]
    a, b, c = functional.normalize(words.vectors[places])
    return _nearest(words, b - a + c, set(places), count)


def auc(words: Words, pairs: Iterable[Pair]) -> float:
    """The chance that two words of a kind are nearer, by the cosine, than two words drawn at random: 0.5 is guessing.

    Pairs with a word that has no vector are left out.
    """
    known = [each for each in pairs if each.first in words.words and each.second in words.words]
    if len({each.alike for each in known}) < 2:
        raise Refused("The text has too few words of a kind to judge what was learnt of them. Choose a longer text.")
    table = functional.normalize(words.vectors)
    near = [float(table[words.place(each.first)] @ table[words.place(each.second)]) for each in known]
    return float(roc_auc_score([each.alike for each in known], near))


def pmi_svd(sentences: Sequence[str], vocabulary: Vocabulary, size: int) -> Words:
    """Vectors ``size`` wide from counting alone: how much more often than by chance two words are near each other, its negative part left out,
    and the largest singular vectors of that.

    Sources: Bullinaria and Levy (2007), https://doi.org/10.3758/BF03193020; Levy and Goldberg (2014), https://arxiv.org/abs/1402.3722.
    """
    count = len(vocabulary)
    near = torch.zeros(count * count)
    for sentence in sentences:
        ids = torch.tensor(vocabulary.encode(sentence))
        for shift in range(1, min(REACH, len(ids) - 1) + 1):
            near.index_add_(0, ids[:-shift] * count + ids[shift:], torch.ones(len(ids) - shift))
    near = near.view(count, count)
    near = (near + near.T)[SPECIALS:, SPECIALS:]
    share = near.sum(1) / near.sum().clamp_min(1)
    surprise = (near / near.sum().clamp_min(1) / (share[:, None] * share).clamp_min(TINY)).clamp_min(TINY).log().clamp_min(0)
    left, values, _ = torch.linalg.svd(surprise)
    return worded(vocabulary, left[:, :size] * values[:size].sqrt())


def at_random(vocabulary: Vocabulary, size: int, seed: int = 0) -> Words:
    """Vectors as a network has them before it learns: normal, from ``seed``."""
    return worded(vocabulary, torch.randn((len(vocabulary) - SPECIALS, size), generator=torch.Generator().manual_seed(seed)))


def _nearest(words: Words, towards: Tensor, without: set[int], count: int) -> tuple[tuple[str, float], ...]:
    cosines = functional.normalize(words.vectors) @ functional.normalize(towards, dim=0)
    order = [place for place in cosines.argsort(descending=True).tolist() if place not in without]
    return tuple((words.words[place], cosines[place].item()) for place in order[:count])
