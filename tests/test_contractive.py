"""The contractive penalty against the Jacobian that autograd writes down whole."""

import pytest
import torch
from torch import Tensor, nn

import aecore
from aecore.nn import jacobian
from aecore.training import Plan
from tests.synthetic import blobs

BODIES = {
    "one layer": {"depth": 0},
    "one hidden": {"depth": 1, "width": 32},
    "deep": {"depth": 3, "width": 48},
    "wider than the picture": {"depth": 2, "width": 512},
    "convolutional": {"body": "convolutional", "depth": 1, "width": 64},
    "convolutional and deep": {"body": "convolutional", "depth": 3, "width": 64},
}


def pictures(shape: tuple[int, int, int], count: int = 5) -> Tensor:
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(0))


def dense_norms(encoder: nn.Module, x: Tensor) -> Tensor:
    """Of each picture, from its whole Jacobian."""

    def code(picture: Tensor) -> Tensor:
        return encoder(picture[None])[0]

    wholes = [torch.autograd.functional.jacobian(code, picture, create_graph=True) for picture in x]
    return torch.stack([whole.square().sum() for whole in wholes if isinstance(whole, Tensor)])


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("shape", [(1, 12, 12), (3, 9, 14)], ids=str)
@pytest.mark.parametrize("held", [1 << 23, 1], ids=["at once", "one by one"])
def test_penalty_and_its_slopes_equal_those_of_the_dense_jacobian(
    body: str, shape: tuple[int, int, int], held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jacobian, "MOST_NUMBERS", held)
    model = aecore.build("contractive", shape, code=7, strength=0.5, **BODIES[body])
    x = pictures(shape)
    mine, whole = jacobian.code_and_squared_norm(model.encoder, x)[1], dense_norms(model.encoder, x)
    torch.testing.assert_close(mine, whole, rtol=1e-5, atol=0)
    term = model.loss(x, torch.Generator())["contraction"]
    torch.testing.assert_close(term, 0.5 * whole.mean(), rtol=1e-5, atol=0)
    learnt = list(model.encoder.parameters())
    slopes = (torch.autograd.grad(each, learnt, allow_unused=True) for each in (mine.mean(), whole.mean()))
    for first, second in zip(*slopes, strict=True):
        assert (first is None or not first.any()) == (second is None or not second.any())
        if first is not None and second is not None:
            torch.testing.assert_close(first, second, rtol=1e-3, atol=1e-4 * second.abs().max().item())


def test_a_linear_code_has_its_matrix_for_a_jacobian() -> None:
    layer = nn.Linear(16, 3)
    norms = jacobian.code_and_squared_norm(nn.Sequential(nn.Flatten(), layer), pictures((1, 4, 4)))[1]
    torch.testing.assert_close(norms, layer.weight.square().sum().expand(5))


def test_the_penalty_makes_the_code_stand_still() -> None:
    data, norms = blobs(), []
    x = data.test.float() / 255
    for strength in (1e-7, 1e-2):
        model = aecore.build("contractive", data.shape, code=8, loss="mse", strength=strength)
        list(aecore.train(model, data, Plan(epochs=20, batch=16, rate=1e-2), device=torch.device("cpu")))
        norms.append(jacobian.code_and_squared_norm(model.encoder, x)[1].mean().item())
    assert norms[1] < norms[0] / 2
