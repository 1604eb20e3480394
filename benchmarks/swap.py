"""How near a face swap comes to the truth, for each way to join two autoencoders, beside simple yardsticks and the original design.

    python benchmarks/swap.py [--size 64|128] [--weights FILE] [--separate FILE] [--seconds S] [--pairs N ...] [--threads N] [--json]

Frame i of A and of B show the same scene, so B's frame i is the truth for A's frame i with B's face. All figures are means over
the frames held out; "face" is inside the convex hull of the true landmarks. Networks learn A from even and B from odd
training frames; only the rows "aligned, n pairs" see n paired training frames, for a linear map. The shared network is told what was
rendered of each training frame (head, gaze, expressions, light), so that a code means the same for both: no pairing, but supervision
that photographs lack; the separate networks are told nothing. "judge" is a network that knows both people: the share of frames that it
takes for B, by eyes and mouth alone, and the correlation of what it reads off the swap with the true parameters (its reading of the true
B is a row too; it was taught on all training frames of both). "flicker" is the clip's, in grey levels.
FILE is a .safetensors file with its card; without it, the weights that come with the lab (separate ones in one size only). ``--seconds`` teaches instead, from nothing,
the shared design told what was rendered, told the landmarks alone, and told nothing, the separate one, and the original one, each for S
seconds of processor time, and compares those.
"aligned, moments" and "aligned, axes" need no pairs. The nearest frame of B is nearest to A's frame, inside the face.
Asked for: shared at least 20 dB inside the face, 1.5 above aligned, 3 above naive, above the original design at equal time; nearer
to B than to A on 97 % of frames; correlations of mouth, smile, blink and yaw at least 0.9; 30 frames per second at 128 pixels.
"""

import argparse
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch
from machine import describe
from torch import Tensor, nn
from torch.nn import functional

from aecore.data import faces
from aecore.swap import judge as judges
from aecore.swap import weights
from aecore.swap.joins import Join, by_axes, by_moments, by_pairs, codes_of
from aecore.swap.masks import hulls
from aecore.swap.network import Swapper
from aecore.swap.pipeline import feather, match_colours
from aecore.swap.scores import closer, correlations, flicker, nearest, nearness
from aecore.swap.training import Faces, Lessons, Plan, built_in

SEED = 0
Method = Callable[[Tensor], Tensor]  # A's frames, uint8 (N, 3, S, S), to B's


class Original(nn.Module):
    """The face swapping design of 2017, rebuilt from its description: convolutions of 128, 256, 512 and 1024 channels, dense 1024.

    Sources: Perov et al. (2020), https://arxiv.org/abs/2005.05535; faceswap, https://github.com/deepfakes/faceswap (its "original" model).
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        widths, side = (3, 128, 256, 512, 1024), size // 16
        self.encoder = nn.Sequential(
            *(part for a, b in itertools.pairwise(widths) for part in (nn.Conv2d(a, b, 5, 2, padding=2), nn.LeakyReLU(0.1))),
            nn.Flatten(),
            nn.Linear(1024 * side**2, 1024),
            nn.Linear(1024, 1024 * side**2),
            nn.Unflatten(1, (1024, side, side)),
            *up(1024, 512),
        )
        self.decoders = nn.ModuleDict(
            {
                name: nn.Sequential(*up(512, 256), *up(256, 128), *up(128, 64), nn.Conv2d(64, 3, 5, padding=2), nn.Sigmoid())
                for name in faces.PEOPLE
            }
        )

    def forward(self, x: Tensor, person: str) -> Tensor:
        """``(B, 3, size, size)`` in [0, 1] to the same."""
        return self.decoders[person](self.encoder(x))


def up(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    """Twice the sides."""
    return nn.Conv2d(inputs, 4 * outputs, 3, padding=1), nn.LeakyReLU(0.1), nn.PixelShuffle(2)


def teach_original(data: Faces, seconds: float) -> tuple[Method, int]:
    """The original design after so many seconds of processor time: Adam at 5e-5, absolute error; frames drawn as ours are, not bent."""
    torch.manual_seed(SEED)
    rng = torch.Generator().manual_seed(SEED)
    model = Original(data.plan.size).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(model.parameters(), 5e-5, betas=(0.5, 0.999), fused=True)
    began, steps = time.process_time(), 0
    while time.process_time() - began < seconds:
        for name in faces.PEOPLE:
            batch = data.draw(name, rng)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                output = model(batch.inputs, name)
            functional.l1_loss(output.float(), batch.targets).backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        steps += 1
    model.eval()

    @torch.inference_mode()
    def swap(frames: Tensor) -> Tensor:
        parts = frames.split(30)
        return (torch.cat([model(part.float() / 255, "B") for part in parts]) * 255).round().to(torch.uint8)

    return swap, steps


def teach(plan: Plan, seconds: float) -> tuple[Swapper, int]:
    """Our design after about so many seconds of processor time, the pace of learning stretched over them."""
    trial = Lessons(built_in(plan))
    steps = trial.steps()
    next(steps)
    began = time.process_time()
    for _ in range(10):
        next(steps)
    count = max(int(seconds / (time.process_time() - began) * 10), 1)
    lessons = Lessons(built_in(replace(plan, steps=count)))
    for _ in lessons.steps():
        pass
    return lessons.learnt(), count


def joined(shared: Swapper, separate: Swapper | None, pairs: list[int]) -> dict[str, Method]:
    """The joins by name, each from A to B; without separate networks the shared one alone."""
    if separate is None:
        return {"shared": partial(Join(shared).swap, source="A", target="B")}
    size = shared.size
    frames = {name: faces.frames("train", name, size) for name in faces.PEOPLE}
    a, b = (codes_of(separate, frames[name], name) for name in faces.PEOPLE)
    maps = {"aligned, moments": by_moments(a[0::2], b[1::2]), "aligned, axes": by_axes(a[0::2], b[1::2])}
    for count in pairs:
        chosen = torch.linspace(0, len(a) - 1, count).long()
        maps[f"aligned, {count} pairs"] = by_pairs(a[chosen], b[chosen])
    joins = {"naive": Join(separate)} | {name: Join(separate, {("A", "B"): each}) for name, each in maps.items()} | {"shared": Join(shared)}
    return {name: lambda frames, join=join: join.swap(frames, "A", "B") for name, join in joins.items()}


def row(output: Tensor, clip: Tensor, judge: judges.Judge) -> dict[str, float]:
    """All figures of one method."""
    size = output.shape[-1]
    a, b = (faces.frames("held", name, size) for name in faces.PEOPLE)
    masks, clip_masks = (hulls(faces.landmarks(split, "B", size), size) for split in ("held", "clip"))
    read = judge.read(output)
    known = dict(zip(judges.TRAITS, correlations(read.traits, judges.traits("held")).tolist(), strict=True))
    near = asdict(nearness(output, b, masks)) | {"psnr_face_of_a": nearness(output, a, masks).psnr_face}
    share = {"closer": closer(output, b, a, masks), "judge": float((read.people[:, 1] > 0.5).float().mean())}
    return near | share | {"flicker": flicker(clip, faces.frames("clip", "B", size), clip_masks)} | known


def speed(model: Swapper) -> dict[str, float]:
    """Frames per second, one at a time, the median over two seconds, in float32: network, colour match and feathered blend."""
    found, frame = {}, faces.frames("held", "A", model.size)[:1]
    back, mask = frame[0].float() / 255, hulls(faces.landmarks("held", "A", model.size)[:1], model.size)[0]
    before = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        times: list[float] = []
        while sum(times) < 2:
            began = time.perf_counter()
            front = match_colours(Join(model).swap(frame, "A", "B")[0].float() / 255, back, mask)
            (feather(front, back, mask, model.size / 40) * 255).round().to(torch.uint8)
            times.append(time.perf_counter() - began)
        found[f"{threads} threads"] = 1 / statistics.median(times)
    torch.set_num_threads(before)
    return found


def main() -> None:
    """Print the table, then speed; with ``--json`` one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, choices=faces.SIZES, default=64)
    parser.add_argument("--weights", type=Path, metavar="FILE")
    parser.add_argument("--separate", type=Path, metavar="FILE")
    parser.add_argument("--seconds", type=float, metavar="S")
    parser.add_argument("--pairs", type=int, nargs="+", default=[10, 50, 300], metavar="N")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    size = asked.size
    machine = describe(SEED)
    plan = Plan(size=size, seed=SEED, known="none")
    data = built_in(plan)
    methods: dict[str, Method] = {}
    if asked.seconds:
        steps = {}
        shared, steps["shared"] = teach(replace(plan, known="parameters", code=90, told=2.0), asked.seconds)
        separate, steps["separate"] = teach(replace(plan, encoders="separate", known="none"), asked.seconds)
        for name, known in (("shared, told landmarks", "landmarks"), ("shared, told nothing", "none")):
            model, steps[name] = teach(replace(plan, known=known, match=0.15), asked.seconds)
            methods[name] = partial(Join(model).swap, source="A", target="B")
        methods["original design"], steps["original design"] = teach_original(data, asked.seconds)
        machine["steps"] = f"{steps}, in {asked.seconds:.0f} s of processor time each"
    else:
        shared, card = weights.load(asked.weights or weights.shipped(size))
        machine["weights"] = f"{card.name}, step {card.steps}"
        path, separate = asked.separate or weights.shipped(size, "separate"), None
        if path.exists():
            separate, other = weights.load(path)
            machine["weights"] += f"; {other.name}, step {other.steps}"
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))

    judge, card = judges.load()
    print(f"judge: {card.name}, step {card.steps}")
    a, b = faces.frames("held", "A", size), faces.frames("held", "B", size)
    train = {name: faces.frames("train", name, size) for name in faces.PEOPLE}
    mean = train["B"].float().mean(0, keepdim=True).round().to(torch.uint8)
    masks = hulls(faces.landmarks("held", "B", size), size)
    clip_a, clip_b = faces.clip(size)
    clip_masks = hulls(faces.landmarks("clip", "B", size), size)
    yardsticks = {
        "the true B": (b, clip_b),
        "A unchanged": (a, clip_a),
        "mean picture of B": (mean.expand_as(b), mean.expand_as(clip_b)),
        "nearest frame of B to A": (nearest(a, masks, train["B"]), nearest(clip_a, clip_masks, train["B"])),
    }
    methods = joined(shared, separate, asked.pairs) | methods
    table = {name: row(*each, judge) for name, each in yardsticks.items()}
    table |= {name: row(method(a), method(clip_a), judge) for name, method in methods.items()}
    columns = list(next(iter(table.values())))
    print(f"\n{'':26}" + "".join(f"{name:>15}" for name in columns))
    for name, figures in table.items():
        print(f"{name:26}" + "".join(f"{figures[each]:15.2f}" for each in columns))
    pace = speed(shared)
    print(f"\nframes per second at {size} pixels, network and blend: " + ", ".join(f"{each:.0f} on {name}" for name, each in pace.items()))
    if asked.json:
        print(json.dumps({"machine": machine, "table": table, "frames_per_second": pace}))


if __name__ == "__main__":
    main()
