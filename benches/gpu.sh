#!/usr/bin/env bash
# The bench `gpu` and the tests, built on one machine and run on another that has a GPU.
#
#   benches/gpu.sh build cuda|nvrtc|vulkan    → target/gpu-KIND/bundle: programs and what they need
#   benches/gpu.sh pack cuda|nvrtc|vulkan     → target/gpu-KIND.tar.xz
#   benches/gpu.sh run BUNDLE                 there: all tests, then the whole bench; BUNDLE is a folder or an archive
#   benches/gpu.sh run BUNDLE --minutes 10        there: what fits, the most valuable first, results written as they come
#   benches/gpu.sh run BUNDLE gpu nets --seconds 300 --csv nets.csv    one program with arguments of its own
#
# On the machine with the GPU, with Rust and a network, none of this is needed:
#
#   cargo bench -p burn-hebbian-benches --features cuda --bench gpu -- --csv gpu.csv
#   HEBBIAN_REQUIRE=cuda cargo test --release -p burn-hebbian-tests --features cuda
#
# The feature `cuda` builds with an LLVM that a build script downloads. `nvrtc` is for machines that cannot: it takes CubeCL's
# other compiler, whose C++ is compiled by the NVRTC of the machine that runs it (CUDA toolkit there: $CUDA_PATH or
# /usr/local/cuda). LLVM's symbols are then left open; a library of stubs, preloaded, gives each an address.
set -euo pipefail

programs=(suite precision) # of the tests
target=${CARGO_TARGET_DIR:-target}

usage() {
  sed -n '4,8s/^# *//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

# Bench and tests in one go: both with autotune and fusion, as programs on a GPU are built.
build() {
  local kind=$1 bundle="$target/gpu-$1/bundle" tests=() program
  if [ "$kind" = nvrtc ]; then
    # of the driver and NVRTC no more is asked than this version has
    export CUDARC_CUDA_VERSION="${CUDARC_CUDA_VERSION:-13000}" DOCS_RS=1
    export RUSTFLAGS="${RUSTFLAGS:-} -Clink-arg=-Wl,--unresolved-symbols=ignore-all"
  fi
  for program in "${programs[@]}"; do tests+=(--test "$program"); done
  mkdir -p "$bundle"
  CARGO_TARGET_DIR="$target/gpu-$kind" cargo build --release --message-format=json-render-diagnostics \
    -p burn-hebbian-benches --features "burn-hebbian-benches/$kind" --bench gpu \
    -p burn-hebbian-tests --features "burn-hebbian-tests/$kind,burn-hebbian-tests/flex" "${tests[@]}" \
    --no-default-features | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' >"$bundle/programs"
  while read -r program; do
    strip -o "$bundle/$(basename "$program" | sed 's/-[0-9a-f]*$//')" "$program"
  done <"$bundle/programs"
  rm "$bundle/programs"
  echo "${kind/nvrtc/cuda}" >"$bundle/backend"
  case $kind in
    nvrtc) stubs "$bundle/stubs.so" "$bundle/gpu" "${programs[@]/#/$bundle/}" ;;
    vulkan) cp -L "$(ldconfig -p | sed -n 's/.*libvulkan.so.1 .*=> //p' | head -1)" "$bundle" ;; # its loader
  esac
  ls -l "$bundle"
}

# A library that defines what the programs leave open, to be preloaded; whoever calls one of its functions ends.
stubs() {
  local library=$1
  shift
  {
    echo '#include <stdio.h>'
    echo '#include <stdlib.h>'
    echo 'static void missing(const char *name) { fprintf(stderr, "built without LLVM: %s\n", name); abort(); }'
    # symbols of libraries that are linked have a version
    nm -D --undefined-only "$@" | awk '$1 == "U" && $2 !~ /@/ { print $2 }' | sort -u |
      sed 's/.*/void &(void) { missing("&"); }/'
  } | cc -shared -fPIC -O1 -w -x c -o "$library" -
}

pack() {
  local archive="$target/gpu-$1.tar.xz"
  tar -C "$target/gpu-$1" --transform "s,^bundle,gpu-$1," -c bundle |
    xz --x86 --lzma2=preset=9e,dict=256MiB >"$archive"
  ls -l "$archive"
}

# Unpacks an archive once; prints the folder.
unpacked() {
  if [ -d "$1" ]; then
    echo "$1"
    return
  fi
  local folder="${TMPDIR:-/tmp}/$(basename "$1" .tar.xz)"
  [ "$folder/backend" -nt "$1" ] || tar -C "${TMPDIR:-/tmp}" --touch -xJf "$1" || return
  echo "$folder"
}

# `start BUNDLE PROGRAM …` or `start timeout SECONDS BUNDLE PROGRAM …`
start() {
  local before=()
  if [ "$1" = timeout ]; then
    before=(timeout "$2")
    shift 2
  fi
  local bundle=$1 program=$2
  shift 2
  env LD_LIBRARY_PATH="$bundle:${CUDA_PATH:-/usr/local/cuda}/lib64:${LD_LIBRARY_PATH:-}" \
    LD_PRELOAD="$([ ! -f "$bundle/stubs.so" ] || echo "$bundle/stubs.so")" \
    ${before[@]+"${before[@]}"} "$bundle/$program" "$@"
}

# One layer, whole nets, all tests, forms: each with its share of the minutes, or what is left of all.
run_within() {
  local bundle=$1 end=$((SECONDS + 60 * $2)) failed=0
  part() {
    local name=$1 share=$2 left=$((end - SECONDS)) status=0
    shift 2
    if [ "$left" -lt 15 ]; then
      echo "== $name: no time left"
      return
    fi
    [ "$share" -lt "$left" ] || share=$left
    echo "== $name, at most $share s"
    start timeout "$share" "$bundle" "$@" || status=$?
    # 124: its time is over; what it had measured is in its file
    [ "$status" -eq 0 ] || [ "$status" -eq 124 ] || failed=1
  }
  # nothing that is tried for each of many small shapes fits
  export CUBECL_AUTOTUNE_LEVEL=minimal
  part "one layer" 120 gpu strategies --name VGG --rounds 3 --csv layer.csv
  part "whole nets" 240 gpu nets --rounds 3 --csv nets.csv
  part "kernels of this library" 90 suite cube::
  part "all tests" 240 suite --skip book
  part "tests of precision" 90 precision
  part "forms" 600 gpu forms --rounds 3 --csv forms.csv
  return "$failed"
}

run() {
  local bundle program failed=0
  bundle=$(unpacked "$1")
  bundle=$(realpath "$bundle")
  shift
  HEBBIAN_REQUIRE=$(cat "$bundle/backend")
  export HEBBIAN_REQUIRE
  if [ "${1:-}" = --minutes ]; then
    run_within "$bundle" "$2"
    return
  fi
  if [ $# -gt 0 ]; then
    start "$bundle" "$@"
    return
  fi
  for program in "${programs[@]}"; do
    # the tests of the book read the repository; the many small shapes are not worth tuning for
    CUBECL_AUTOTUNE_LEVEL=minimal start "$bundle" "$program" --skip book || failed=1
  done
  start "$bundle" gpu --csv gpu.csv
  return "$failed"
}

case "${1:-} ${2:-}" in
  "build cuda" | "build nvrtc" | "build vulkan") build "$2" ;;
  "pack cuda" | "pack nvrtc" | "pack vulkan") pack "$2" ;;
  "run "?*) shift && run "$@" ;;
  *) usage ;;
esac
