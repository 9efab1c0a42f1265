#!/usr/bin/env bash
# On a machine with an NVIDIA GPU that reaches a package index: sets the kit up with TensorFlow's CUDA build, runs the
# engine's tests, then the benchmark rows that multiply, in one table. Usage: bench/gpu.sh [OUT]; default OUT is gpu-report.
# Nothing here needs root; what is there already is not installed again.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "${1:-gpu-report}")
mkdir -p "$out"

command -v nvidia-smi > /dev/null || { echo "gpu.sh: no nvidia-smi, so no NVIDIA driver here" >&2; exit 1; }
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | tee "$out/gpu.txt"

npm run -s setup 2>&1 | tee "$out/setup.log"
npm run -s setup -- --peers 2>&1 | tee -a "$out/setup.log"
npm run -s sidlab -- doctor --json | tee "$out/doctor.json"
# A GPU that is not used would make every row below a row of the processor.
node -e '
  const { device } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
  if (!/nvidia|tesla|geforce|rtx|[ahlbv][0-9]{2,3}/i.test(device)) {
    console.error(`gpu.sh: the engine computes on ${device}; see setup.log`);
    process.exit(1);
  }' "$out/doctor.json"

# Without TF32: its three digits are not what the tests' golden numbers ask for.
NVIDIA_TF32_OVERRIDE=0 npx vitest run test/engine test/ops test/lm test/decode 2>&1 | tee "$out/tests.log" | tail -5
for name in sft-step sft-real beam-50 beam-20; do
  npm run -s bench -- "$name" --json 2>> "$out/bench.log" | tee -a "$out/rows.jsonl"
done
node -e '
  const rows = require("fs").readFileSync(process.argv[1], "utf8").trim().split("\n").map(JSON.parse);
  const pick = ({ name, ours, peer, ratio, unit, floor, precision, peerPrecision, goal, reached }) =>
    ({ name, ours, peer, ratio, unit, floor, precision, peerPrecision, goal, reached });
  console.table(rows.map(pick));' "$out/rows.jsonl" | tee "$out/table.txt"
echo "gpu.sh: everything is in $out"
