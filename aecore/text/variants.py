"""The recurrent autoencoders there are, by name; page, tests and command line read this list."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aecore import losses
from aecore.knobs import knob
from aecore.refusal import Refused
from aecore.text.mender import Mender
from aecore.text.network import Recurrent, SentencePlan
from aecore.text.series import SeriesRecurrent
from aecore.text.tokens import PAD

ACTIVE = 0.01
"""A value of the code is active if its mean differs by more than this variance from sentence to sentence."""


@dataclass(frozen=True)
class DenoisingPlan(SentencePlan):
    """The knobs of the damage."""

    damage: float = knob(0.1, 0.0, 0.5, label="Damage", help="Share of the words that are lost, swapped with the next, or said twice.")


class Denoising(Recurrent):
    """Sentences go in with words lost, swapped or said twice, and must come out whole.

    Source: Hill, Cho and Korhonen (2016), https://arxiv.org/abs/1602.03483.
    """

    Plan = DenoisingPlan


@dataclass(frozen=True)
class VariationalPlan(SentencePlan):
    """The knobs of the cloud, and those against its collapse."""

    code: int = knob(32, 2, 1024, log=True, label="Code size", help="How many numbers stand for a sentence, each with its uncertainty.")
    word_dropout: float = knob(
        0.5, 0.0, 1.0, label="Word dropout", help="Share of the words before the next one that are kept from the decoder."
    )
    beta: float = knob(0.25, 0.0, 20.0, label="Beta", help="Weight of the KL divergence.")
    warm_up: int = knob(2_000, 0, 100_000, label="Warm-up steps", help="Steps over which beta grows from 0.")
    free: float = knob(0.1, 0.0, 2.0, label="Free bits (nats)", help="What each value of the code may tell before it costs.")


class Variational(Recurrent):
    """The code is a cloud, so that new sentences can be drawn from it; a decoder that speaks well alone may give the code up.

    Against that: the divergence counts little at first, each value may spend ``free`` nats, and words are kept from the decoder.
    Sources: Bowman et al. (2016), https://arxiv.org/abs/1511.06349; Kingma et al. (2016), https://arxiv.org/abs/1606.04934 (free bits).
    """

    Plan = VariationalPlan
    plan: VariationalPlan

    def written(self) -> int:
        """A mean and the logarithm of a variance for each value."""
        return 2 * self.plan.code

    def region(self, sentences: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of each code, ``(B, n)`` each."""
        mean, log_variance = self.code(self.read(sentences)).chunk(2, dim=1)
        return mean, log_variance.clamp(-15, 15)

    def encode(self, sentences: Tensor) -> Tensor:
        """The middle of each sentence's cloud."""
        return self.region(sentences)[0]

    def loss(self, given: Tensor, target: Tensor, rng: torch.Generator, step: int) -> dict[str, Tensor]:
        """The negative ELBO in nats per word, free bits aside."""
        mean, log_variance = (each.float() for each in self.region(given))
        code = mean + (0.5 * log_variance).exp() * torch.randn(mean.shape, generator=rng)
        paid = losses.kl_normal(mean, log_variance).mean(0).clamp_min(self.plan.free).sum() * len(target) / (target != PAD).sum()
        weight = self.plan.beta * min(1.0, step / max(1, self.plan.warm_up))
        return {"reconstruction": self.distance(code, target, rng), "divergence": weight * paid}


@torch.no_grad()
def divergence(model: Variational, sentences: Tensor) -> tuple[float, int]:
    """The collapse meter: KL in nats per sentence, and how many values are active. Both near 0: the code is not used.

    Source: Burda, Grosse and Salakhutdinov (2016), https://arxiv.org/abs/1509.00519 (active values).
    """
    mean, log_variance = model.region(sentences)
    return losses.kl_normal(mean, log_variance).sum(1).mean().item(), int((mean.var(0) > ACTIVE).sum())


class BagOfWords(Recurrent):
    """The code is made of which words there are, not of their order; the decoder must guess that. For comparison."""

    def __init__(self, words: int, plan: SentencePlan) -> None:
        super().__init__(words, plan)
        self.encoder = nn.Linear(plan.embedding, plan.width)  # type: ignore[assignment]
        self.code = nn.Linear(plan.width, plan.code)

    def read(self, sentences: Tensor) -> Tensor:
        """The sum of the embeddings, through one layer."""
        return self.encoder((self.embedding(sentences) * (sentences != PAD)[..., None]).sum(1)).relu()


@dataclass(frozen=True)
class Variant:
    """A kind of recurrent autoencoder: its network and its words in English. ``reads`` is "words", "letters" or "numbers"."""

    name: str
    model: type[Recurrent] | type[Mender] | type[SeriesRecurrent]
    title: str
    reads: str
    formula: str
    source: str

    @property
    def about(self) -> str:
        """One sentence for a student: the first line of the class's docstring."""
        return (self.model.__doc__ or "").strip().splitlines()[0]


_ALL = (
    Variant(
        "recurrent",
        Recurrent,
        "Recurrent",
        "words",
        r"\min_{f,g}\; -\sum_{t} \log p_g\big(w_t \mid w_{<t},\, f(w_1, \dots, w_T)\big)",
        "Sutskever, Vinyals and Le (2014), https://arxiv.org/abs/1409.3215",
    ),
    Variant(
        "recurrent-denoising",
        Denoising,
        "Recurrent, denoising",
        "words",
        r"\min_{f,g}\; -\sum_{t} \log p_g\big(w_t \mid w_{<t},\, f(\tilde w)\big)",
        "Hill, Cho and Korhonen (2016), https://arxiv.org/abs/1602.03483",
    ),
    Variant(
        "recurrent-variational",
        Variational,
        "Recurrent, variational",
        "words",
        r"\min_{f,g}\; \mathbb{E}_{z \sim q(z \mid w)}\Big[-\sum_{t} \log p_g(w_t \mid w_{<t},\, z)\Big]"
        r" + \beta\, \sum_i \max\big(\lambda,\, D_{\mathrm{KL}}^{(i)}\big)",
        "Bowman et al. (2016), https://arxiv.org/abs/1511.06349",
    ),
    Variant(
        "bag-of-words",
        BagOfWords,
        "Bag of words",
        "words",
        r"\min_{f,g}\; -\sum_{t} \log p_g\Big(w_t \mid w_{<t},\, f\big(\textstyle\sum_s e(w_s)\big)\Big)",
        "Iyyer et al. (2015), https://doi.org/10.3115/v1/P15-1162",
    ),
    Variant(
        "mender",
        Mender,
        "Denoising, letters",
        "letters",
        r"\min_{f,g}\; -\sum_{t} \log p_g\big(w_t \mid f_t(\tilde w)\big)",
        "Sakaguchi et al. (2017), https://arxiv.org/abs/1608.02214",
    ),
    Variant(
        "recurrent-series",
        SeriesRecurrent,
        "Recurrent, series",
        "numbers",
        r"\min_{f,g}\; \sum_{t} \big\| x_t - g_t(f(x_1, \dots, x_T)) \big\|^2",
        "Srivastava, Mansimov and Salakhutdinov (2015), https://arxiv.org/abs/1502.04681",
    ),
)
SEQUENCES: dict[str, Variant] = {each.name: each for each in _ALL}


def find(name: str) -> Variant:
    """The recurrent autoencoder called ``name``, or ``Refused`` with the choices."""
    if name not in SEQUENCES:
        raise Refused("There is no variant called {name}; there are: {names}.", name=name[:60], names=", ".join(SEQUENCES))
    return SEQUENCES[name]
