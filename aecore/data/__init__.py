"""Pictures to learn from: built in, downloaded, or a visitor's own."""

from aecore.data import downloads, faces, images
from aecore.data.own import OwnPictures, digest, read_pictures
from aecore.data.registry import DATASETS, Dataset, Images, Progress, load, register

__all__ = [
    "DATASETS",
    "Dataset",
    "Images",
    "OwnPictures",
    "Progress",
    "digest",
    "downloads",
    "faces",
    "images",
    "load",
    "read_pictures",
    "register",
]
