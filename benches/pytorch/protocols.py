"""Protocols of the literature from end to end: burn-hebbian's public API beside the same protocol in PyTorch."""

import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import sleep

import torch
from safetensors.torch import load_file
from torch import Tensor

from clock import Time
from contest import PAUSE, Disagreement
from pictures import lossless, tree
from rust_peer import RustPeer
from softhebb import SoftHebb
from stages import Done
from thesis import Thesis

PROTOCOLS = (SoftHebb, Thesis)

TOLERANCE = 1e-4
"""Of weights after the check's batches, relative to the largest of their layer."""

FEATURES = 5e-3
"""Of features: PyTorch's running variances are those of samples, burn-hebbian's of populations."""

JUDGED = 2000
"""Training images that the probe learns from."""

RIDGE = 1e-2
"""The probe's penalty, in multiples of the mean energy of the features."""


@dataclass
class Result:
    """What one protocol took on both sides, run by run."""

    title: str
    images: tuple[int, int]
    form: str
    apart: dict[str, str] = field(default_factory=dict)
    times: dict[str, list[Time]] = field(default_factory=dict)
    phases: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    accuracy: dict[str, float] = field(default_factory=dict)
    ends: str = ""


class Contest:
    """One protocol on both sides."""

    def __init__(self, protocol: SoftHebb | Thesis, peer: RustPeer, data: Path, folder: Path) -> None:
        self.protocol = protocol
        self.peer = peer
        self.data = data
        self.folder = folder
        self.weights = folder / f"{protocol.name}.pt"
        torch.save(protocol.state, self.weights)

    def run(self, rounds: int, images: int | None) -> Result:
        """Checks, measures in turns, judges."""
        protocol = self.protocol
        counts = (images or protocol.timed[0], protocol.timed[1])
        result = Result(protocol.title, counts, f"{protocol.form}")
        files = tree(self.data, self.folder / f"{protocol.name}-timed", counts)
        fits = protocol.fits(files, self.peer)
        result.apart = self._check(fits)
        for turn in range(rounds):
            print(f"{protocol.title}, run {turn + 1} of {rounds} …", file=sys.stderr)
            clock, done = protocol.run(files)
            self._add(result, "PyTorch", clock.total(), clock.phases)
            sleep(PAUSE)
            self._add(result, "burn-hebbian", *self.peer.protocol(protocol.name, files, self.weights))
        ours = self._outcome(done)
        result.ends = ", ".join(f"{name} {apart:.1e}" for name, apart in apart(ours.weights, done.weights).items())
        labels = [part.labels for part in done.parts]
        features = {"untrained": protocol.untrained(done), "PyTorch": done.features, "burn-hebbian": ours.features}
        result.accuracy = {name: probe(parts, labels) for name, parts in features.items()}
        return result

    def _add(self, result: Result, side: str, total: Time, phases: dict[str, float]) -> None:
        result.times.setdefault(side, []).append(total)
        result.phases.setdefault(side, []).append(phases)

    def _check(self, fits: list[Path]) -> dict[str, str]:
        """Both sides on few images that every decoder reads alike, against the protocol in double precision."""
        protocol = self.protocol
        files = lossless(self.data, self.folder / f"{protocol.name}-checked", protocol.checked)
        for fit in fits:
            shutil.copy(fit, files)
        exact = protocol.twin(files)
        _, theirs = protocol.run(files)
        self.peer.protocol(protocol.name, files, self.weights)
        found = {}
        for side, done in {"PyTorch": theirs, "burn-hebbian": self._outcome(theirs)}.items():
            weights = apart(done.weights, exact.weights)
            features = max(relative(a, b) for a, b in zip(done.features, exact.features, strict=True))
            found[side] = ", ".join(f"{name} {apart:.1e}" for name, apart in weights.items())
            found[side] += f", features {features:.1e}"
            if not (max(weights.values()) < TOLERANCE and features < FEATURES):
                raise Disagreement(f"{protocol.title}, {side}: apart from double precision by {found[side]}")
        return found

    def _outcome(self, like: Done) -> Done:
        """What the peer's last run left."""
        file = self.folder / "outcome.safetensors"
        self.peer.outcome(file)
        found = load_file(file)
        weights = {name: found[f"{name}.weight"] for name in like.weights}
        return Done(weights, [found["features.training"], found["features.test"]], like.parts)


def apart(weights: dict[str, Tensor], others: dict[str, Tensor]) -> dict[str, float]:
    """By layer."""
    return {name: relative(weight, others[name]) for name, weight in weights.items()}


def relative(values: Tensor, others: Tensor) -> float:
    """The largest difference, of the largest magnitude."""
    return ((values.double() - others.double()).abs().max() / others.double().abs().max()).item()


def probe(features: list[Tensor], labels: list[Tensor]) -> float:
    """Accuracy in percent on the test images, of ridge regression on training images."""
    training, test = features[0][:JUDGED].flatten(1).double(), features[1].flatten(1).double()
    mean = training.mean(0)
    training, test = training - mean, test - mean
    products = training @ training.T
    penalty = RIDGE * products.diagonal().mean()
    targets = torch.nn.functional.one_hot(labels[0][:JUDGED]).double() - 0.1
    duals = torch.linalg.solve(products + penalty * torch.eye(len(products), dtype=products.dtype), targets)
    scores = test @ (training.T @ duals)
    return 100 * (scores.argmax(1) == labels[1]).double().mean().item()


def table(results: list[Result]) -> str:
    """Medians in seconds, the processor's beside them; the median over runs of a pair's ratio, and all of them."""
    lines = [
        "| protocol, training and test images | side | s | processor, s | times faster | pair by pair | by processor time | probe, % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        pairs = list(zip(result.times["PyTorch"], result.times["burn-hebbian"], strict=True))
        ratios = [theirs.wall / ours.wall for theirs, ours in pairs]
        by_cpu = [theirs.cpu / ours.cpu for theirs, ours in pairs]
        what = f"{result.title}, {result.images[0]} and {result.images[1]}"
        for side, times in result.times.items():
            wall, cpu = median(time.wall for time in times), median(time.cpu for time in times)
            faster = " | | "
            if side != "PyTorch":
                each = ", ".join(f"{ratio:.2f}" for ratio in ratios)
                faster = f"**{median(ratios):.2f}** | {each} | {median(by_cpu):.2f}"
            lines.append(f"| {what} | {side} | {wall:.2f} | {cpu:.2f} | {faster} | {result.accuracy[side]:.1f} |")
    lines += ["", "| protocol | phase | PyTorch, s | burn-hebbian, s | times faster |", "|---|---|---|---|---|"]
    for result in results:
        theirs, ours = result.phases["PyTorch"], result.phases["burn-hebbian"]
        for phase in theirs[0]:
            pair = [median(run[phase] for run in side) for side in (theirs, ours)]
            ratio = median(a[phase] / b[phase] for a, b in zip(theirs, ours, strict=True))
            lines.append(f"| {result.title} | {phase} | {pair[0]:.2f} | {pair[1]:.2f} | {ratio:.2f} |")
    return "\n".join(lines)


def remarks(result: Result) -> list[str]:
    """What was compared beside times."""
    return [
        f"{result.title}: PyTorch {result.form}",
        *(f"after the check's batches, {side} apart from double precision: {found}" for side, found in result.apart.items()),
        f"at the end, of JPEGs that two decoders read, weights apart by {result.ends}; "
        f"probe of the weights that training starts from {result.accuracy['untrained']:.1f} %",
    ]
