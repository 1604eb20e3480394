"""The variants whose code is wide and mostly silent: what is exactly zero, who pays, and who comes back from the dead."""

import pytest
import torch

import aecore
from aecore.data import Images
from aecore.models import Autoencoder
from aecore.models.sparse import Sparse
from aecore.models.topk import DEAD_AFTER, TopK
from aecore.nn.topk import keep_largest
from aecore.training import Finished, Plan, Started, Training
from tests.synthetic import blobs

CPU = torch.device("cpu")
NO_RNG = torch.Generator()


def digits(count: int = 2000) -> Images:
    every = aecore.data.load("digits")
    return Images(every.train[:count], every.train_labels[:count], every.test[:500], every.test_labels[:500], every.classes)


def trained(name: str, data: Images, epochs: int, **knobs: object) -> tuple[Autoencoder, Finished, torch.Tensor]:
    """The model, its last event and its codes of the test pictures."""
    model = aecore.build(name, data.shape, **knobs)
    *_, finished = aecore.train(model, data, Plan(epochs=epochs), device=CPU)
    assert isinstance(finished, Finished)
    with torch.no_grad():
        return model, finished, model.encode(data.test.float() / 255)


def active(codes: torch.Tensor) -> torch.Tensor:
    return (codes != 0).sum(1)


def test_keep_largest_keeps_the_largest_with_their_sign_at_their_place() -> None:
    values = torch.tensor([[0.5, -1.0, 3.0, 2.0], [-4.0, -1.0, -2.0, -3.0]])
    assert keep_largest(values, 2).tolist() == [[0, 0, 3, 2], [0, -1, -2, 0]]
    assert torch.equal(keep_largest(values, 9), values)


@pytest.mark.parametrize(
    "values", [torch.zeros(4, 30), torch.ones(4, 30), -torch.ones(4, 30), torch.eye(4, 30)], ids=["0", "1", "-1", "eye"]
)
def test_keep_largest_leaves_exactly_k_even_of_equal_values_and_zeros(values: torch.Tensor) -> None:
    kept = keep_largest(values, 7)
    assert (active(kept) == 7).all()
    torch.testing.assert_close(kept.sum(1), values.sort(1, descending=True).values[:, :7].sum(1))


def test_keep_largest_lets_the_slope_through_to_the_survivors_alone() -> None:
    values = torch.tensor([[1.0, 5.0, 0.0, 4.0]], requires_grad=True)
    keep_largest(values, 2).square().sum().backward()
    assert values.grad is not None and values.grad.tolist() == [[0, 10, 0, 8]]


@pytest.mark.parametrize("body", ["dense", "convolutional"])
def test_top_25_of_1000_are_exactly_25_before_and_after_learning(body: str) -> None:
    data = digits(500)
    model = aecore.build("top-k", data.shape, code=1000, k=25, body=body, depth=int(body == "convolutional"))
    odd = torch.cat([torch.zeros(1, *data.shape), torch.ones(1, *data.shape), data.test[:50].float() / 255])
    assert (active(model.encode(odd)) == 25).all()
    list(aecore.train(model, data, Plan(epochs=2), device=CPU))
    assert (active(model.encode(odd)) == 25).all()


def test_a_code_smaller_than_k_is_kept_whole() -> None:
    assert (active(aecore.build("top-k", (1, 12, 12), code=5, k=25).encode(torch.rand(3, 1, 12, 12))) == 5).all()


def test_dead_units_come_back_and_without_revival_stay_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aecore.models.topk.DEAD_AFTER", 1_000)  # there are few pictures here
    data = digits()
    dead = {revival: (trained("top-k", data, 12, k=10, revival=revival)[2] == 0).all(0).sum().item() for revival in (0.0, 1.0)}
    assert dead[1.0] < 0.6 * dead[0.0], dead


def test_the_dead_are_lifted_until_they_win_where_they_came_closest() -> None:
    model = aecore.build("top-k", (1, 12, 12), code=20, k=4)
    assert isinstance(model, TopK)
    x = torch.rand(6, 1, 12, 12, generator=NO_RNG.manual_seed(0))
    loser = int(model.encode(x).ne(0).any(0).int().argmin())
    with torch.no_grad():
        model.encoder[-1].bias[loser] -= 100  # type: ignore[index, union-attr]
        before = model.encoder(x)
        model.after_step(x, NO_RNG)
        assert torch.equal(model.encoder(x), before)  # not yet dead
        model.silent[loser] = DEAD_AFTER + 1
        model.after_step(x, NO_RNG)
        margin = model.encoder(x)[:, loser] - before.topk(4).values[:, -1]
    assert margin.max().item() == pytest.approx(0, abs=1e-4)
    others = torch.arange(20) != loser
    torch.testing.assert_close(model.encoder(x)[:, others], before[:, others])


def test_tied_a_unit_looks_for_the_atom_that_it_adds() -> None:
    model, _, _ = trained("top-k", blobs(), 1, code=20, k=4, tied=True)
    assert model.parameter_count() == 20 * 144 + 20 + 144
    nothing, one = torch.zeros(1, 20), torch.eye(20)[:1]
    with torch.no_grad():
        atom = model.decoder(one) - model.decoder(nothing)
        rise = model.encoder(atom) - model.encoder(torch.zeros_like(atom))
    assert rise[0, 0].item() == pytest.approx(atom.square().sum().item(), rel=1e-3)


def test_silence_is_counted_in_pictures_and_ends_with_a_win() -> None:
    model = aecore.build("top-k", (1, 12, 12), code=20, k=4)
    assert isinstance(model, TopK)
    x = torch.rand(6, 1, 12, 12, generator=NO_RNG.manual_seed(0))
    won = model.encode(x).ne(0).any(0)
    for _ in range(3):
        model.after_step(x, NO_RNG)
    assert (model.silent[won] == 0).all() and (model.silent[~won] == 18).all() and won.any() and not won.all()


@pytest.mark.parametrize("name", ["sparse", "sparse-kl", "top-k"])
def test_a_run_from_a_checkpoint_equals_one_never_interrupted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Units die within these few steps, so the counts of silence have to travel too."""
    monkeypatch.setattr("aecore.models.topk.DEAD_AFTER", 60)
    data, plan = blobs(), Plan(epochs=3, batch=16)
    knobs = {"code": 30} | ({"k": 3} if name == "top-k" else {})
    whole = Training(aecore.build(name, data.shape, **knobs), data, plan, device=CPU)
    first = Training(aecore.build(name, data.shape, **knobs), data, plan, device=CPU)
    list(whole.events())
    for event in first.events():
        if not isinstance(event, Started) and first.progress.step == 17:
            break
    second = Training(aecore.build(name, data.shape, seed=5, **knobs), data, plan, device=CPU, checkpoint=first.checkpoint())
    list(second.events())
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[key]), key
    if isinstance(whole.model, TopK):
        assert (whole.model.silent > 60).any()


def test_a_higher_toll_leaves_fewer_units_active_and_worse_pictures() -> None:
    runs = [trained("sparse", digits(), 10, toll=toll) for toll in (1e-5, 3e-4)]
    cheap, dear = (active(codes).float().mean().item() for _, _, codes in runs)
    assert dear < 0.75 * cheap
    assert runs[1][1].test["mse"] > runs[0][1].test["mse"]
    assert runs[1][2].min() == 0


@pytest.mark.parametrize("body", ["dense", "convolutional"])
def test_no_decoder_column_outgrows_length_1(body: str) -> None:
    """Else the code could shrink and the decoder grow, and the toll would be paid by nobody."""
    model, _, _ = trained("sparse", blobs(), 10, body=body, depth=1, toll=1e-2)
    assert isinstance(model, Sparse)
    columns = [
        weight.transpose(0, 1).flatten(1).norm(dim=1) for name, weight in model.decoder.named_parameters() if name.endswith("weight")
    ]
    assert len(columns) >= 2
    assert max(each.max().item() for each in columns) <= 1 + 1e-5


def test_units_are_pulled_to_their_rate() -> None:
    far, near = (trained("sparse-kl", digits(), 10, pull=pull)[2].mean(0) for pull in (1e-5, 3e-2))
    assert (near - 0.05).abs().mean() < 0.02
    assert (near - 0.05).abs().mean() < 0.2 * (far - 0.05).abs().mean()
