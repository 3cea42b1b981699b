"""Copies CIFAR-10's binary files with every image compressed as JPEG once more, for the experiment `jpeg-cost`.

    pip install numpy pillow
    python recompress.py DATA/cifar-10-batches-bin COPY/cifar-10-batches-bin --quality 25
"""

import argparse
import io
import pathlib
import shutil

import numpy as np
from PIL import Image

SHAPE = (3, 32, 32)


def recompressed(pixels, quality):
    """Channels first, as in the files."""
    file = io.BytesIO()
    Image.fromarray(pixels.reshape(SHAPE).transpose(1, 2, 0)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)).transpose(2, 0, 1).ravel()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("copy", type=pathlib.Path)
    parser.add_argument("--quality", type=int, default=25)
    args = parser.parse_args()
    args.copy.mkdir(parents=True)
    for path in sorted(args.source.iterdir()):
        if path.suffix != ".bin":
            shutil.copy(path, args.copy)
            continue
        records = np.fromfile(path, np.uint8).reshape(-1, 1 + np.prod(SHAPE))
        for record in records:
            record[1:] = recompressed(record[1:], args.quality)
        records.tofile(args.copy / path.name)


if __name__ == "__main__":
    main()
