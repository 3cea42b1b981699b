"""Burn-hebbian and PyTorch side by side: the same layers, data, precision and number of threads.

Both sides run in turns, round by round, so that what disturbs the machine disturbs both. Before anything is timed,
every form's update is compared with a reference in double precision.
"""

import argparse
import json
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch._dynamo

import nets
import protocols
from contest import Contest, Disagreement, Options, Result
from layers import NETS, Layer
from problem import Problem
from process import PeerError
from report import tables
from rules import RULES
from rust_peer import ALLOCATOR, RustPeer

FORMS = ("per-patch", "fasthebb")
"""The forms that can be left out."""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", choices=NETS, default="six-layer", help="whose layers (default: %(default)s)")
    parser.add_argument("--layers", default="", help="only layers whose name contains this")
    parser.add_argument("--nets", nargs="?", const="", help="whole networks, those whose name contains this, against backprop")
    parser.add_argument("--protocols", nargs="?", const="", help="protocols from end to end, those whose name contains this")
    parser.add_argument("--data", type=Path, help="for --protocols: CIFAR-10 as a tree of JPEGs, train/CLASS and test/CLASS")
    parser.add_argument("--images", type=int, help="for --protocols: training images (default: as each protocol says)")
    parser.add_argument("--batch", type=int, default=64, help="images a step (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of each side (default: all)")
    parser.add_argument("--rounds", type=int, default=None, help="paired measurements (default: 15; of protocols 3)")
    parser.add_argument("--rehearsals", type=int, default=7, help="runs to choose a variant by (default: %(default)s)")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="of both sides (default: cpu)")
    parser.add_argument("--rules", nargs="+", choices=RULES, default=["swta", "hpca", "hebb"])
    parser.add_argument("--without", nargs="+", choices=FORMS, default=[], help="forms to leave out")
    parser.add_argument("--eager", action="store_true", help="no variants by torch.compile")
    parser.add_argument("--same-allocator", action="store_true", help="the allocator's settings for burn-hebbian too")
    parser.add_argument("--json", type=Path, help="write every measurement to this file")
    options = parser.parse_args()
    if options.protocols is not None and options.data is None:
        parser.error("--protocols needs --data DIR, a folder with train/CLASS/*.jpg and test/CLASS/*.jpg")
    if options.rounds is None:
        options.rounds = 15 if options.protocols is None else 3
    return options


def prepare(options: argparse.Namespace) -> None:
    """Full precision, so many threads, and PyTorch's own choice of the fastest kernel."""
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    torch._dynamo.config.recompile_limit = 64  # every shape of every layer gets its own kernel


def compilers(options: argparse.Namespace) -> bool:
    """Whether `torch.compile` is wanted and can work."""
    return not options.eager and (options.device == "cuda" or shutil.which("g++") is not None)


def conditions(options: argparse.Namespace, peer: RustPeer) -> list[str]:
    """What the two sides run on."""
    where = torch.cuda.get_device_name() if options.device == "cuda" else "cpu"
    busy = os.getloadavg()[0]
    what = f"{options.net}, batch {options.batch}"
    if options.nets is not None:
        what = "a step of whole networks"
    elif options.protocols is not None:
        what = "protocols from end to end"
    settings = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith((ALLOCATOR, "OMP_"))]
    return [
        f"PyTorch {torch.__version__}, {where}, {torch.get_num_threads()} threads, "
        + ("with" if compilers(options) else "without") + " torch.compile, "
        + (" ".join(settings) or "no settings of allocator and thread pool"),
        peer.info() + (", the same allocator settings" if options.same_allocator else ""),
        f"{what}, f32; " + measures(options),
        f"load average at the start {busy:.1f}; other work changes processor times least",
    ]


def measures(options: argparse.Namespace) -> str:
    """What the tables' numbers are."""
    if options.protocols is not None:
        return f"seconds, medians of {options.rounds} runs of each side in turns"
    if options.nets is not None:
        return f"milliseconds, medians of at most {options.rounds} rounds, and of fewer where {nets.SECONDS:.0f} s are over"
    return (
        f"milliseconds, medians of {options.rounds} rounds; in bold the multiple of burn-hebbian's time, median of the "
        "rounds; in brackets that of its processor time"
    )


def contest(layer: Layer, options: argparse.Namespace, peer: RustPeer) -> Result:
    """One layer."""
    device = torch.device(options.device)
    forms = [form for form in FORMS if form not in options.without]
    problem = Problem.random(layer, options.batch, device)
    print(f"{layer} …", file=sys.stderr)
    chosen = Options(options.rules, forms, options.rounds, options.rehearsals, compilers(options), device)
    return Contest(problem, peer, chosen).run()


def compare_nets(options: argparse.Namespace) -> None:
    """All networks, then their table."""
    cases = [case for case in nets.CASES if options.nets in str(case)]
    if not cases:
        raise SystemExit(f"no network is called `{options.nets}`: there are {', '.join(map(str, nets.CASES))}")
    with (
        TemporaryDirectory() as folder,
        RustPeer(options.device, options.threads, Path(folder), options.same_allocator) as peer,
    ):
        lines = conditions(options, peer)
        print("\n".join(f"- {line}" for line in lines), flush=True)
        results = []
        for case in cases:
            print(f"{case} …", file=sys.stderr)
            results.append(nets.run(case, peer, Path(folder), options.rounds))
            print(f"- {case}: PyTorch {results[-1].layout}; weights apart by {results[-1].apart}", flush=True)
    print("\n" + nets.table(results))
    if options.json:
        options.json.write_text(json.dumps({"conditions": lines, "nets": [asdict(r) for r in results]}, indent=1))


def compare_protocols(options: argparse.Namespace) -> None:
    """All protocols, then their tables."""
    wanted = [protocol for protocol in protocols.PROTOCOLS if options.protocols in protocol.name]
    if not wanted:
        raise SystemExit(f"no protocol is called `{options.protocols}`")
    with (
        TemporaryDirectory() as folder,
        RustPeer(options.device, options.threads, Path(folder), options.same_allocator) as peer,
    ):
        lines = conditions(options, peer)
        print("\n".join(f"- {line}" for line in lines), flush=True)
        results = []
        for protocol in wanted:
            print(f"{protocol.title}: PyTorch's fastest form …", file=sys.stderr)
            side = protocol(options.threads, compilers(options))
            contest = protocols.Contest(side, peer, options.data, Path(folder))
            results.append(contest.run(options.rounds, options.images))
            print("\n".join(f"- {line}" for line in protocols.remarks(results[-1])), flush=True)
    print("\n" + protocols.table(results))
    if options.json:
        options.json.write_text(json.dumps({"conditions": lines, "protocols": [asdict(r) for r in results]}, indent=1))


def compare(options: argparse.Namespace) -> None:
    """All layers, then the tables."""
    if options.nets is not None:
        return compare_nets(options)
    if options.protocols is not None:
        return compare_protocols(options)
    layers = [layer for layer in NETS[options.net] if options.layers in str(layer)]
    if not layers:
        raise SystemExit(f"no layer of {options.net} is called `{options.layers}`")
    with (
        TemporaryDirectory() as folder,
        RustPeer(options.device, options.threads, Path(folder), options.same_allocator) as peer,
    ):
        lines = conditions(options, peer)
        print("\n".join(f"- {line}" for line in lines), flush=True)
        results = [contest(layer, options, peer) for layer in layers]
    print("\n" + tables(results, options.rules))
    if options.json:
        options.json.write_text(json.dumps({"conditions": lines, "layers": [asdict(r) for r in results]}, indent=1))


def main() -> None:
    """The program."""
    options = arguments()
    prepare(options)
    try:
        compare(options)
    except (Disagreement, PeerError) as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
