"""The data sets: what is built in, and what is downloaded, here from a small server of the test's own."""

import gzip
import hashlib
import io
import pickle
import struct
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from aecore.data import DATASETS, Dataset, Images, digest, downloads, faces, load, register, transfer
from aecore.data.pack import read_idx
from aecore.data.split import stratified
from aecore.refusal import Refused

BUILT_IN = ["digits", "clothes", "faces-64", "faces-128"]
ON_DEMAND = ["mnist", "fashion-mnist", "kmnist", "emnist-letters", "cifar10"]


# The registry


def test_every_promised_set_is_registered() -> None:
    assert [name for name, dataset in DATASETS.items() if dataset.built_in] == BUILT_IN
    assert [name for name, dataset in DATASETS.items() if not dataset.built_in] == ON_DEMAND


@pytest.mark.parametrize("name", [*BUILT_IN, *ON_DEMAND])
def test_a_record_says_what_a_student_needs(name: str) -> None:
    dataset = DATASETS[name]
    assert dataset.name == name
    assert dataset.title and dataset.about.endswith(".") and dataset.licence
    assert "https://" in dataset.source or "http://" in dataset.source
    assert len(set(dataset.classes)) == len(dataset.classes) >= 2


def test_a_duplicate_name_raises() -> None:
    with pytest.raises(ValueError, match="digits"):
        register(DATASETS["digits"])


def test_an_unknown_name_is_refused_with_the_choices() -> None:
    with pytest.raises(Refused, match=r"no data set named birds.*digits, clothes"):
        load("birds")


def test_importing_the_data_reads_nothing_and_leaves_torchvision_alone() -> None:
    code = "import sys, numpy; numpy.load = None; import aecore.data; sys.exit('torchvision' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent.parent, check=False).returncode == 0


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_set_is_what_its_record_says(name: str) -> None:
    heard: list[float] = []
    images = load(name, heard.append)
    dataset: Dataset = DATASETS[name]
    assert images.shape == dataset.shape
    assert images.classes == dataset.classes
    assert images.train_labels.unique().tolist() == images.test_labels.unique().tolist() == list(range(len(dataset.classes)))
    assert heard[-1] == 1.0 and heard == sorted(heard)


def test_images_of_another_type_or_shape_raise() -> None:
    pictures, labels = torch.zeros(3, 1, 4, 4, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64)
    with pytest.raises(ValueError, match="uint8"):
        Images(pictures.float(), labels, pictures, labels, ("a",))
    with pytest.raises(ValueError, match="labels"):
        Images(pictures, labels[:2], pictures, labels, ("a",))
    with pytest.raises(ValueError, match="differ"):
        Images(pictures, labels, pictures[..., :3], labels, ("a",))


# Digits and clothes


def test_digits_keep_the_classes_shares_of_mnist() -> None:
    # How many of each digit MNIST has: LeCun's published counts, of 60,000 and 10,000.
    published = np.array([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    published_test = np.array([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
    images = load("digits")
    train, test = np.bincount(images.train_labels), np.bincount(images.test_labels)
    assert train.sum() == 10_000 and test.sum() == 2_000
    assert np.abs(train - published / 6).max() < 1
    assert np.abs(test - published_test / 5).max() < 1


def test_clothes_have_as_many_of_each_kind() -> None:
    images = load("clothes")
    assert np.bincount(images.train_labels).tolist() == [1000] * 10
    assert np.bincount(images.test_labels).tolist() == [200] * 10


@pytest.mark.parametrize(("name", "mean", "spread"), [("digits", 0.1307, 0.3081), ("clothes", 0.2860, 0.3530)])
def test_pixels_have_the_known_mean_and_spread(name: str, mean: float, spread: float) -> None:
    # The figures everyone normalises these sets with.
    pixels = load(name).train.double() / 255
    assert pixels.mean().item() == pytest.approx(mean, abs=0.003)
    assert pixels.std().item() == pytest.approx(spread, abs=0.003)


def test_labels_belong_to_their_pictures() -> None:
    # A nearest-mean classifier reaches about 82 % on MNIST; labels out of order would leave 10 %.
    images = load("digits")
    means = torch.stack([images.train[images.train_labels == digit].float().mean(0).flatten() for digit in range(10)])
    guesses = torch.cdist(images.test.flatten(1).float(), means).argmin(1)
    assert (guesses == images.test_labels).double().mean() > 0.75


def test_no_digit_is_drawn_twice() -> None:
    images = load("digits")
    every = torch.cat([images.train, images.test]).flatten(1).numpy()
    assert len({picture.tobytes() for picture in every}) == 12_000


# Faces


def test_faces_are_in_order_a_then_b() -> None:
    images = load("faces-64")
    assert images.train.shape == (1200, 3, 64, 64) and images.test.shape == (120, 3, 64, 64)
    assert images.train_labels.tolist() == [0] * 600 + [1] * 600
    assert images.test_labels.tolist() == [0] * 60 + [1] * 60
    assert torch.equal(images.train[600:], faces.frames("train", "B", 64))
    assert torch.equal(images.test[:60], faces.frames("held", "A", 64))


def test_a_small_face_is_the_mean_of_two_by_two_pixels() -> None:
    large, small = faces.frames("held", "B", 128).numpy().astype(float), faces.frames("held", "B", 64).numpy()
    mean = (large[:, :, ::2, ::2] + large[:, :, 1::2, ::2] + large[:, :, ::2, 1::2] + large[:, :, 1::2, 1::2]) / 4
    assert np.abs(mean - small).max() <= 0.5


def test_the_clip_moves_smoothly_and_both_people_move_alike() -> None:
    a, b = (frames.float() for frames in faces.clip(64))
    assert a.shape == b.shape == (90, 3, 64, 64)
    step = (a[1:] - a[:-1]).abs().mean()
    far = (a[45:] - a[:45]).abs().mean()
    assert step < 0.5 * far
    # Same background, light and pose: frame i of A is nearer to frame i of B than to B a second later.
    assert (a - b).abs().mean() < (a - b.roll(30, 0)).abs().mean()


@pytest.mark.parametrize(("split", "count"), [("train", 600), ("held", 60), ("clip", 90)])
def test_each_frame_has_parameters_and_landmarks(split: faces.Split, count: int) -> None:
    names, values = faces.parameters(split)
    assert values.shape == (count, len(names)) == (count, 28)
    assert names[:3] == ("yaw", "pitch", "roll") and names[-1] == "background"
    assert np.abs(values[:, :3]).max() < 90
    for person in faces.PEOPLE:
        points = faces.landmarks(split, person)
        assert points.shape == (count, len(faces.LANDMARK_NAMES), 2) == (count, 30, 2) and points.dtype == np.float32
        at = {name: points[:, place] for place, name in enumerate(faces.LANDMARK_NAMES)}
        assert (at["chin"][:, 1] > at["forehead"][:, 1]).all()
        assert (at["eye_l_in"][:, 0] > at["eye_r_in"][:, 0]).all()


def test_landmarks_follow_the_picture() -> None:
    # The eye's white and iris lie in the dark of the socket: pixels at the eye differ from the cheek's. And a head that
    # turns moves its nose: yaw and the nose's place go together, in landmarks and parameters alike.
    names, values = faces.parameters("train")
    nose = faces.landmarks("train", "A")[:, faces.LANDMARK_NAMES.index("nose_tip"), 0]
    assert abs(np.corrcoef(values[:, names.index("yaw")], nose)[0, 1]) > 0.8
    assert np.allclose(faces.landmarks("held", "B", 64) * 2, faces.landmarks("held", "B", 128))


def test_unknown_faces_are_refused() -> None:
    with pytest.raises(Refused, match="no split dark"):
        faces.frames("dark", "A")  # type: ignore[arg-type]
    with pytest.raises(Refused, match="no face of C"):
        faces.landmarks("held", "C")  # type: ignore[arg-type]
    with pytest.raises(Refused, match="32 pixels"):
        faces.clip(32)


# Splitting and digests


def test_a_stratified_draw_gives_every_class_its_share() -> None:
    labels = torch.tensor([0] * 70 + [1] * 20 + [2] * 10)[torch.randperm(100, generator=torch.Generator().manual_seed(3))]
    drawn = stratified(labels, 25, torch.Generator().manual_seed(0))
    assert len(set(drawn.tolist())) == 25 and drawn.tolist() == sorted(drawn.tolist())
    # Shares 17.5, 5 and 2.5: one place is left over for the first of the two equal remainders.
    assert torch.bincount(labels[drawn]).tolist() == [18, 5, 2]
    assert torch.equal(drawn, stratified(labels, 25, torch.Generator().manual_seed(0)))
    assert not torch.equal(drawn, stratified(labels, 25, torch.Generator().manual_seed(1)))
    assert stratified(labels, 100, torch.Generator()).tolist() == list(range(100))
    with pytest.raises(ValueError, match="101"):
        stratified(labels, 101, torch.Generator())


def test_a_digest_follows_the_content() -> None:
    def small(value: int = 0, label: int = 0, classes: tuple[str, ...] = ("a", "b")) -> Images:
        pictures, labels = torch.full((2, 1, 4, 4), value, dtype=torch.uint8), torch.full((2,), label, dtype=torch.int64)
        return Images(pictures, labels, pictures, labels, classes)

    assert digest(small()) == digest(small()) and len(digest(small())) == 64
    assert len({digest(small()), digest(small(value=1)), digest(small(label=1)), digest(small(classes=("a", "c")))}) == 4


# Downloads, from a server of the test's own


class Server(ThreadingHTTPServer):
    """Serves ``files`` by path; counts what was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.cut: dict[str, int] = {}
        self.asked: list[str] = []
        self.address = f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(BaseHTTPRequestHandler):
    server: Server  # type: ignore[assignment]

    def do_GET(self) -> None:
        self.server.asked.append(self.path[1:])
        content = self.server.files.get(self.path[1:])
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: self.server.cut.get(self.path[1:])])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "cache"


def idx(values: np.ndarray) -> bytes:
    """Bytes as LeCun's page describes them."""
    return gzip.compress(b"\0\0\x08" + bytes([values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes(), mtime=0)


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


PICTURES = np.random.default_rng(0).integers(0, 256, (30, 28, 28), dtype=np.uint8)
LABELS = (np.arange(30) % 10).astype(np.uint8)


@pytest.fixture
def mnist(server: Server, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A small MNIST, served; torchvision's addresses and checksums lead to it."""
    from torchvision import datasets

    files = {
        "train-images-idx3-ubyte.gz": idx(PICTURES[:20]),
        "train-labels-idx1-ubyte.gz": idx(LABELS[:20]),
        "t10k-images-idx3-ubyte.gz": idx(PICTURES[20:]),
        "t10k-labels-idx1-ubyte.gz": idx(LABELS[20:]),
    }
    server.files.update(files)
    monkeypatch.setattr(datasets.MNIST, "mirrors", [server.address + "gone/", server.address])
    monkeypatch.setattr(datasets.MNIST, "resources", [(name, md5(content)) for name, content in files.items()])
    return files


def left_over(cache: Path) -> list[str]:
    return [path.name for path in cache.rglob("unfinished-*")]


def test_a_download_reports_progress_and_is_kept(server: Server, mnist: dict[str, bytes], cache: Path) -> None:
    heard: list[float] = []
    images = load("mnist", heard.append)
    assert np.array_equal(images.train[:, 0].numpy(), PICTURES[:20]) and np.array_equal(images.test[:, 0].numpy(), PICTURES[20:])
    assert images.train_labels.tolist() == LABELS[:20].tolist() and images.test_labels.tolist() == LABELS[20:].tolist()
    assert heard == sorted(heard) and heard[0] > 0 and heard[-1] == pytest.approx(1.0) and len(heard) >= 4
    # The first mirror has nothing, so each file was asked for twice; a second load asks for nothing.
    assert len(server.asked) == 8 and left_over(cache) == []
    assert torch.equal(load("mnist").train, images.train) and len(server.asked) == 8


def test_only_what_is_missing_is_downloaded(server: Server, mnist: dict[str, bytes], cache: Path) -> None:
    load("mnist")
    server.asked.clear()
    (cache / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").unlink()
    heard: list[float] = []
    load("mnist", heard.append)
    assert [name for name in server.asked if not name.startswith("gone")] == ["t10k-labels-idx1-ubyte.gz"]
    assert heard[-1] == pytest.approx(1.0)


def test_a_set_is_stored_once_all_its_files_are(mnist: dict[str, bytes], cache: Path) -> None:
    assert not any(downloads.stored(name) for name in [*BUILT_IN, *ON_DEMAND, "birds"])
    load("mnist")
    assert [name for name in ON_DEMAND if downloads.stored(name)] == ["mnist"]
    (cache / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").unlink()
    assert not downloads.stored("mnist")


def test_nothing_is_stored_where_nothing_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AECORE_CACHE", "/" + "x" * 300)
    assert not downloads.stored("mnist")


def test_names_of_stored_files_are_torchvisions() -> None:
    from torchvision import datasets

    assert list(downloads.KEPT) == ON_DEMAND
    for name, kind in (("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST"), ("kmnist", "KMNIST")):
        resources = getattr(datasets, kind).resources
        assert downloads.KEPT[name] == (f"{kind}/raw", tuple(Path(file).stem for file, _ in resources))
    cifar = datasets.CIFAR10
    names = (*(file for file, _ in (*cifar.train_list, *cifar.test_list)), cifar.meta["filename"])
    assert downloads.KEPT["cifar10"] == (f"CIFAR10/{cifar.base_folder}", names)


def test_wrong_bytes_are_refused_and_not_kept(server: Server, mnist: dict[str, bytes], cache: Path) -> None:
    server.files["train-images-idx3-ubyte.gz"] = idx(PICTURES[:20] // 2)
    with pytest.raises(Refused, match=r"arrived damaged.*Handwritten digits"):
        load("mnist")
    assert [path for path in cache.rglob("*") if path.is_file()] == [] and left_over(cache) == []
    server.files.update(mnist)
    assert len(load("mnist").train) == 20


def test_a_cut_transfer_is_refused_and_not_kept(server: Server, mnist: dict[str, bytes], cache: Path) -> None:
    server.cut["train-images-idx3-ubyte.gz"] = 1000
    with pytest.raises(Refused, match="could not be downloaded"):
        load("mnist")
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_no_network_is_one_sentence_with_a_way_on(monkeypatch: pytest.MonkeyPatch, mnist: dict[str, bytes], cache: Path) -> None:
    from torchvision import datasets

    monkeypatch.setattr(datasets.MNIST, "mirrors", ["http://127.0.0.1:1/", "http://no-such-host.invalid/"])
    with pytest.raises(Refused) as refusal:
        load("mnist")
    assert str(refusal.value) == (
        "Whole MNIST could not be downloaded. Check the connection to the internet and try again, or choose a set that needs "
        "no download: Handwritten digits, Clothes, Two faces (64 pixels), Two faces (128 pixels)."
    )


def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch, server: Server, mnist: dict[str, bytes], cache: Path) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT", 0.2)
    silent = threading.Event()
    monkeypatch.setattr(Handler, "do_GET", lambda handler: silent.wait(5))
    start = time.perf_counter()
    try:
        with pytest.raises(Refused, match="could not be downloaded"):
            load("mnist")
        assert time.perf_counter() - start < 3
    finally:
        silent.set()


def test_a_server_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch, mnist: dict[str, bytes], cache: Path) -> None:
    monkeypatch.setattr(transfer, "LARGEST", 1000)
    with pytest.raises(Refused, match="arrived damaged"):
        load("mnist")


def test_a_stop_during_a_download_leaves_nothing_half(mnist: dict[str, bytes], cache: Path) -> None:
    def stop(fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load("mnist", stop)
    assert [path for path in cache.rglob("*") if path.is_file()] == [] and left_over(cache) == []


def test_a_folder_that_cannot_be_written_is_said(mnist: dict[str, bytes], cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(Refused, match="could not be saved in"):
        load("mnist")


def test_a_damaged_stored_copy_is_removed(mnist: dict[str, bytes], cache: Path) -> None:
    load("mnist")
    stored = cache / "MNIST" / "raw" / "train-images-idx3-ubyte"
    stored.write_bytes(stored.read_bytes()[:5000])
    with pytest.raises(Refused, match="damaged and has been removed"):
        load("mnist")
    assert len(load("mnist").train) == 20


def test_two_downloads_at_once_both_succeed(mnist: dict[str, bytes], cache: Path) -> None:
    results: list[Images] = []
    threads = [threading.Thread(target=lambda: results.append(load("mnist"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [np.array_equal(images.train[:, 0].numpy(), PICTURES[:20]) for images in results] == [True] * 4
    assert left_over(cache) == []


@pytest.mark.parametrize(("name", "kind"), [("fashion-mnist", "FashionMNIST"), ("kmnist", "KMNIST")])
def test_sets_stored_like_mnist(
    name: str, kind: str, server: Server, mnist: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    from torchvision import datasets

    monkeypatch.setattr(getattr(datasets, kind), "mirrors", [server.address])
    monkeypatch.setattr(getattr(datasets, kind), "resources", datasets.MNIST.resources)
    assert np.array_equal(load(name).train[:, 0].numpy(), PICTURES[:20])
    assert (cache / kind / "raw" / "t10k-labels-idx1-ubyte").exists()


def test_emnist_letters_stand_upright_and_count_from_zero(server: Server, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    from torchvision import datasets

    # A letter whose only ink is a line along the top; stored as EMNIST stores it, with rows and columns exchanged.
    letter = np.zeros((26, 28, 28), np.uint8)
    letter[:, 2, :] = 255
    letters = np.arange(1, 27).astype(np.uint8)
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as archive:
        for split in ("train", "test"):
            archive.writestr(f"gzip/emnist-letters-{split}-images-idx3-ubyte.gz", idx(letter.transpose(0, 2, 1).copy()))
            archive.writestr(f"gzip/emnist-letters-{split}-labels-idx1-ubyte.gz", idx(letters))
        archive.writestr("gzip/emnist-byclass-train-images-idx3-ubyte.gz", b"not needed")
    server.files["gzip.zip"] = bundle.getvalue()
    monkeypatch.setattr(datasets.EMNIST, "url", server.address + "gzip.zip")
    monkeypatch.setattr(datasets.EMNIST, "md5", md5(bundle.getvalue()))
    images = load("emnist-letters")
    assert np.array_equal(images.train[:, 0].numpy(), letter) and np.array_equal(images.test[:, 0].numpy(), letter)
    assert images.train_labels.tolist() == list(range(26)) and images.classes[0] == "a" and images.classes[25] == "z"
    assert len(list((cache / "EMNIST" / "raw").iterdir())) == 4
    assert downloads.stored("emnist-letters")
    load("emnist-letters")
    assert server.asked == ["gzip.zip"]


def test_cifar10_in_channels_first(server: Server, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    from torchvision import datasets

    red = np.zeros((4, 3, 32, 32), np.uint8)
    red[:, 0] = 200
    names = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"]
    # CIFAR-10 is published as pickles with these keys.
    contents = {name: pickle.dumps({"data": red.reshape(4, -1), "labels": [0, 3, 9, place]}) for place, name in enumerate(names)}
    contents["batches.meta"] = pickle.dumps({"label_names": list(DATASETS["cifar10"].classes)})
    bundle = io.BytesIO()
    with tarfile.open(fileobj=bundle, mode="w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    server.files["cifar.tar.gz"] = bundle.getvalue()
    monkeypatch.setattr(datasets.CIFAR10, "url", server.address + "cifar.tar.gz")
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", md5(bundle.getvalue()))
    monkeypatch.setattr(datasets.CIFAR10, "train_list", [[name, md5(contents[name])] for name in names[:5]])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", [["test_batch", md5(contents["test_batch"])]])
    monkeypatch.setattr(datasets.CIFAR10, "meta", {**datasets.CIFAR10.meta, "md5": md5(contents["batches.meta"])})
    images = load("cifar10")
    assert images.train.shape == (20, 3, 32, 32) and images.test.shape == (4, 3, 32, 32)
    assert images.train[:, 0].unique().tolist() == [200] and images.train[:, 1:].unique().tolist() == [0]
    assert images.train_labels[:8].tolist() == [0, 3, 9, 0, 0, 3, 9, 1] and images.test_labels.tolist() == [0, 3, 9, 5]


def test_class_names_are_torchvisions() -> None:
    from torchvision import datasets

    assert list(DATASETS["kmnist"].classes) == datasets.KMNIST.classes
    assert ["N/A", *DATASETS["emnist-letters"].classes] == datasets.EMNIST.classes_split_dict["letters"]
    assert [name[0] for name in datasets.MNIST.classes] == list(DATASETS["mnist"].classes)
    same = zip(DATASETS["clothes"].classes, datasets.FashionMNIST.classes, strict=True)
    assert all(theirs.lower().startswith(ours.lower()[:7]) for ours, theirs in same)


def test_pack_reads_idx(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(idx(PICTURES))
    assert np.array_equal(read_idx(tmp_path / "a.gz"), PICTURES)
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"hello world"))
    with pytest.raises(ValueError, match="not an IDX file"):
        read_idx(tmp_path / "b.gz")
