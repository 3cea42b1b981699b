"""The thesis' Hebbian layers with class groups, written down in PyTorch from the formulas alone.

    python thesis_layers.py --data DIR [--plain-norms] [--seed N] [--threads N]

An independent check of `reproduce -- thesis-layers`: what the protocol gives on the images at hand, whoever implements it.
DIR holds the official binary files of CIFAR-10. Needs torch. Prints the test accuracy of a linear classifier on each
layer, without and with dropout.

Norms scale their outputs by numbers drawn from 0..1, as PyTorch's did before 1.2 where nothing trains them, and so those of
the thesis; `--plain-norms` leaves that out.
"""

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

# filters, kernel, pooled, neurons of each class that come first
LAYERS = [(96, 5, True, 0), (128, 3, False, 8), (192, 3, True, 16), (256, 3, False, 24), (300, 3, False, 28)]
NAMES = ["conv1", "conv2", "conv3", "conv4", "fc5"]
RATE, EPOCHS, BATCH, CLASSES, SMOOTHING = 0.1, 2, 64, 10, 0.1
KEPT = 40_000  # training images; the others of the 50,000 choose the epoch


def read(folder):
    def load(names):
        records = b"".join((folder / name).read_bytes() for name in names)
        records = torch.frombuffer(bytearray(records), dtype=torch.uint8).view(-1, 1 + 3072)
        return records[:, 1:].float() / 255, records[:, 0].long()

    found = sorted(folder.rglob("data_batch_1.bin"))
    if not found:
        raise SystemExit(f"no data_batch_1.bin in {folder}")
    folder = found[0].parent
    (images, labels), test = load([f"data_batch_{i}.bin" for i in range(1, 6)]), load(["test_batch.bin"])
    return [(images[:KEPT], labels[:KEPT]), (images[KEPT:], labels[KEPT:]), test]


def whiten(parts):
    """ZCA of whole images with standardized channels, fitted on the training images."""
    training = parts[0][0].view(-1, 3, 1024)
    mean, deviation = (training.mean((0, 2), keepdim=True), training.transpose(0, 1).flatten(1).std(1).view(1, 3, 1))
    parts = [(((images.view(-1, 3, 1024) - mean) / deviation).flatten(1), labels) for images, labels in parts]
    mean = parts[0][0].mean(0)
    centered = (parts[0][0] - mean).double()
    values, vectors = torch.linalg.eigh(centered.T @ centered / (len(centered) - 1))
    zca = ((vectors / (values.clamp_min(0) + SMOOTHING).sqrt()) @ vectors.T).float()
    return [(((images - mean) @ zca).view(-1, 3, 32, 32), labels) for images, labels in parts]


class Layer(nn.Module):
    def __init__(self, inputs, filters, kernel, pooled, per_class, plain):
        super().__init__()
        fan_in = inputs * kernel * kernel
        self.weight = torch.empty(filters, inputs, kernel, kernel).uniform_(-(fan_in**-0.5), fan_in**-0.5)
        self.pooled = pooled
        self.norm = nn.BatchNorm2d(filters)
        if not plain:
            nn.init.uniform_(self.norm.weight)
        groups = torch.ones(CLASSES, filters)
        groups[:, : CLASSES * per_class] = torch.eye(CLASSES).repeat_interleave(per_class, 1)
        self.groups = groups

    def cosine(self, x):
        lengths = F.conv2d(x.square(), torch.ones_like(self.weight[:1])).sqrt().clamp_min(1e-9)
        return F.conv2d(x, self.weight) / lengths / self.weight.flatten(1).norm(dim=1).view(-1, 1, 1).clamp_min(1e-9)

    def forward(self, x, labels=None):
        cosine = self.cosine(x)
        if labels is not None:
            scores = ((cosine + 1) / 2).square() * self.groups[labels][:, :, None, None]
            wins = torch.zeros_like(scores).scatter_(1, scores.argmax(1, keepdim=True), 1.0)
            sums, counts = nn.grad.conv2d_weight(x, self.weight.shape, wins), wins.sum((0, 2, 3)).view(-1, 1, 1, 1)
            self.weight += RATE * torch.where(counts > 0, sums / counts.clamp_min(1) - self.weight, 0.0)
        y = cosine.relu()
        return self.norm(F.max_pool2d(y, 2) if self.pooled else y)


@torch.no_grad()
def train(images, labels, plain):
    sizes = [3] + [layer[0] for layer in LAYERS]
    layers = [Layer(inputs, *layer, plain) for inputs, layer in zip(sizes, LAYERS)]
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images)).split(BATCH):
            x = images[batch]
            for layer in layers:
                x = layer(x, labels[batch])
    return [layer.eval() for layer in layers]


@torch.no_grad()
def outputs(layer, images):
    return torch.cat([layer(part) for part in images.split(250)])


def probe(parts, dropout):
    """Accuracy on the test images in the epoch that is best on the validation images."""
    (images, labels), validation, test = [(features.flatten(1), labels) for features, labels in parts]
    linear = nn.Linear(images.shape[1], CLASSES)
    optimizer = torch.optim.SGD(linear.parameters(), lr=1e-3, momentum=0.9, nesterov=True, weight_decay=5e-4)

    @torch.no_grad()
    def accuracy(images, labels):
        return 100 * (linear(images).argmax(1) == labels).float().mean().item()

    best = (-1.0, 0.0)
    for epoch in range(20):
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * 0.5 ** max(0, epoch - 9)
        for batch in torch.randperm(len(images)).split(BATCH):
            loss = F.cross_entropy(linear(F.dropout(images[batch], dropout)), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        best = max(best, (accuracy(*validation), accuracy(*test)))
    return best[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--plain-norms", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    parts = whiten(read(arguments.data))
    for name, layer in zip(NAMES, train(*parts[0], arguments.plain_norms)):
        parts = [(outputs(layer, images), labels) for images, labels in parts]
        print(f"{name}: {probe(parts, 0.0):.2f} % without dropout, {probe(parts, 0.5):.2f} % with", flush=True)


if __name__ == "__main__":
    main()
