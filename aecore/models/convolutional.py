"""The autoencoder that knows that neighbouring pixels belong together."""

from dataclasses import dataclass

from aecore.knobs import knob
from aecore.models.base import Autoencoder, PictureConfig, Shape
from aecore.models.registry import variant
from aecore.nn import conv


@variant(
    "convolutional",
    title="Convolutional",
    formula=r"\min_{K}\; \mathbb{E}_{x}\; L\big(x,\, g(f(x))\big), \qquad f_{\ell+1} = \mathrm{ReLU}\big(K_{\ell} * f_{\ell} + b_{\ell}\big)",
    source="Masci, Meier, Cireşan and Schmidhuber (2011), https://doi.org/10.1007/978-3-642-21735-7_7",
)
class Convolutional(Autoencoder):
    """Small filters slide over the picture: what is learnt in one corner is known in all of them."""

    @dataclass(frozen=True)
    class Config(PictureConfig):
        """Knobs of the convolutional body."""

        depth: int = knob(2, 1, 4, label="Levels", help="How many times the picture's sides are halved on the way to the code.")
        channels: int = knob(16, 4, 64, log=True, label="Filters", help="Filters in the first level; each further level has twice as many.")

    def __init__(self, shape: Shape, config: Config) -> None:
        super().__init__(shape, config)
        self.encoder = conv.encoder(shape, config.code, config.channels, config.depth)
        self.decoder = conv.decoder(shape, config.code, config.channels, config.depth)
