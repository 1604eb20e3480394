"""The measured claims, on data whose answers are known, and what can be taken home from a map."""

import csv
import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser
from sklearn.metrics import roc_auc_score
from torch import Tensor

from aecore import latent
from aecore.data import Images
from aecore.latent.anomaly import receiver
from aecore.latent.panels import separability
from aecore.metrics import PCA
from aecore.models import build
from aecore.refusal import Refused
from aecore.training import Plan
from tests.synthetic import blobs

WAYS = {"pixels", "pca", "code"}
WORDS = {"language": "pt-BR", "title": "Mapa <b>", "hint": "Arraste", "colour": "Cor"}


def ways(data: Images, code: int = 3) -> dict[str, latent.Writing]:
    return latent.writings(build("undercomplete", data.shape, seed=0, code=code), data)


def test_the_three_ways_write_and_read() -> None:
    data = blobs()
    x = data.test.float() / 255
    written = ways(data)
    assert set(written) == WAYS
    for way, size in (("pixels", 144), ("pca", 3), ("code", 3)):
        codes = written[way].encode(x)
        assert codes.shape == (40, size)
        assert written[way].decode(codes).shape == x.shape
    assert torch.equal(written["pixels"].decode(written["pixels"].encode(x)), x)
    assert torch.allclose(written["pca"].decode(written["pca"].encode(x)), PCA.fit(data.train, 3).reconstruct(x), atol=1e-6)


def test_reduction_is_perfect_for_pixels_and_good_for_pca() -> None:
    data = blobs(test=120)
    told: list[float] = []
    panel = latent.reduction(ways(data), data, seeds=(0, 1), progress=told.append)
    assert set(panel) == {"trustworthiness", "continuity", "overlap", "mse"}
    for measure in panel:
        assert set(panel[measure]) == WAYS
        assert panel[measure]["pixels"].mean == (0 if measure == "mse" else 1)
    linear = (PCA.fit(data.train, 3).reconstruct(data.test.float() / 255) - data.test.float() / 255).square().mean().item()
    assert panel["mse"]["pca"].mean == pytest.approx(linear, rel=1e-4)
    assert 0.8 < panel["trustworthiness"]["pca"].mean < 1
    assert told[0] == 0 and told[-1] == 1 and told == sorted(told)


def test_separability_of_clear_and_of_mixed_classes() -> None:
    labels = torch.arange(200) % 2
    rng = torch.Generator().manual_seed(0)
    noise = torch.randn(200, 4, generator=rng)
    panel = separability({"clear": noise + 20 * labels[:, None], "mixed": noise}, labels, seeds=(0, 1, 2))
    for measure in ("probe", "neighbours"):
        assert panel[measure]["clear"].values == (1, 1, 1)
        assert 0.3 < panel[measure]["mixed"].mean < 0.7
        assert panel[measure]["mixed"].spread > 0
    assert panel["silhouette"]["clear"].mean > 0.8
    assert abs(panel["silhouette"]["mixed"].mean) < 0.1
    with pytest.raises(Refused, match="one class"):
        separability({"clear": noise}, torch.zeros(200, dtype=torch.int64))


def test_noise_moves_pixels_more_than_a_code_that_averages_it_away() -> None:
    data = blobs(test=120)
    loud = latent.denoised(ways(data), data, "gaussian", 0.3, seeds=(0, 1))
    none = latent.denoised(ways(data), data, "gaussian", 0.0, seeds=(0,))
    assert all(figure.mean == 0 for figure in none["moved"].values())
    assert loud["moved"]["pca"].mean < 0.5 * loud["moved"]["pixels"].mean
    for way in WAYS:
        assert none["clean"][way] == none["noisy"][way]
        assert loud["clean"][way].mean > 0.9


def test_downstream_accuracy_rises_with_labels() -> None:
    data = blobs(train=400, test=120)
    told: list[float] = []
    lessons = latent.downstream(ways(data), data, labels=(1, 10, 100, 1000), seeds=(0, 1), progress=told.append)
    assert [lesson.labels for lesson in lessons] == [1, 10, 100]  # a class has no 1000 pictures
    assert lessons[0].accuracy["pca"].mean < lessons[-1].accuracy["pca"].mean
    assert lessons[-1].accuracy["pixels"].mean > 0.9
    assert all(figure.mean > 0 for figure in lessons[0].seconds.values())
    assert told[-1] == 1 and told == sorted(told)


def test_every_panel_can_be_stopped() -> None:
    class Stopped(Exception):
        pass

    def stop(done: float) -> None:
        if done > 0:
            raise Stopped

    data = blobs()
    for panel in (
        lambda: latent.reduction(ways(data), data, progress=stop),
        lambda: latent.separability({"pixels": data.train.flatten(1).float()}, data.train_labels, progress=stop),
        lambda: latent.denoised(ways(data), data, "masking", 0.5, progress=stop),
        lambda: latent.downstream(ways(data), data, progress=stop),
        lambda: latent.anomaly(data, 0, "undercomplete", {"code": 2}, progress=stop),
    ):
        with pytest.raises(Stopped):
            panel()


def test_codes_that_are_not_numbers_are_refused() -> None:
    data = blobs()
    broken = {"code": latent.Writing(lambda x: torch.full((len(x), 2), torch.nan), lambda code: code)}
    with pytest.raises(Refused, match="not numbers"):
        latent.reduction(broken, data)
    with pytest.raises(Refused, match="not numbers"):
        latent.downstream(broken, data)


def test_data_without_labels_has_nothing_to_learn() -> None:
    data = blobs()
    unlabelled = Images(data.train, data.train_labels * 0, data.test, data.test_labels * 0, ("picture",))
    with pytest.raises(Refused, match="no label"):
        latent.downstream(ways(unlabelled), unlabelled)
    with pytest.raises(Refused, match="leave a class out"):
        latent.anomaly(unlabelled, 0, "undercomplete", {})


def strangers() -> Images:
    """Spots, and among the test pictures a class of stripes."""
    data = blobs(test=80)
    stripes = torch.zeros(80, 1, 12, 12, dtype=torch.uint8)
    stripes[:, :, ::2] = 220
    return Images(
        torch.cat([data.train, stripes[:40]]),
        torch.cat([data.train_labels, torch.full((40,), 2)]),
        torch.cat([data.test, stripes[40:]]),
        torch.cat([data.test_labels, torch.full((40,), 2)]),
        ("left", "right", "striped"),
    )


def test_a_class_that_was_never_seen_is_found_by_its_error() -> None:
    found = latent.anomaly(strangers(), 2, "undercomplete", {"code": 3, "width": 16}, Plan(epochs=4, batch=32, rate=0.01), seeds=(0, 1))
    assert found.left_out == 2
    for way in ("code", "pca"):
        assert len(found.auc[way].values) == 2
        assert found.auc[way].mean > 0.95
        curve = found.curve[way]
        assert (curve.alarms[0], curve.hits[0], curve.alarms[-1], curve.hits[-1]) == (0, 0, 1, 1)
        area = np.trapezoid(curve.hits, curve.alarms)
        assert area == pytest.approx(found.auc[way].values[0], abs=1e-6)


def test_the_curve_against_pairs_counted_by_hand() -> None:
    rng = np.random.default_rng(0)
    strange = rng.random(80) < 0.3
    errors = rng.normal(size=80) + strange
    pairs = errors[strange][:, None] - errors[~strange][None]
    auc, _ = receiver(torch.from_numpy(errors), torch.from_numpy(strange))
    assert auc == pytest.approx((pairs > 0).mean(), abs=1e-6) == pytest.approx(roc_auc_score(strange, errors), abs=1e-6)


# To take home


def some() -> tuple[Tensor, Tensor, Tensor]:
    """Points, codes and pictures, 7 of each."""
    rng = torch.Generator().manual_seed(0)
    pictures = torch.randint(256, (7, 3, 5, 4), dtype=torch.uint8, generator=rng)
    return torch.randn(7, 2, generator=rng), torch.randn(7, 6, generator=rng), pictures


@pytest.mark.parametrize("channels", [1, 3])
def test_the_sprite_holds_every_picture_in_its_place(channels: int) -> None:
    _, _, pictures = some()
    pictures = pictures[:, :channels]
    sheet, across, height, width = latent.sprite(pictures)
    image = np.asarray(Image.open(io.BytesIO(sheet))).reshape(15, 12, channels)
    assert (across, height, width) == (3, 5, 4)
    for index in range(7):
        row, column = divmod(index, 3)
        cut = image[5 * row : 5 * row + 5, 4 * column : 4 * column + 4]
        assert np.array_equal(cut, pictures[index].permute(1, 2, 0).numpy())


def test_a_sprite_of_many_pictures_stays_readable_for_the_projector() -> None:
    sheet, across, height, width = latent.sprite(torch.full((100, 1, 1000, 20), 90, dtype=torch.uint8))
    image = Image.open(io.BytesIO(sheet))
    assert across == 10 and max(image.size) <= 8192
    assert image.size == (across * width, across * height)
    assert image.getpixel((0, 0)) == 90


def test_projector_files_have_a_line_for_every_picture() -> None:
    _, codes, pictures = some()
    labels = ["a", "b\tc", "d\ne", "", "f", "g", "h"]
    with zipfile.ZipFile(io.BytesIO(latent.projector(codes, pictures, {"label": labels, "error": [0.5] * 7}))) as archive:
        vectors = [line.split("\t") for line in archive.read("vectors.tsv").decode().splitlines()]
        rows = archive.read("metadata.tsv").decode().splitlines()
        config = archive.read("projector_config.pbtxt").decode()
        assert set(archive.namelist()) == {"vectors.tsv", "metadata.tsv", "sprite.png", "projector_config.pbtxt"}
    assert np.array(vectors, float) == pytest.approx(codes.numpy(), rel=1e-6)
    assert rows[0] == "label\terror" and len(rows) == 8
    assert rows[2] == "b c\t0.5" and rows[4] == "-\t0.5"
    assert re.findall(r"single_image_dim: (\d+)", config) == ["4", "5"]
    assert latent.metadata({"label": labels}).splitlines() == ["a", "b c", "d e", "-", "f", "g", "h"]  # one column: no line of names


def test_the_table_is_read_back_and_harmless() -> None:
    points, codes, _ = some()
    text = latent.table(points, codes, {"label": ["=1+1", *"bcdefg"]}, torch.tensor([0, 4]))
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["position", "label", "x", "y", *(f"code_{index}" for index in range(6))]
    assert [row[:2] for row in rows[1:]] == [["0", "'=1+1"], ["4", "e"]]
    assert np.array([row[2:] for row in rows[1:]], float) == pytest.approx(torch.cat([points, codes], 1)[[0, 4]].numpy(), rel=1e-6)
    assert len(latent.table(points, codes, {}).splitlines()) == 8


def test_the_page_carries_hostile_words_as_words() -> None:
    points, _, pictures = some()
    page = latent.page(
        points, pictures, {"label": ["</script><script>alert(1)", *"bcdefg"], "{{sheet}}": [1.0, float("nan")] + [2] * 5}, WORDS
    ).decode()
    assert "<script>alert" not in page and "<b>" not in page
    data = json.loads(re.findall(r'id="data">(.*?)</script>', page, re.S)[0])
    assert data["columns"]["label"][0] == "</script><script>alert(1)"
    assert data["columns"]["{{sheet}}"][:2] == [1.0, None]
    assert len(data["points"]) == 7 and data["across"] == 3


@pytest.mark.parametrize("dims", [2, 3])
def test_the_page_opens_without_a_network(browser: Browser, tmp_path: Path, dims: int) -> None:
    rng = torch.Generator().manual_seed(1)
    points, pictures = torch.randn(60, dims, generator=rng), torch.randint(256, (60, 1, 6, 6), dtype=torch.uint8, generator=rng)
    points[0] = 0
    file = tmp_path / "map.html"
    file.write_bytes(latent.page(points, pictures, {"class": ["x", "y", "z"] * 20, "error": [0.25] * 60}, WORDS))
    context = browser.new_context(offline=True, viewport={"width": 400, "height": 600})
    tab = context.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda said: errors.append(said.text) if said.type in ("error", "warning") else None)
    tab.goto(file.as_uri())
    assert tab.locator(".legend button").all_inner_texts() == ["x", "y", "z"]
    tab.select_option("select", "error")
    assert tab.locator(".legend .ramp").count() == 1 and "0,25" in tab.locator(".legend").inner_text()
    place = tab.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(map.view.at(7)))))")
    box = tab.locator("canvas.points").bounding_box()
    assert box
    tab.mouse.move(box["x"] + place[0], box["y"] + place[1])
    assert "class:" in tab.locator(".card").inner_text()
    assert tab.locator(".card").is_visible()
    shown = tab.locator(".card canvas").evaluate(
        "node => [...node.getContext('2d').getImageData(0, 0, 6, 6).data.filter((_, k) => k % 4 === 0)]"
    )
    assert shown == pictures[7].flatten().tolist()
    before = tab.evaluate("map.view.zoom")
    tab.mouse.wheel(0, -300)
    tab.wait_for_function("before => map.view.zoom > before", arg=before)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 50, box["y"] + 50, steps=3)
    tab.mouse.up()
    painted = tab.evaluate("[...map.canvas.getContext('2d').getImageData(0, 0, 300, 300).data].some(value => value)")
    assert painted
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert errors == []
    context.close()
