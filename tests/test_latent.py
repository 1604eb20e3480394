"""Maps, ways and measures of codes, against scikit-learn and numpy, and on codes whose answers are known."""

import math

import numpy as np
import pytest
import torch
from sklearn import decomposition
from sklearn.manifold import trustworthiness
from torch import Tensor

from aecore import latent
from aecore.latent.nearby import Blend
from aecore.models import Autoencoder, build
from aecore.refusal import Refused
from tests.synthetic import blobs


def clusters(count: int = 120, width: int = 6, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Codes around three middles, and which each belongs to."""
    rng = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    middles = 8 * torch.randn(3, width, generator=rng)
    return middles[labels] + torch.randn(count, width, generator=rng), labels


def model(code: int = 5) -> Autoencoder:
    return build("undercomplete", (1, 12, 12), seed=0, code=code).eval()


@pytest.fixture(scope="module")
def maps() -> dict[str, latent.Map]:
    """One map by each method; UMAP's is made once, since its compiling takes seconds."""
    codes, _ = clusters()
    return {name: latent.project(codes, latent.Projection(method=name, perplexity=10.0, neighbours=8)) for name in latent.METHODS}


# Maps


def test_every_method_keeps_clusters_together(maps: dict[str, latent.Map]) -> None:
    codes, labels = clusters()
    for name, drawn in maps.items():
        assert drawn.points.shape == (120, 2), name
        assert drawn.points.dtype == torch.float32
        assert torch.equal(drawn.codes, codes)
        if name != "code":
            assert latent.silhouette(drawn.points, labels) > 0.5, name
            assert latent.faithfulness(codes, drawn.points, 8).trustworthiness > 0.85, name


def test_pca_is_that_of_scikit_learn_and_its_inverse_is_exact() -> None:
    codes, _ = clusters()
    for dims in (2, 3):
        drawn = latent.project(codes, latent.Projection(method="pca", dims=dims))
        reference = decomposition.PCA(dims, svd_solver="full")
        assert drawn.points.numpy() == pytest.approx(reference.fit_transform(codes.numpy()), abs=1e-4)
        anywhere = 5 * torch.randn(7, dims, generator=torch.Generator().manual_seed(1))
        found = drawn.way.inverse(anywhere)
        assert drawn.way.exact
        assert found.numpy() == pytest.approx(reference.inverse_transform(anywhere.numpy()), abs=1e-4)
        assert torch.allclose(drawn.way.place(found), anywhere, atol=1e-4)


def test_a_code_of_two_values_is_its_own_map() -> None:
    codes, _ = clusters(width=2)
    drawn = latent.project(codes, latent.Projection(method="code"))
    assert torch.equal(drawn.points, codes)
    assert torch.allclose(drawn.way.inverse(codes), codes, atol=1e-5)


def test_chosen_values_are_drawn_and_the_others_stay_in_the_middle() -> None:
    codes, _ = clusters()
    drawn = latent.project(codes, latent.Projection(method="code", first=4, second=1))
    assert torch.equal(drawn.points, codes[:, [4, 1]])
    (found,) = drawn.way.inverse(torch.tensor([[2.0, -3.0]]))
    expected = codes.mean(0).clone()
    expected[4], expected[1] = 2, -3
    assert torch.allclose(found, expected, atol=1e-5)
    assert torch.allclose(drawn.way.place(codes), drawn.points, atol=1e-4)


@pytest.mark.parametrize("name", ["t-sne", "umap"])
def test_without_a_formula_the_way_back_is_a_blend_of_neighbours(name: str, maps: dict[str, latent.Map]) -> None:
    drawn = maps[name]
    _, labels = clusters()
    assert not drawn.way.exact
    assert torch.allclose(drawn.way.inverse(drawn.points), drawn.codes, atol=1e-2)
    beside = drawn.points + 0.01 * drawn.points.std(0)
    middles = torch.stack([drawn.codes[labels == label].mean(0) for label in range(3)])
    assert torch.equal(torch.cdist(drawn.way.inverse(beside), middles).argmin(1), labels)
    unseen, unseen_labels = clusters(seed=0, count=150)
    centres = torch.stack([drawn.points[labels == label].mean(0) for label in range(3)])
    assert torch.equal(torch.cdist(drawn.way.place(unseen), centres).argmin(1), unseen_labels)


def test_a_blend_against_numpy() -> None:
    codes, _ = clusters(20)
    points = torch.randn(20, 2, generator=torch.Generator().manual_seed(3))
    asked = np.array([0.3, -0.2])
    squares = ((points.numpy() - asked) ** 2).sum(1)
    rows = np.argsort(squares)[:8]
    weights = 1 / squares[rows] / (1 / squares[rows]).sum()
    (found,) = Blend(codes, points).inverse(torch.tensor(asked[None], dtype=torch.float32))
    assert found.numpy() == pytest.approx(weights @ codes.numpy()[rows], rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("name", ["t-sne", "umap"])
def test_same_seed_same_map_and_another_seed_another(name: str, maps: dict[str, latent.Map]) -> None:
    codes, _ = clusters()
    again = latent.project(codes, maps[name].projection)
    assert torch.equal(again.points, maps[name].points)
    other = latent.project(codes, latent.Projection(method=name, perplexity=10.0, neighbours=8, start="random", seed=5))
    assert not torch.allclose(other.points, maps[name].points)


@pytest.mark.parametrize("name", ["t-sne", "umap"])
def test_maps_tell_how_far_they_are_and_can_be_stopped(name: str) -> None:
    class Stopped(Exception):
        pass

    codes, _ = clusters(400)
    told: list[float] = []
    latent.project(codes, latent.Projection(method=name), told.append)
    assert told[0] == 0 and told[-1] == 1
    assert told == sorted(told)

    def stop(done: float) -> None:
        if done > 0:
            raise Stopped

    with pytest.raises(Stopped):
        latent.project(codes, latent.Projection(method=name), stop)


def test_t_sne_in_three_dimensions() -> None:
    codes, labels = clusters(90)
    drawn = latent.project(codes, latent.Projection(method="t-sne", dims=3, perplexity=15.0))
    assert drawn.points.shape == (90, 3)
    assert latent.faithfulness(codes, drawn.points, 8).trustworthiness > 0.95
    assert latent.silhouette(drawn.points, labels) > 0.5


@pytest.mark.parametrize("name", latent.METHODS)
@pytest.mark.parametrize(
    ("codes", "said"),
    [
        (torch.full((50, 4), torch.nan), "not numbers"),
        (torch.rand(50, 4).index_fill(0, torch.tensor([7]), torch.inf), "not numbers"),
        (torch.rand(1, 4), "at least two"),
        (torch.rand(0, 4), "at least two"),
        (torch.ones(200, 4), "same code"),
    ],
)
def test_codes_that_cannot_be_drawn_are_refused(name: str, codes: Tensor, said: str) -> None:
    with pytest.raises(Refused, match=said):
        latent.project(codes, latent.Projection(method=name))


def test_too_few_points_or_values_are_refused() -> None:
    with pytest.raises(Refused, match="at least 91 pictures, and there are 90"):
        latent.project(torch.rand(90, 4), latent.Projection(method="t-sne", perplexity=30.0))
    with pytest.raises(Refused, match="at least 17 pictures, and there are 10"):
        latent.project(torch.rand(10, 4), latent.Projection(method="umap", neighbours=15))
    for name in ("code", "pca"):
        with pytest.raises(Refused, match="2 values cannot fill a map of 3"):
            latent.project(torch.rand(10, 2), latent.Projection(method=name, dims=3))
    with pytest.raises(Refused, match="there is no value 9"):
        latent.project(torch.rand(10, 4), latent.Projection(method="code", first=9))
    with pytest.raises(Refused, match="value of its own"):
        latent.project(torch.rand(10, 4), latent.Projection(method="code", first=1, second=1))


@pytest.mark.parametrize("name", ["t-sne", "umap"])
def test_the_fewest_points_are_enough(name: str) -> None:
    projection = latent.Projection(method=name, perplexity=3.0, neighbours=3)
    count = latent.needed(projection)
    drawn = latent.project(torch.rand(count, 4, generator=torch.Generator().manual_seed(0)), projection)
    assert drawn.points.shape == (count, 2) and drawn.points.isfinite().all()


def test_many_equal_codes_are_drawn() -> None:
    codes = torch.cat([torch.zeros(60, 3), torch.rand(40, 3)])
    for name in latent.METHODS:
        drawn = latent.project(codes, latent.Projection(method=name, perplexity=5.0, neighbours=5))
        assert drawn.points.isfinite().all()
        assert drawn.way.inverse(drawn.points).isfinite().all()


def test_a_sample_is_random_and_repeatable() -> None:
    rows = latent.sample(1000, 100, 3)
    assert len(rows.unique()) == 100 and torch.equal(rows, rows.sort().values)
    assert torch.equal(rows, latent.sample(1000, 100, 3))
    assert not torch.equal(rows, latent.sample(1000, 100, 4))
    assert latent.sample(50, 100, 0).tolist() == list(range(50))


# Measures


def ranks(values: np.ndarray) -> np.ndarray:
    """Rank of each item among the others of each: 1 for the nearest, 0 for itself."""
    distances = np.sqrt(((values[:, None] - values[None]) ** 2).sum(2))
    return distances.argsort(1).argsort(1)


def test_faithfulness_against_scikit_learn_and_numpy() -> None:
    rng = np.random.default_rng(0)
    before = rng.normal(size=(300, 7))
    after = before[:, :2] + 0.5 * rng.normal(size=(300, 2))
    for k in (1, 5, 12, 100):
        found = latent.faithfulness(torch.from_numpy(before), torch.from_numpy(after), k)
        assert found.trustworthiness == pytest.approx(trustworthiness(before, after, n_neighbors=k), abs=1e-6)
        assert found.continuity == pytest.approx(trustworthiness(after, before, n_neighbors=k), abs=1e-6)
        near = [(table > 0) & (table <= k) for table in (ranks(before), ranks(after))]
        assert found.overlap == pytest.approx((near[0] & near[1]).sum() / (300 * k), abs=1e-6)
        assert found.k == k


def test_a_copy_is_faithful_and_a_shuffle_is_not() -> None:
    values, _ = clusters(400)
    assert latent.faithfulness(values, 3 * values - 1) == latent.Faithfulness(1, 1, 1, 12)
    shuffled = latent.faithfulness(values, values[torch.randperm(400, generator=torch.Generator().manual_seed(0))])
    assert shuffled.trustworthiness < 0.6 and shuffled.continuity < 0.6 and shuffled.overlap < 0.1
    with pytest.raises(Refused, match="more than 24 pictures"):
        latent.faithfulness(values[:20], values[:20])


def test_silhouette_against_numpy() -> None:
    values, labels = clusters(90, width=3)
    values = 0.2 * values + torch.randn(values.shape, generator=torch.Generator().manual_seed(1))
    distances = torch.cdist(values.double(), values.double()).numpy()
    widths = []
    for index, label in enumerate(labels.tolist()):
        own = labels.numpy() == label
        a = distances[index, own].sum() / (own.sum() - 1)
        b = min(distances[index, labels.numpy() == other].mean() for other in range(3) if other != label)
        widths.append((b - a) / max(a, b))
    assert latent.silhouette(values, labels) == pytest.approx(np.mean(widths), abs=1e-6)


def test_neighbour_accuracy_against_numpy() -> None:
    values, labels = clusters(200)
    values = values + 6 * torch.randn(values.shape, generator=torch.Generator().manual_seed(1))
    train, test = values[:120], values[120:]
    for k in (1, 5, 500):
        near = ((test[:, None].numpy() - train[None].numpy()) ** 2).sum(2).argsort(1)[:, : min(k, 120)]
        votes = np.array([np.bincount(labels[:120].numpy()[row], minlength=3).argmax() for row in near])
        share = (votes == labels[120:].numpy()).mean()
        assert latent.neighbour_accuracy(train, labels[:120], test, labels[120:], k) == pytest.approx(share, abs=1e-6)


def test_few_labels_are_drawn_from_every_class() -> None:
    labels = torch.arange(100) % 4
    rows = latent.few(labels, 5, seed=2)
    assert torch.bincount(labels[rows]).tolist() == [5, 5, 5, 5]
    assert len(rows.unique()) == 20
    assert torch.equal(rows, latent.few(labels, 5, seed=2)) and not torch.equal(rows, latent.few(labels, 5, seed=3))
    with pytest.raises(Refused, match="not 26 pictures of every class"):
        latent.few(labels, 26, seed=0)


def test_few_label_accuracy_is_perfect_on_clear_clusters_and_chance_on_noise() -> None:
    values, labels = clusters(300)
    assert latent.few_label_accuracy(values, labels, values, labels, 1, 0) == 1
    noise = torch.randn(300, 6, generator=torch.Generator().manual_seed(0))
    assert 0.2 < latent.few_label_accuracy(noise[:150], labels[:150], noise[150:], labels[150:], 10, 0) < 0.5


def test_one_class_is_refused_where_classes_are_told_apart() -> None:
    values, _ = clusters(30)
    same = torch.zeros(30, dtype=torch.int64)
    for ask in (lambda: latent.silhouette(values, same), lambda: latent.probe_accuracy(values, same, values, same)):
        with pytest.raises(Refused, match="one class"):
            ask()


# Ways


def test_a_straight_walk_has_equal_steps() -> None:
    a, b = torch.tensor([0.0, 4.0]), torch.tensor([3.0, 0.0])
    path = latent.linear(a, b, 16)
    assert torch.equal(path[0], a) and torch.allclose(path[-1], b)
    assert path.diff(dim=0).norm(dim=1).numpy() == pytest.approx(5 / 15, rel=1e-4)


def test_a_spherical_walk_turns_by_equal_angles_and_keeps_its_length() -> None:
    a, b = torch.tensor([2.0, 0, 0]), torch.tensor([0.0, 0, 2])
    path = latent.spherical(a, b, 10)
    assert path.norm(dim=1).numpy() == pytest.approx(2, rel=1e-6)
    angles = [math.degrees(math.atan2(point[2], point[0])) for point in path.tolist()]
    assert angles == pytest.approx(np.linspace(0, 90, 10), abs=1e-3)


@pytest.mark.parametrize("b", [[1.0, 2.0], [2.0, 4.0], [-1.0, -2.0], [0.0, 0.0]])
def test_a_walk_without_an_angle_is_straight(b: list[float]) -> None:
    a, end = torch.tensor([1.0, 2.0]), torch.tensor(b)
    assert torch.equal(latent.spherical(a, end, 7), latent.linear(a, end, 7))


def test_arithmetic_and_decoding() -> None:
    network = model()
    a, b, c = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(latent.arithmetic(a, b, b), a)
    pictures = latent.decode(network, torch.stack([a, latent.arithmetic(a, b, c)]).repeat(400, 1))
    assert pictures.shape == (800, 1, 12, 12) and not pictures.requires_grad
    with torch.no_grad():
        assert torch.allclose(pictures[-1], network.decode((a - b + c)[None])[0], atol=1e-6)


def test_the_grid_spans_the_points_and_reads_like_the_map() -> None:
    codes, _ = clusters()
    drawn = latent.project(codes)
    points, found = latent.plane(drawn, 5)
    assert points.shape == (25, 2) and found.shape == (25, 6)
    assert points[0, 0] == points[:, 0].min() and points[0, 1] == points[:, 1].max()  # top left
    assert torch.allclose(drawn.way.place(found), points, atol=1e-4)
    inside = ((drawn.points >= points.min(0).values) & (drawn.points <= points.max(0).values)).all(1).float().mean()
    assert 0.85 < inside < 1
    with pytest.raises(Refused, match="two dimensions"):
        latent.plane(latent.project(codes, latent.Projection(dims=3)), 5)


def test_a_selection_is_gathered_around_its_middle() -> None:
    data, network = blobs(), model()
    codes = latent.writings(network, data)["code"].encode(data.test.float() / 255)
    rows = torch.tensor([3, 5, 8, 13, 21])
    found = latent.gather(network, codes, data.test, rows, shown=2)
    values = codes.numpy()[rows]
    distances = np.linalg.norm(values - values.mean(0), axis=1)
    assert found.nearest.tolist() == rows.numpy()[np.argsort(distances)[:2]].tolist()
    assert found.farthest.tolist() == rows.numpy()[np.argsort(-distances)[:2]].tolist()
    assert found.spread == pytest.approx(np.sqrt((distances**2).mean()), rel=1e-5)
    assert found.usual == pytest.approx(np.sqrt(codes.numpy().var(0).sum()), rel=1e-4)
    assert torch.allclose(found.picture, data.test[rows].float().mean(0) / 255, atol=1e-6)
    assert torch.allclose(found.decoded, latent.decode(network, codes[rows].mean(0)[None])[0])
    with pytest.raises(Refused, match="Nothing is selected"):
        latent.gather(network, codes, data.test, rows[:0])
