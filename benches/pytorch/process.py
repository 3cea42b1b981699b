"""A program of the Rust side, which answers a line with a line."""

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from clock import processor_time

WORKSPACE = Path(__file__).resolve().parents[2]


class PeerError(RuntimeError):
    """A program refused a request, or ended."""


class Process:
    """A program of the benches, built and started."""

    def __init__(self, program: str, threads: int, *arguments: str, features: str = "", without: str | None = None) -> None:
        """In this environment, without settings whose names begin with `without`."""
        command = ["cargo", "run", "--release", "--quiet", "-p", "burn-hebbian-benches", "--bin", program]
        if features:
            command += ["--features", features]
        keep = {name: value for name, value in os.environ.items() if not (without and name.startswith(without))}
        self._process = subprocess.Popen(
            [*command, "--", *arguments],
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
        return self.ask("info")

    def processor_time(self) -> float:
        """Seconds of all its threads until now."""
        return processor_time(self._process.pid)

    def ask(self, request: str) -> str:
        """The answer to a request."""
        try:
            self._process.stdin.write(request + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise PeerError(f"the peer ended before `{request}`") from error
        answer = self._process.stdout.readline().strip()
        if not answer or answer.startswith("error"):
            raise PeerError(f"{request}: {answer or 'the peer ended'}")
        return answer
