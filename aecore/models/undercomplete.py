"""The plain autoencoder."""

from dataclasses import dataclass

from torch import nn

from aecore.knobs import knob
from aecore.models.base import Autoencoder, PictureConfig, Shape
from aecore.models.registry import variant
from aecore.nn import dense


@variant(
    "undercomplete",
    title="Undercomplete",
    formula=r"\min_{f,g}\; \mathbb{E}_{x}\; L\big(x,\, g(f(x))\big), \qquad f(x) \in \mathbb{R}^{n},\; n < \dim x",
    source="Rumelhart, Hinton and Williams (1986), https://doi.org/10.1038/323533a0",
)
class Undercomplete(Autoencoder):
    """The code is smaller than the picture, so the network cannot copy: it must choose what to keep."""

    @dataclass(frozen=True)
    class Config(PictureConfig):
        """Knobs of the dense body."""

        depth: int = knob(0, 0, 3, label="Hidden layers", help="Layers between picture and code, on each side. None: one linear step.")
        width: int = knob(256, 16, 1024, log=True, label="Width", help="Units in each hidden layer.")
        tied: bool = knob(
            False, label="Tied weights", help="The decoder uses the encoder's weights, turned round: half as many numbers to learn."
        )
        linear: bool = knob(
            False, label="Linear", help="No unit bends its input, however many layers there are: under MSE the best it can reach is PCA."
        )

    def __init__(self, shape: Shape, config: Config) -> None:
        super().__init__(shape, config)
        activation = nn.Identity if config.linear else nn.ReLU
        self.encoder = dense.encoder(shape, config.code, config.width, config.depth, activation)
        if config.tied:
            self.decoder = dense.tied_decoder(self.encoder, shape)
        else:
            self.decoder = dense.decoder(shape, config.code, config.width, config.depth, activation)
