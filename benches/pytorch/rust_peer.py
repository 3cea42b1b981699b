"""The Rust side: a process that keeps a layer loaded and answers a line with a line."""

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from clock import Time, processor_time
from problem import Problem

WORKSPACE = Path(__file__).resolve().parents[2]

ALLOCATOR = "MALLOC_"
"""Settings of the C allocator begin so."""


class PeerError(RuntimeError):
    """The peer refused a request, or ended."""


class RustPeer:
    """The program `peer.rs`, built and started."""

    def __init__(self, device: str, threads: int, folder: Path, same_allocator: bool) -> None:
        command = ["cargo", "run", "--release", "--quiet", "-p", "burn-hebbian-benches", "--bin", "peer"]
        if device == "cuda":
            command += ["--features", "cuda"]
        keep = {name: value for name, value in os.environ.items() if same_allocator or not name.startswith(ALLOCATOR)}
        self._folder = folder
        self._linear = False
        self._process = subprocess.Popen(
            [*command, "--", device],
            cwd=WORKSPACE,
            env=keep | {"RAYON_NUM_THREADS": str(threads)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._process.stdin.close()
        self._process.wait()

    def info(self) -> str:
        """What computes there."""
        return self._ask("info")

    def load(self, problem: Problem) -> None:
        """Gives it a layer and its batch."""
        layer, x, weight = problem.layer, problem.x, problem.weight
        self._linear = layer.is_linear
        if self._linear:
            x, weight = x.flatten(1), weight.flatten(1).T
        file = self._folder / "layer.safetensors"
        save_file({"x": x.contiguous().cpu(), "weight": weight.contiguous().cpu()}, file)
        self._ask(f"load {file} {layer.stride} {layer.padding}")

    def delta(self, work: str, shape: torch.Size) -> Tensor:
        """The update, `[neurons, channels, kernel, kernel]`."""
        file = self._folder / "delta.safetensors"
        self._ask(f"delta {work} {file}")
        delta = load_file(file)["delta"]
        return (delta.T if self._linear else delta).reshape(shape)

    def time(self, work: str, repeats: int = 2) -> Time:
        """The last of these steps, the others warm up; the processor time is the mean of all."""
        before = processor_time(self._process.pid)
        wall = float(self._ask(f"time {work} {repeats}"))
        return Time(wall, (processor_time(self._process.pid) - before) / repeats)

    def net(self, name: str, weights: Path, batch: Path) -> None:
        """Gives it a network of torchvision's with its weights and a batch."""
        self._ask(f"net {name} {weights} {batch}")

    def apart(self, rule: str, rate: float, weights: Path) -> tuple[float, str]:
        """How far its weights after a step are from these, of a layer's largest, and of which layer."""
        apart, layer = self._ask(f"apart {rule} {rate} {weights}").split()
        return float(apart), layer

    def peak(self, rule: str) -> int:
        """The bytes of a step at its peak, beyond weights and images."""
        return int(self._ask(f"peak {rule}"))

    def whiten(self, files: Path) -> float:
        """Fits and keeps the whitening of the training images; the seconds of the fit."""
        return float(self._ask(f"whiten {files}"))

    def protocol(self, name: str, files: Path, weights: Path) -> tuple[Time, dict[str, float]]:
        """Runs a protocol: what it took, all and by phase."""
        before = processor_time(self._process.pid)
        words = self._ask(f"protocol {name} {files} {weights}").split()
        phases = {phase: float(seconds) for phase, seconds in zip(words[::2], words[1::2], strict=True)}
        return Time(sum(phases.values()), processor_time(self._process.pid) - before), phases

    def outcome(self, file: Path) -> None:
        """Writes what the last protocol learned, and features of all images."""
        self._ask(f"outcome {file}")

    def _ask(self, request: str) -> str:
        try:
            self._process.stdin.write(request + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise PeerError(f"the peer ended before `{request}`") from error
        answer = self._process.stdout.readline().strip()
        if not answer or answer.startswith("error"):
            raise PeerError(f"{request}: {answer or 'the peer ended'}")
        return answer
