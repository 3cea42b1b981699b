"""Trees of class folders, read as burn-hebbian's lab reads them: the same images in the same order."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torchvision.io import ImageReadMode, decode_image, read_file, write_png

PARTS = ("train", "test")

MASK = (1 << 64) - 1


class SplitMix:
    """The generator SplitMix64 (Steele, Lea and Flood 2014)."""

    def __init__(self, state: int) -> None:
        self.state = state & MASK

    def next(self) -> int:
        """64 bits."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)


def shuffled(n: int, seed: int, epoch: int) -> list[int]:
    """`0..n` in the order that the lab has for this seed and epoch."""
    random = SplitMix(SplitMix(seed).next() ^ epoch)
    order = list(range(n))
    for last in range(n - 1, 0, -1):
        other = (random.next() * (last + 1)) >> 64
        order[last], order[other] = order[other], order[last]
    return order


@dataclass
class Part:
    """Images `[n, 3, height, width]` in 0..1, and their classes `[n]`."""

    images: Tensor
    labels: Tensor

    def batches(self, size: int, seed: int, epoch: int) -> list[Tensor]:
        """The places of the images of every batch of an epoch, counted from 1."""
        return list(torch.tensor(shuffled(len(self.labels), seed, epoch)).split(size))


def read(folder: Path, threads: int) -> Part:
    """All images of `folder/CLASS`, decoded by so many threads."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    files = [(file, label) for label, path in enumerate(classes) for file in sorted(path.iterdir())]
    files = [files[place] for place in shuffled(len(files), 0, 0)]
    with ThreadPoolExecutor(threads) as pool:
        images = list(pool.map(lambda file: decode(file[0]), files, chunksize=64))
    return Part(torch.stack(images).float().div_(255), torch.tensor([label for _, label in files]))


def decode(file: Path) -> Tensor:
    """Bytes, `[3, height, width]`."""
    return decode_image(read_file(str(file)), ImageReadMode.RGB)


def tree(source: Path, target: Path, counts: tuple[int, int]) -> Path:
    """A tree of so many training and test images of `source`, the first of each class."""
    for file, copy in chosen(source, target, counts):
        shutil.copyfile(file, copy)
    return target


def lossless(source: Path, target: Path, counts: tuple[int, int]) -> Path:
    """The same as PNGs, which every decoder reads alike: of JPEGs they round differently."""
    for file, copy in chosen(source, target, counts):
        write_png(decode(file), str(copy.with_suffix(".png")))
    return target


def chosen(source: Path, target: Path, counts: tuple[int, int]) -> list[tuple[Path, Path]]:
    """The files, and where they go."""
    found = []
    for part, count in zip(PARTS, counts, strict=True):
        classes = sorted(path for path in (source / part).iterdir() if path.is_dir())
        if not classes or count % len(classes):
            raise SystemExit(f"{count} images are no multiple of the {len(classes)} classes in {source / part}")
        for folder in classes:
            (target / part / folder.name).mkdir(parents=True, exist_ok=True)
            files = sorted(folder.iterdir())[: count // len(classes)]
            if len(files) < count // len(classes):
                raise SystemExit(f"{count // len(classes)} images wanted of {folder}, there are {len(files)}")
            found += [(file, target / part / folder.name / file.name) for file in files]
    return found
