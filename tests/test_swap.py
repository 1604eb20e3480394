"""Faces are swapped by joining autoencoders; the joins, the scores and the steps around them do what they say."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from aecore import __main__ as cli
from aecore.commands.train_denoiser import read_words
from aecore.data import faces
from aecore.metrics import psnr, ssim, ssim_map
from aecore.refusal import Refused
from aecore.swap import judge, pipeline, weights
from aecore.swap.closeup import Closeup
from aecore.swap.joins import Join, by_axes, by_moments, by_pairs, codes_of
from aecore.swap.masks import hulls, soft
from aecore.swap.network import Separate, Swapper
from aecore.swap.rendered import read_rendered
from aecore.swap.scores import closer, correlations, flicker, inside, nearest, nearness
from aecore.swap.training import ROLL, Faces, Lessons, Person, Plan, apart, built_in
from tests.serving import ROOT

PLAN = Plan(steps=6, batch=2, size=32, code=64, seed=3)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def people() -> dict[str, Person]:
    """Ten small frames of three people."""
    points = np.random.default_rng(0).uniform(6, 26, (10, 30, 2)).astype(np.float32)
    names = ("A", "B", "C")
    return {
        name: Person(torch.randint(0, 256, (10, 3, 32, 32), dtype=torch.uint8, generator=rng(i)), points) for i, name in enumerate(names)
    }


def test_the_mask_is_the_hull_of_the_landmarks() -> None:
    square = np.array([[[4, 2], [10, 2], [10, 7], [4, 7], [6, 5]]], np.float32)
    mask = hulls(square, 16)
    assert mask.shape == (1, 1, 16, 16) and mask.sum() == 30
    assert mask[0, 0, 2:7, 4:10].all()
    edge = soft(mask, 1.0)
    assert 0 < edge[0, 0, 4, 3] < edge[0, 0, 4, 4] < 1 and abs(float(edge.sum()) - 30) < 0.5


def test_a_run_cut_in_two_gives_the_same_weights_for_any_number_of_people(people: dict[str, Person]) -> None:
    data = Faces(people, people, PLAN)
    whole, first = Lessons(data), Lessons(data)
    assert list(whole.steps()) == [1, 2, 3, 4, 5, 6]
    for step in first.steps():
        if step == 3:
            break
    second = Lessons(data, first.checkpoint())
    assert list(second.steps()) == [4, 5, 6]
    for a, b in zip(whole.learnt().state_dict().values(), second.learnt().state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert len(whole.validate()) == 9


def test_colours_are_those_of_each_face(people: dict[str, Person]) -> None:
    data = Faces(people, people, PLAN)
    model = data.network()
    for name, each in people.items():
        seen = model.normalised(each.frames.float() / 255, name).permute(1, 0, 2, 3)[:, data.masks[name][:, 0] > 0]
        assert seen.mean(1).abs().max() < 1e-4 and (seen.std(1) - 1).abs().max() < 1e-4
    with pytest.raises(Refused, match="knows nobody called D"):
        model.encode(torch.zeros(1, 3, 32, 32), "D")
    with pytest.raises(Refused, match="40 pixels"):
        Swapper(("A",), 40, 8)
    with pytest.raises(Refused, match="16 numbers cannot tell 30 landmarks"):
        Swapper(("A",), 32, 16, 30)


def test_the_built_in_people_never_show_the_same_scene() -> None:
    data = built_in(replace(PLAN, size=64))
    a, b = (faces.frames("train", name, 64) for name in faces.PEOPLE)
    assert torch.equal(data.train["A"].frames, a[0::2]) and torch.equal(data.train["B"].frames, b[1::2])
    assert np.array_equal(data.train["B"].landmarks, faces.landmarks("train", "B", 64)[1::2])


def test_landmarks_and_weights_follow_the_frames_as_they_move(people: dict[str, Person]) -> None:
    """A white dot at a landmark is still there after the frame was shifted, turned and enlarged."""
    frames = torch.zeros((10, 3, 32, 32), dtype=torch.uint8)
    points = people["A"].landmarks.copy()
    points[:, :3] = (16.0, 14.0)
    frames[:, :, 13:15, 15:17] = 255
    data = Faces({"A": Person(frames, points)}, {}, replace(PLAN, move=0.15, batch=8))
    batch = data.draw("A", rng(1))
    total = batch.targets.sum((1, 2, 3))
    axis = torch.arange(32) + 0.5
    seen = torch.stack([(batch.targets.sum((1, 2)) * axis).sum(1) / total, (batch.targets.sum((1, 3)) * axis).sum(1) / total], 1)
    usual = data.points["A"]
    wanted = (batch.points[:, 0] + 1) * 16
    told = batch.known.view(8, 30, 2) * usual.std(0).clamp_min(1e-6) + usual.mean(0)
    assert torch.allclose(told, batch.points, atol=1e-5)
    assert (seen - wanted).abs().max() < 0.3 and (seen - torch.tensor([16.0, 14.0])).abs().max() > 1
    assert batch.weights.shape == (8, 1, 32, 32) and batch.weights.min() >= PLAN.around - 1e-6


def test_a_moved_frame_is_told_of_as_a_head_that_turned() -> None:
    """The line between the eyes leans with the roll that is told, whether the head or the frame was turned."""
    data = built_in(Plan(known="parameters", move=0.1, batch=64))
    batch = data.draw("A", rng())
    assert batch.known.shape == (64, 2 * 30 + 27 + 3)
    for points, roll in ((data.points["A"], data.scenes["A"][:, ROLL]), (batch.points, batch.known[:, 60 + ROLL])):
        line = points[:, 14] - points[:, 18]
        leaning = torch.atan2(line[:, 1], line[:, 0])
        assert torch.corrcoef(torch.stack((leaning, roll)))[0, 1] > 0.99
    shift = batch.points.mean(1) - data.points["A"].mean(1).mean(0)
    assert torch.corrcoef(torch.stack((shift[:, 0], batch.known[:, -2])))[0, 1] < -0.1, "what is shifted left in the grid moves right"


def test_what_was_rendered_cannot_be_told_of_photographs(people: dict[str, Person]) -> None:
    with pytest.raises(Refused, match="What was rendered is not known"):
        Faces(people, people, replace(PLAN, known="parameters"))


def test_landmarks_are_read_off_the_code_and_a_close_look_leaves_them(people: dict[str, Person]) -> None:
    data = Faces(people, people, PLAN)
    model, frames = data.network().eval(), people["B"].frames.float() / 255
    code = data.points["B"].sub(model.usual[1]).div(model.spread[1]).flatten(1)
    assert torch.allclose(model.landmarks(torch.nn.functional.pad(code, (0, 4)), "B"), data.points["B"], atol=1e-5)
    far, whole = model.encoder("B")(model.normalised(frames, "B")), model.encode(frames, "B")
    assert torch.allclose(far[:, :60], whole[:, :60], atol=1e-5) and not torch.allclose(far[:, 60:], whole[:, 60:], atol=1e-3)


def test_a_close_look_sees_the_same_wherever_the_face_is() -> None:
    closeup = Closeup((16, 40), (32, 32), (8, 8, 8), 3)
    usual = torch.from_numpy(np.random.default_rng(0).uniform(-0.5, 0.5, (30, 2))).float()
    y, x = torch.meshgrid((torch.arange(128) + 0.5) / 64 - 1, (torch.arange(128) + 0.5) / 64 - 1, indexing="ij")

    def picture(x: Tensor, y: Tensor) -> Tensor:
        return torch.stack((torch.sin(4 * x), torch.cos(3 * y), torch.sin(3 * x + 2 * y)))[None]

    cos, sin = 0.8 * math.cos(0.3), 0.8 * math.sin(0.3)
    turn = torch.tensor([[cos, -sin], [sin, cos]])
    moved = usual @ turn.T + torch.tensor([0.1, -0.05])
    there = torch.stack((x, y), -1).sub(torch.tensor([0.1, -0.05])) @ torch.linalg.inv(turn).T
    for name in ("eyes", "mouth"):
        here = closeup.cut(picture(x, y), usual[None], usual, name)
        again = closeup.cut(picture(there[..., 0], there[..., 1]), moved[None], usual, name)
        assert here.shape[2:] == torch.Size(closeup.sides[name]) and (here - again).abs().max() < 0.02


def test_a_run_may_begin_with_the_weights_of_a_smaller_picture(people: dict[str, Person]) -> None:
    given = Faces(people, people, replace(PLAN, seed=9)).network()
    twice = {name: Person(each.frames.repeat_interleave(2, 2).repeat_interleave(2, 3), 2 * each.landmarks) for name, each in people.items()}
    lessons = Lessons(Faces(twice, twice, replace(PLAN, size=64)))
    untaught = {name: value.clone() for name, value in lessons.model.state_dict().items()}
    lessons.begin(given)
    taken = {name for name, value in lessons.model.state_dict().items() if not torch.equal(value, untaught[name])}
    assert {"bodies.everybody.trunk.0.weight", "encoders.everybody.last.weight", "decoders.A.first.weight"} <= taken
    assert not taken & {"means", "deviations", "usual", "spread", "encoders.everybody.first.weight", "decoders.A.last.weight"}
    assert all(torch.equal(lessons.model.state_dict()[name], given.state_dict()[name]) for name in taken)
    assert all(torch.equal(value, lessons.progress.best[name]) for name, value in lessons.model.state_dict().items())


def test_it_learns_and_a_shared_code_is_understood_by_the_other_decoder() -> None:
    lessons = Lessons(built_in(Plan(steps=20, batch=4, rate=4e-3)))
    before = lessons.validate()
    for _ in lessons.steps():
        pass
    after = lessons.validate()
    assert set(after) == {"psnr_A_to_A", "psnr_B_to_A", "psnr_A_to_B", "psnr_B_to_B"}
    assert after["psnr_A_to_A"] > before["psnr_A_to_A"] + 1 and after["psnr_A_to_B"] > before["psnr_A_to_B"] + 1, (before, after)


def test_codes_are_apart_by_mean_or_covariance_and_one_person_is_never() -> None:
    a = torch.randn((400, 5), generator=rng())
    assert apart([a]) == 0 and apart([a, a]) == 0
    mean, spread = float(apart([a, a + 1])), float(apart([a, 2 * a]))
    assert mean > 0.5 and spread > 0.2
    assert float(apart([3 * a, 3 * a + 3])) == pytest.approx(mean, rel=1e-3), "the unit of codes does not count"


def test_the_command_writes_weights_that_load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(
        'data = "d"\nlicence = "l"\nsource = "s"\n[plan]\nsteps = 2\nbatch = 2\ncode = 8\nencoders = "separate"\nknown = "none"\n'
    )
    assert cli.main(["train-swap", str(recipe)]) == 0
    assert "2 steps" in capsys.readouterr().out
    model, card = weights.load(tmp_path / "tiny.safetensors")
    assert isinstance(model, Separate) and (card.steps, card.plan["code"]) == (2, 8)
    assert set(card.metrics["held out"]) == {"psnr_A_to_A", "psnr_B_to_A", "psnr_A_to_B", "psnr_B_to_B"}
    frames = faces.frames("held", "A", 64)[:3]
    assert Join(model).swap(frames, "A", "B").shape == (3, 3, 64, 64)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.card.json", "tiny.safetensors", "tiny.toml"]


@pytest.mark.parametrize("name", ["faces-swap-64", "faces-swap-128", "faces-swap-64-separate", "faces-swap-64-half"])
def test_the_recipes_are_valid(name: str) -> None:
    words, knobs = read_words(ROOT / "weights" / f"{name}.toml")
    plan = Plan.of(**knobs)
    assert all(len(each) <= 300 for each in words.values())
    assert weights.shipped(plan.size, plan.encoders).stem == name.removesuffix("-half")


def test_the_shipped_swap_comes_near_the_truth_and_the_naive_join_does_not() -> None:
    shared, separate = (weights.load(weights.shipped(64, encoders))[0] for encoders in ("shared", "separate"))
    a, b = (faces.frames("held", name, 64)[::3] for name in faces.PEOPLE)
    masks = hulls(faces.landmarks("held", "B", 64)[::3], 64)
    swapped, naive = (Join(model).swap(a, "A", "B") for model in (shared, separate))
    near = nearness(swapped, b, masks).psnr_face
    assert near > 20 and near > nearness(naive, b, masks).psnr_face + 3
    assert closer(swapped, b, a, masks) == 1
    half = weights.load(weights.FOLDER / "faces-swap-64-half.safetensors")[0]
    assert 14 < nearness(Join(half).swap(a, "A", "B"), b, masks).psnr_face < near - 1


def test_the_shipped_judge_reads_both_sizes() -> None:
    expert, card = judge.load()
    truth = judge.traits("held")
    for size in faces.SIZES:
        for place, name in enumerate(faces.PEOPLE):
            found = expert.read(faces.frames("held", name, size))
            assert (found.people.argmax(1) == place).all()
            seen = dict(zip(judge.TRAITS, correlations(found.traits, truth).tolist(), strict=True))
            assert all(seen[trait] > 0.9 for trait in ("yaw", "mouth", "smile", "blink")), (size, name, seen)
    assert card.metrics["held out"]["person_64"] == 1


def test_maps_by_moments_and_by_axes_need_no_pairs() -> None:
    source = torch.randn((500, 4), generator=rng()).exp() @ torch.randn((4, 4), generator=rng(1))
    mixed = torch.randn((500, 4), generator=rng(2)).exp() * torch.tensor([1.0, 2.0, 4.0, 8.0]) + 3
    for way in (by_moments, by_axes):
        carried = way(source, mixed)(source)
        assert (carried.mean(0) - mixed.mean(0)).abs().max() < 1e-2
        assert (
            torch.cov(carried.T) / torch.cov(mixed.T).diagonal().mean() - torch.cov(mixed.T) / torch.cov(mixed.T).diagonal().mean()
        ).abs().max() < 0.02
    turn = torch.linalg.qr(torch.randn((4, 4), generator=rng(3))).Q
    turned = mixed @ turn + 1
    assert (by_axes(mixed, turned)(mixed) - turned).abs().max() < 0.02 * turned.std()
    same = by_moments(mixed, mixed)
    assert torch.allclose(same.matrix, torch.eye(4), atol=1e-4) and same.shift.abs().max() < 1e-3


def test_a_map_by_pairs_finds_a_linear_relation_and_shrinks_to_the_mean_without_evidence() -> None:
    source = torch.randn((200, 6), generator=rng())
    matrix = torch.randn((6, 6), generator=rng(1))
    found = by_pairs(source, source @ matrix + 2, ridge=1e-6)
    assert torch.allclose(found.matrix, matrix, atol=1e-3) and torch.allclose(found(source), source @ matrix + 2, atol=1e-2)
    strict = by_pairs(source, source @ matrix + 2, ridge=1e6)
    assert (strict(source) - (source @ matrix + 2).mean(0)).abs().max() < 1e-3


def test_a_join_maps_only_between_people(people: dict[str, Person]) -> None:
    model = Faces(people, people, replace(PLAN, encoders="separate")).network().eval()
    frames = people["A"].frames
    codes = {name: codes_of(model, each.frames, name) for name, each in people.items()}
    plain, aligned = Join(model), Join(model, {("A", "B"): by_pairs(codes["A"], codes["B"], ridge=1e-6)})
    assert torch.equal(plain.swap(frames, "A", "A"), aligned.swap(frames, "A", "A"))
    output = aligned.swap(frames, "A", "B")
    assert output.dtype == torch.uint8 and output.shape == frames.shape and not torch.equal(output, plain.swap(frames, "A", "B"))
    own = plain.swap(people["B"].frames, "B", "B")  # ten pairs in sixteen dimensions: the map is exact on them
    assert (output.int() - own.int()).abs().max() <= 2


def test_scores_count_only_what_is_inside() -> None:
    a, b = (torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8, generator=rng(i)) for i in (0, 1))
    masks = torch.zeros(3, 1, 32, 32)
    masks[:, :, 8:20, 10:24] = 1
    mixed = torch.where(masks > 0, b, a)
    x, y = a.float() / 255, b.float() / 255
    assert math.isclose(float(inside(x, y, masks)[1]), psnr(x[1, :, 8:20, 10:24], y[1, :, 8:20, 10:24]), abs_tol=1e-3)
    found = nearness(mixed, a, masks)
    assert found.psnr > found.psnr_face and found.ssim > found.ssim_face
    assert nearness(mixed, b, masks).psnr_face == 120
    assert closer(mixed, b, a, masks) == 1 and closer(mixed, a, b, masks) == 0
    assert torch.equal(nearest(mixed, masks, torch.cat((a, b))), b)
    assert ssim_map(x[0], y[0]).shape == (3, 22, 22) and math.isclose(ssim(x[0], x[0]), 1)


def test_flicker_is_none_for_the_truth_and_the_change_itself_for_a_still() -> None:
    truth = torch.randint(0, 256, (5, 3, 8, 8), dtype=torch.uint8, generator=rng())
    masks = torch.ones(5, 1, 8, 8)
    change = float(truth.float().diff(dim=0).abs().mean())
    assert flicker(truth, truth, masks) == 0
    assert math.isclose(flicker(truth[:1].expand_as(truth), truth, masks), change, rel_tol=1e-5)


def test_correlations_are_pearsons() -> None:
    a, b = (torch.randn((40, 3), generator=rng(i)) for i in (0, 1))
    wanted = [np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(3)]
    assert np.allclose(correlations(a, b), wanted, atol=1e-6)
    assert torch.allclose(correlations(a, -2 * a + 1), torch.full((3,), -1.0, dtype=torch.float64))


def test_the_judge_learns_who_it_is_and_where_the_head_turns() -> None:
    expert = judge.teach(steps=30)
    who, reading = [], []
    for name in faces.PEOPLE:
        found = expert.read(faces.frames("held", name, 64))
        who.append(found.people.argmax(1))
        reading.append(found.traits)
    right = torch.cat((who[0] == 0, who[1] == 1)).float().mean()
    known = judge.traits("held")
    assert known.shape == (60, len(judge.TRAITS))
    assert right > 0.7 and all(correlations(each, known)[0] > 0.45 for each in reading), "chance is 0.5 and 0"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the renderer leaves it: three scenes of A and four others of B."""
    folder = tmp_path_factory.mktemp("studio")
    names, values = faces.parameters("held")
    for name, part in (("A", slice(0, 3)), ("B", slice(3, 7))):
        (folder / name).mkdir()
        for i, frame in enumerate(faces.frames("held", name)[part]):
            Image.fromarray(frame.permute(1, 2, 0).numpy()).save(folder / name / f"{i:04d}.png")
        (folder / f"landmarks_{name}.json").write_text(json.dumps(faces.landmarks("held", name)[part].tolist()))
        (folder / f"params_{name}.json").write_text(json.dumps([dict(zip(names, each, strict=True)) for each in values[part]]))
    return folder


def test_frames_rendered_besides_are_learnt_from_as_well(studio: Path) -> None:
    plan = Plan(known="parameters", size=64)
    alone, data = built_in(plan), built_in(plan, studio)
    a, b = (data.train[name] for name in faces.PEOPLE)
    assert [len(each.frames) for each in (a, b)] == [303, 304]
    assert torch.equal(a.frames[300:], faces.frames("held", "A", 64)[:3]) and torch.equal(a.frames[:300], alone.train["A"].frames)
    assert np.allclose(b.landmarks[300:], faces.landmarks("held", "B", 64)[3:7], atol=1e-3)
    assert b.scene is not None and np.allclose(b.scene[300:], faces.parameters("held")[1][3:7, : b.scene.shape[1]])
    school = judge.School(judge.Plan(), studio)
    assert school.who.tolist() == [0] * 600 + [1] * 600 + [0] * 3 + [1] * 4
    assert school.partners[[0, 600, 1199]].tolist() == [600, 0, 599] and school.partners[1200:].tolist() == list(range(1200, 1207))
    assert torch.equal(school.known[1203:, : len(judge.TRAITS)], judge.traits("held")[3:7])
    assert torch.equal(school.albums[1][1203:], faces.frames("held", "B", 64)[3:7])


def test_a_folder_without_frames_or_with_pairs_is_refused(studio: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no rendered frames of A"):
        read_rendered(tmp_path, "A", 64)
    shutil.copytree(studio, tmp_path / "other")
    (tmp_path / "other" / "B" / "0001.png").unlink()
    with pytest.raises(Refused, match="has 3 frames of B, but parameters of 4"):
        read_rendered(tmp_path / "other", "B", 64)
    Image.new("RGB", (64, 64)).save(tmp_path / "other" / "B" / "0001.png")
    with pytest.raises(Refused, match=r"0001\.png is not 128 x 128"):
        read_rendered(tmp_path / "other", "B", 64)
    for kind in ("landmarks", "params"):
        (tmp_path / "other" / f"{kind}_B.json").write_text((studio / f"{kind}_A.json").read_text())
    Image.new("RGB", (128, 128)).save(tmp_path / "other" / "B" / "0001.png")
    with pytest.raises(Refused, match="both people in the same scene"):
        built_in(Plan(), tmp_path / "other")


def test_the_judge_does_not_count_hair_and_background() -> None:
    expert, _ = judge.load()
    frames, other = (faces.frames("held", name, 64)[:12] for name in ("A", "B"))
    masks = soft(hulls(faces.landmarks("held", "A", 64)[:12], 64), 1.5)
    mixed = (frames * masks + other * (1 - masks)).round().to(torch.uint8)  # A's face in B's hair
    assert (expert.read(mixed).people[:, 0] > 0.5).float().mean() > 0.9


def test_alignment_finds_turn_scale_and_shift() -> None:
    points = np.random.default_rng(0).uniform(0, 60, (30, 2))
    angle, scale = 0.4, 1.7
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = pipeline.similarity(points, points @ turn.T + (3, -5))
    assert np.allclose(found[:, :2], turn) and np.allclose(found[:, 2], (3, -5))
    assert np.allclose(pipeline.inverse(pipeline.inverse(found)), found)
    mirrored = pipeline.similarity(points, points * (-1, 1))
    assert np.linalg.det(mirrored[:, :2]) > 0, "a face is never mirrored"


def test_carrying_a_picture_there_and_back_leaves_its_middle() -> None:
    small = torch.rand((1, 3, 6, 6), generator=rng())
    picture = torch.nn.functional.interpolate(small, size=(48, 64), mode="bicubic", align_corners=False)[0].clamp(0, 1)
    shift = np.array([[1.0, 0, 5], [0, 1, 2]])
    moved = pipeline.carry(picture, shift, 48, 64)
    assert torch.allclose(moved[:, 2:, 5:], picture[:, :-2, :-5], atol=1e-4)
    turn = np.array([[1.2, -0.3, 4], [0.3, 1.2, -6]])
    back = pipeline.carry(pipeline.carry(picture, turn, 96, 96), pipeline.inverse(turn), 48, 64)
    assert psnr(back[:, 12:36, 12:36], picture[:, 12:36, 12:36]) > 35


def scene() -> tuple[Tensor, Tensor, Tensor]:
    """Two smooth pictures and a round mask."""
    front, back = (
        torch.nn.functional.interpolate(torch.rand((1, 3, 5, 5), generator=rng(i)), size=(24, 24), mode="bilinear")[0] for i in (0, 1)
    )
    y, x = torch.meshgrid(torch.arange(24), torch.arange(24), indexing="ij")
    return front, back, ((y - 12).square() + (x - 11).square() < 49).float()[None]


def test_colours_are_matched_inside_the_mask() -> None:
    front, back, mask = scene()
    matched = pipeline.match_colours(front, back, mask)
    where = mask[0] > 0
    assert torch.allclose(matched[:, where].mean(1), back[:, where].mean(1), atol=1e-5)
    assert torch.allclose(matched[:, where].std(1), back[:, where].std(1), atol=1e-5)
    assert torch.equal(pipeline.match_colours(front, back, torch.zeros_like(mask)), front)


def test_blending_leaves_what_is_outside_and_poisson_leaves_no_seam() -> None:
    front, back, mask = scene()
    feathered = pipeline.feather(front, back, mask, 1.0)
    assert torch.allclose(feathered[:, 12, 11], front[:, 12, 11], atol=1e-3) and torch.equal(feathered[:, 0, 0], back[:, 0, 0])
    assert torch.allclose(pipeline.poisson(back + 0.3, back, mask), back, atol=1e-5), "only differences count"
    blended = pipeline.poisson(front, back, mask)
    assert torch.equal(blended[:, mask[0] == 0], back[:, mask[0] == 0])
    inner = pipeline.poisson(front, back, torch.ones_like(mask))[:, 1:-1, 1:-1]  # the picture's edge is given

    def curvature(x: Tensor) -> Tensor:
        return 4 * x[:, 1:-1, 1:-1] - x[:, :-2, 1:-1] - x[:, 2:, 1:-1] - x[:, 1:-1, :-2] - x[:, 1:-1, 2:]

    assert (curvature(inner) - curvature(front[:, 1:-1, 1:-1])).abs().max() < 1e-4
    assert torch.equal(pipeline.poisson(front, back, torch.zeros_like(mask)), back)
