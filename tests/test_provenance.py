"""Marks of generated pictures: drawn, hidden, signed, read from strangers' files; and no way around them."""

import ast
import inspect
import io
import pkgutil
import stat
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import av
import numpy as np
import pytest
import torch
from cryptography import x509
from PIL import Image

from aecore import provenance
from aecore.__main__ import main
from aecore.commands.verify import STATES
from aecore.data import faces
from aecore.metrics import psnr, ssim
from aecore.provenance import FORMATS, certificate, export, label, manifest, verify, verifying, watermark
from aecore.provenance.harm import HARMS
from aecore.refusal import Refused
from tests.serving import ROOT


@pytest.fixture(autouse=True)
def own_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The key is made in a folder of the tests."""
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path_factory.getbasetemp() / "provenance-cache"))
    certificate._credentials.cache_clear()
    yield
    certificate._credentials.cache_clear()


def face(size: int = 128) -> torch.Tensor:
    return faces.frames("held", "A", size)[0]


def saved(picture: torch.Tensor, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy()).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize("format", FORMATS)
def test_every_format_carries_all_three_marks(format: provenance.Format, size: int) -> None:
    found = verify(export(face(size), format), "face")
    assert found.visible.found and found.invisible.found and found.manifest.state == "own"
    assert found.frame.shape == (3, size, size) and found.invisible.share == 1
    assert found.manifest.generator == "Autoencoder Lab" and found.manifest.source == "trainedAlgorithmicMedia"
    assert found.manifest.actions == ("c2pa.created", "c2pa.edited", "c2pa.watermarked.unbound") and found.manifest.when


@pytest.mark.parametrize("format", ["webp", "mp4"])
def test_every_frame_of_a_film_is_marked(format: provenance.Format) -> None:
    seen: list[float] = []
    content = export(faces.clip(128)[1][:12], format, "composite", rate=10, progress=seen.append)
    assert seen == pytest.approx([place / 12 for place in range(1, 13)])
    if format == "mp4":
        with av.open(io.BytesIO(content)) as container:
            frames = [torch.from_numpy(each.to_ndarray(format="rgb24")).permute(2, 0, 1) for each in container.decode(video=0)]
            assert container.streams.video[0].average_rate == 10
    else:
        image = Image.open(io.BytesIO(content))
        frames = [
            torch.from_numpy(np.array((image.seek(place), image.convert("RGB"))[1])).permute(2, 0, 1) for place in range(image.n_frames)
        ]
    assert len(frames) == 12
    assert all(label.look(each).found and watermark.detect(each, search=False).found for each in frames)
    found = verify(content, "film")
    assert found.frames == 8 and found.manifest.state == "own" and found.manifest.source == "compositeWithTrainedAlgorithmicMedia"


def test_sizes_from_small_to_large_are_marked_and_odd_films_become_even() -> None:
    for height, width in ((64, 64), (101, 77), (64, 300), (700, 90), (400, 1600)):
        picture = torch.nn.functional.interpolate(face()[None].float(), (height, width), mode="bilinear")[0].byte()
        found = verify(export(picture, "jpeg"), "face")
        assert found.visible.found and found.invisible.found, (height, width)
    assert verify(export(face()[:, :101, :77], "mp4"), "odd").frame.shape == (3, 102, 78)


def test_the_label_can_be_read_on_any_ground() -> None:
    for ground in (0, 255):
        drawn = label.draw(torch.full((3, 256, 256), ground, dtype=torch.uint8))[0].float() / 255
        height, width = label.plate(256, 256).shape
        plate = drawn[-height:, :width]
        linear = torch.where(plate <= 0.04045, plate / 12.92, ((plate + 0.055) / 1.055) ** 2.4)  # WCAG 2: relative luminance
        assert (linear.max() + 0.05) / (linear.min() + 0.05) > 7, "contrast as WCAG asks of small letters at level AAA"
        assert (drawn[: 256 - height] * 255 == ground).all() and width < 200
    assert label.plate(64, 64).shape[1] <= 64 and label.plate(4000, 3000).shape[0] > 100


def test_the_invisible_mark_is_faint_and_survives() -> None:
    pictures = [*faces.frames("held", "A", 128)[:6], *faces.frames("held", "B", 128)[:6]]
    marked = [watermark.embed(each)[0] for each in pictures]
    pairs = [(after.float() / 255, before.float() / 255) for after, before in zip(marked, pictures, strict=True)]
    assert min(psnr(*each) for each in pairs) > 40 and min(ssim(*each) for each in pairs) > 0.97
    for name in ("jpeg", "resize", "webp", "screenshot", "blur", "noise"):
        assert all(watermark.detect(HARMS[name](each, HARMS[name].default), search=False).found for each in marked), name
    assert all(watermark.detect(each, search=False).score < 4 for each in pictures)


def test_the_search_finds_what_was_cut_out_or_turned_and_says_where() -> None:
    marked = watermark.embed(face())[0]
    part = watermark.detect(marked[:, 30:126, 10:106])
    assert part.found and part.share == pytest.approx(0.75, abs=0.01) and part.threshold > watermark.threshold(2)
    assert not watermark.detect(marked[:, 30:126, 10:106], search=False).found
    turned = watermark.detect(HARMS["rotate"](marked, 2))
    assert turned.found and turned.angle == pytest.approx(-2, abs=0.5)
    assert not watermark.detect(face(64)).found and not watermark.detect(marked.flip(2), search=False).found


def test_false_alarms_are_as_rare_as_chance_allows() -> None:
    """Scores of unmarked pictures spread like a normal distribution: what the threshold rests on."""
    pictures = torch.cat(
        [faces.frames("clip", person, size) for size in (64,) for person in faces.PEOPLE] + [faces.frames("held", "A", 64)]
    )
    shifted = [watermark._correlations([watermark._brightness(each.permute(1, 2, 0).numpy())], 64, 64) for each in pictures[::12]]
    scores = np.concatenate([each.ravel() for each in shifted])
    assert abs(scores.mean()) < 0.05 and scores.std() == pytest.approx(1, abs=0.01) and np.abs(scores).max() < 5.5
    assert np.mean(scores > 2) == pytest.approx(0.0228, abs=0.006) and np.mean(scores > 3) < 0.003
    assert all(not watermark.detect(each, search=False).found and not label.look(each).found for each in pictures[::6])
    assert watermark.threshold(1) == pytest.approx(4.89, abs=0.01) and watermark.threshold(1) < watermark.threshold(100_000)


def test_flat_pictures_and_noise_carry_the_mark_too() -> None:
    noise = torch.randint(0, 256, (3, 128, 128), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    for picture in (torch.zeros(3, 128, 128, dtype=torch.uint8), torch.full((3, 128, 128), 255, dtype=torch.uint8), noise):
        assert watermark.detect(watermark.embed(picture)[0], search=False).found
        assert not watermark.detect(picture, search=False).found


def public() -> Iterator[tuple[str, object]]:
    """Every public function of the package, by its full name."""
    for found in pkgutil.iter_modules(provenance.__path__):
        module = import_module(f"aecore.provenance.{found.name}")
        for name, each in inspect.getmembers(module, inspect.isfunction):
            if not name.startswith("_") and each.__module__ == module.__name__:
                yield f"{found.name}.{name}", each


def test_nothing_public_gives_a_file_of_pictures_but_export() -> None:
    functions = dict(public())
    assert {"exporting.export", "watermark.embed", "label.draw", "verifying.verify", "manifest.sign"} <= set(functions)
    giving = {name for name, each in functions.items() if get_type_hints(each).get("return") is bytes}
    assert giving == {"exporting.export", "manifest.sign"}, "sign takes bytes that are marked already, and makes none"
    assert set(inspect.signature(manifest.sign).parameters) == {"content", "kind", "source"}
    assert list(inspect.signature(export).parameters) == ["pictures", "format", "source", "rate", "progress"], (
        "nothing that switches a mark off"
    )
    assert set(get_type_hints(provenance.Findings).values()) & {bytes} == set()


def test_whoever_encodes_in_the_package_is_private_and_called_with_marked_frames() -> None:
    tree = ast.parse((ROOT / "aecore" / "provenance" / "exporting.py").read_text())
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_encoded"
    ]
    assert len(calls) == 1
    first = calls[0].args[0]
    assert isinstance(first, ast.Call) and isinstance(first.func, ast.Name) and first.func.id == "_marked"


@pytest.mark.parametrize("format", FORMATS)
def test_the_manifest_notices_a_change(format: provenance.Format) -> None:
    content = export(face(), format)
    found = verify(content + b"\0", "longer")
    assert found.manifest.state == "altered" and found.manifest.faults[0].endswith("Hash.mismatch")
    assert found.visible.found and found.invisible.found


def test_a_picture_saved_anew_has_lost_its_manifest_and_only_that() -> None:
    found = verify(saved(verify(export(face(), "png"), "face").frame), "again.png")
    assert found.manifest == provenance.Statement() and not found.manifest.holds
    assert found.visible.found and found.invisible.found


def test_another_installation_counts_it_as_intact_but_not_as_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = export(face(), "png")
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))
    found = verify(content, "foreign.png")
    assert found.manifest.state == "intact" and found.manifest.holds and found.manifest.signer == certificate.SIGNER


def test_the_key_is_private_and_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))
    first = certificate.credentials()
    if sys.platform != "win32":
        assert stat.S_IMODE(certificate.file().stat().st_mode) == 0o600 and stat.S_IMODE(certificate.file().parent.stat().st_mode) == 0o700
    assert [each.name for each in certificate.file().parent.iterdir()] == ["signer.pem"]
    certificate._keep(certificate._made(), certificate.file())
    certificate._credentials.cache_clear()
    assert certificate.credentials() == first, "who comes second uses what is there"
    leaf, root = x509.load_pem_x509_certificates(first.chain)
    leaf.verify_directly_issued_by(root)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert ROOT not in certificate.file().parents and "key" not in repr(first)


def test_a_key_that_cannot_be_used_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))
    certificate.file().parent.mkdir()
    certificate.file().write_text("nonsense")
    with pytest.raises(Refused, match="is damaged"):
        export(face(), "png")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path / "file"))
    with pytest.raises(Refused, match="cannot be kept"):
        export(face(), "png")


@pytest.mark.parametrize(
    ("pictures", "format", "sentence"),
    [
        (torch.zeros(3, 63, 128, dtype=torch.uint8), "png", "63 pixels"),
        (torch.zeros(3, 64, 4097, dtype=torch.uint8), "png", "4097 × 64"),
        (torch.zeros(2, 3, 64, 64, dtype=torch.uint8), "png", "2 frames"),
        (torch.zeros(0, 3, 64, 64, dtype=torch.uint8), "mp4", "at least one"),
        (torch.zeros(1, 64, 64, dtype=torch.uint8), "png", "in colour"),
        (torch.zeros(3, 64, 64), "png", "0 to 255"),
        (torch.zeros(1, dtype=torch.uint8).expand(901, 3, 64, 64), "mp4", "901 frames"),
        (torch.zeros(3, 64, 64, dtype=torch.uint8), "gif", "no format gif"),
    ],
)
def test_what_cannot_be_exported_is_refused(pictures: torch.Tensor, format: provenance.Format, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        export(pictures, format)


def bomb(width: int, height: int) -> bytes:
    """A PNG that claims so many pixels and holds none."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def film(frames: int, rate: int, size: int = 64) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width = stream.height = size
        for _ in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((size, size, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not a picture"),
        (b"hello", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (bomb(60_000, 60_000), "million pixels"),
        (bomb(300, 300), "damaged"),
        (b"\0\0\0\x20ftypisom" + bytes(100), "not a film"),
        (saved(torch.zeros(3, 20, 200, dtype=torch.uint8)), "too small"),
    ],
)
def test_hostile_files_are_refused_with_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence) as caught:
        verify(content, "../../etc/[x](http://a)\nname.png")
    assert "/etc" not in str(caught.value) and "\n" not in str(caught.value)


def test_long_and_large_and_cut_films_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="longer than 10 minutes"):
        verify(film(700, 1), "long.mp4")
    short = film(3, 25)
    assert verify(short, "short.mp4").frames == 3
    with pytest.raises(Refused, match="not a film"):
        verify(short[: len(short) // 2], "cut.mp4")
    monkeypatch.setattr(verifying.picture, "MAX_PIXELS", 1000)
    with pytest.raises(Refused, match="million pixels"):
        verify(short, "large.mp4")
    monkeypatch.setattr(verifying, "MOST_BYTES", 100)
    with pytest.raises(Refused, match="more than 0 MB"):
        verify(short, "heavy.mp4")


def test_a_manifest_by_a_stranger_is_read_as_words_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "GENERATOR", "a\u202e\n" + "x" * 500)
    found = verify(export(face(), "png"), "face").manifest
    assert len(found.generator) <= 60 and found.generator.isprintable()
    assert manifest.read(b"not a file", "image/png").state in ("absent", "unreadable")
    assert manifest.read(b"BM", "image/bmp").state == "absent"


def test_animations_of_odd_kinds_are_read_by_their_first_frames() -> None:
    file = io.BytesIO()
    frames = [Image.new("L", (64, 64), value) for value in range(0, 240, 20)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    found = verify(file.getvalue(), "many.gif")
    assert found.frames == 8 and not found.invisible.found and found.manifest.state == "absent"


def test_the_command_prints_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "face.png"
    path.write_bytes(export(face(), "png"))
    assert main(["verify", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "PNG, 128 x 128" in printed and "label:       found" in printed and "watermark: found" in printed and STATES["own"] in printed
    path.write_bytes(b"nothing")
    assert main(["verify", str(path)]) == 1 and "not a picture" in capsys.readouterr().err


def test_the_lab_does_not_ask_the_network_when_it_reads(tmp_path: Path) -> None:
    """A manifest may name an address to be fetched; sockets are closed to the process that reads it."""
    script = f"""
import socket, sys
def refuse(*arguments, **named): raise AssertionError("the network was asked")
socket.socket.connect = socket.getaddrinfo = refuse
from aecore.provenance import manifest
assert manifest.OFFLINE["verify"] == {{"remote_manifest_fetch": False, "ocsp_fetch": False}}
from aecore.provenance import export, verify
from aecore.data import faces
assert verify(export(faces.frames("held", "A", 64)[0], "png"), "x").manifest.holds
assert "requests" not in sys.modules and {str(ROOT)!r}
"""
    environment = {"AECORE_CACHE": str(tmp_path), "PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
