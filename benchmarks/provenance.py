"""What the marks of generated pictures survive, what they cost, and how often an unmarked picture passes for a marked one.

    python benchmarks/provenance.py [--data DIR] [--json]

100 outputs, each written by ``aecore.provenance.export`` as PNG: the built-in faces at 64, at 128 and enlarged to 512 pixels (28 of each, from
the held-out frames), and 16 cut-outs of the photographs that come with scikit-image and scikit-learn. 1,000 unmarked pictures: all held-out
frames and clips at 64 and 128 pixels, and cut-outs of photographs at sizes drawn from a seed. ``--data`` adds a folder of photographs.
Asked for: invisible mark found on at least 99 % as saved, 95 % after JPEG of quality 75 and after resizing to 75 %; no false alarm;
well under 10 ms for a frame of 128 pixels. The rest is reported as it is.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import skimage
import sklearn
import torch
from machine import describe
from PIL import Image
from torch import Tensor

from aecore.data import faces
from aecore.denoise.training import read_photos
from aecore.metrics import psnr, ssim
from aecore.provenance import export, label, verify, watermark
from aecore.provenance.harm import HARMS

SEED = 0
UNMARKED = 1000
PHOTOS = (
    *(
        Path(skimage.__file__).parent / "data" / name
        for name in ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png")
    ),
    *(Path(sklearn.__file__).parent / "datasets" / "images" / name for name in ("china.jpg", "flower.jpg")),
)
AMOUNTS: dict[str, tuple[float, ...]] = {
    "jpeg": (75, 50, 30),
    "resize": (75, 50),
    "webp": (75, 50),
    "screenshot": (137,),
    "crop": (90, 75, 50),
    "rotate": (2,),
    "blur": (10, 20),
    "noise": (5, 10, 20),
}
REPEATS = 5


def photographs(folder: Path | None) -> list[Tensor]:
    """``(3, H, W)`` uint8 each."""
    own = read_photos([folder]) if folder else []
    return [torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1) for path in PHOTOS] + own


def cut(photos: list[Tensor], count: int, rng: np.random.Generator) -> list[Tensor]:
    """Pieces of photographs: a place, a shape and a final size from 64 to 768 pixels, all at random."""
    pieces = []
    for place in range(count):
        photo = photos[place % len(photos)]
        height, width = (int(each * rng.uniform(0.4, 1)) for each in photo.shape[1:])
        top, left = (int(rng.integers(0, whole - part + 1)) for whole, part in zip(photo.shape[1:], (height, width), strict=True))
        piece = Image.fromarray(photo[:, top : top + height, left : left + width].permute(1, 2, 0).contiguous().numpy())
        scale = np.exp(rng.uniform(np.log(64), np.log(768))) / max(height, width)
        size = tuple(max(64, round(each * scale)) for each in (width, height))
        pieces.append(torch.from_numpy(np.array(piece.resize(size, Image.Resampling.LANCZOS))).permute(2, 0, 1))
    return pieces


def enlarged(picture: Tensor) -> Tensor:
    """Four times as wide and high."""
    return HARMS["resize"](picture, 400)


def outputs(photos: list[Tensor]) -> dict[str, list[Tensor]]:
    """The pictures to be marked, by kind."""
    people = {size: [*faces.frames("held", "A", size)[:14], *faces.frames("held", "B", size)[14:28]] for size in (64, 128)}
    pieces = cut(photos, 16, np.random.default_rng(SEED))
    return {"faces 64": people[64], "faces 128": people[128], "faces 512": [enlarged(each) for each in people[128]], "photographs": pieces}


def unmarked(photos: list[Tensor]) -> list[Tensor]:
    """A thousand pictures, none of them marked."""
    splits = [faces.frames(split, person, size) for size in (64, 128) for split in ("held", "clip") for person in faces.PEOPLE]
    frames = [frame for split in splits for frame in split]
    return frames + cut(photos, UNMARKED - len(frames), np.random.default_rng(SEED + 1))


def tried(pictures: list[Tensor]) -> dict[str, Any]:
    """How many of the marked pictures each mark is found on, and the lowest score."""
    sights = [label.look(each) for each in pictures]
    traces = [watermark.detect(each) for each in pictures]
    plain = [watermark.detect(each, search=False) for each in pictures]
    return {
        "pictures": len(pictures),
        "invisible": sum(each.found for each in traces),
        "without_search": sum(each.found for each in plain),
        "lowest": min(each.score for each in traces),
        "visible": sum(each.found for each in sights),
    }


def line(name: str, row: dict[str, Any]) -> str:
    count = row["pictures"]
    shares = "".join(f"{100 * row[each] / count:11.1f} %" for each in ("invisible", "without_search", "visible"))
    return f"{name:16}{shares}{row['lowest']:11.1f}"


def milliseconds(frame: Tensor) -> dict[str, float]:
    """Median time of each step on one frame."""
    strength = watermark.embed(frame)[1]
    steps = {
        "label": lambda: label.draw(frame),
        "watermark, strength found": lambda: watermark.embed(frame),
        "watermark, strength known": lambda: watermark.embed(frame, strength),
        "both, strength known": lambda: watermark.embed(label.draw(frame), strength),
        "watermark read": lambda: watermark.detect(frame, search=False),
    }
    found = {}
    for name, step in steps.items():
        times = []
        for _ in range(50):
            began = time.perf_counter()
            step()
            times.append(time.perf_counter() - began)
        found[name] = 1000 * statistics.median(times)
    film = faces.clip(128)[0][:50]
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        export(film, "mp4")
        times.append(time.perf_counter() - began)
    return found | {"whole MP4, a frame": 1000 * statistics.median(times) / len(film)}


def main() -> None:
    """Print survival, cost, false alarms and speed; with ``--json`` one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    machine = describe(SEED)
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    photos = photographs(asked.data)
    plain = outputs(photos)
    files = {kind: [export(each, "png") for each in pictures] for kind, pictures in plain.items()}
    found = {kind: [verify(each, "output.png") for each in contents] for kind, contents in files.items()}
    marked = {kind: [each.frame for each in each_found] for kind, each_found in found.items()}
    every = [each for pictures in marked.values() for each in pictures]

    print("\nWhat the invisible mark costs, beside the picture with its label: PSNR in dB, SSIM; mean, and worst")
    cost = {}
    for kind, pictures in plain.items():
        pairs = [(label.draw(before).float() / 255, after.float() / 255) for before, after in zip(pictures, marked[kind], strict=True)]
        ratios, alike = [psnr(after, before) for before, after in pairs], [ssim(after, before) for before, after in pairs]
        cost[kind] = {"psnr": statistics.mean(ratios), "ssim": statistics.mean(alike), "psnr_min": min(ratios), "ssim_min": min(alike)}
        print(f"{kind:16}" + "  ".join(f"{name} {value:.4g}" for name, value in cost[kind].items()))

    print(f"\nFound on {len(every)} outputs      invisible   no search    visible   lowest score", flush=True)
    survival = {"as saved": tried(every)}
    print(line("as saved", survival["as saved"]), flush=True)
    for name, amounts in AMOUNTS.items():
        for amount in amounts:
            survival[f"{name} {amount:g}"] = tried([HARMS[name](each, amount) for each in every])
            print(line(f"{name} {amount:g}", survival[f"{name} {amount:g}"]), flush=True)
    whole = sum(each.manifest.state == "own" for each_found in found.values() for each in each_found)
    print(f"manifest valid on {whole} of {len(every)} as saved; on none after a harm, for a picture saved anew has none")

    others = unmarked(photos)
    sights, traces = [label.look(each).score for each in others], [watermark.detect(each) for each in others]
    alarms = {
        "pictures": len(others),
        "invisible": sum(each.found for each in traces),
        "visible": sum(each >= label.SEEN for each in sights),
        "highest_invisible": max(each.score for each in traces),
        "highest_visible": max(sights),
    }
    print("\nFalse alarms: " + ", ".join(f"{name} {value:.4g}" for name, value in alarms.items()))
    speed = milliseconds(faces.frames("held", "A", 128)[0])
    print("\nMilliseconds for a frame of 128 pixels, median: " + ", ".join(f"{name} {value:.1f}" for name, value in speed.items()))
    if asked.json:
        print(json.dumps({"machine": machine, "cost": cost, "survival": survival, "false_alarms": alarms, "milliseconds": speed}))


if __name__ == "__main__":
    main()
