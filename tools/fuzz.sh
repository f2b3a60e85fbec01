#!/usr/bin/env bash
# Fuzzes the readers of files: tools/fuzz.sh TARGET INPUTS [SEED], or tools/fuzz.sh all INPUTS. Runs on a stable toolchain: the crates that
# read files are compiled with LLVM's coverage counters, the others without. The corpus that is found lies in goldens/hostile/.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:=target}"
export CARGO_TARGET_DIR="$CARGO_TARGET_DIR/fuzz"
export RUSTC_WRAPPER="$PWD/tools/fuzz_rustc.sh"
cargo build --profile fuzz -p cresset-testing --example fuzz
program="$CARGO_TARGET_DIR/fuzz/examples/fuzz"
targets=$1
[ "$targets" != all ] || targets="pickle zip legacy tar safetensors npy npz idx csv toml"
status=0
for target in $targets; do
  "$program" "$target" "${2:-100000}" "${3:-1}" || status=1
done
exit $status
