#!/usr/bin/env bash
# Runs the commands behind the tables of docs/performance.md, one after another, and prints the rows as Markdown.
# On an idle machine; half an hour or so, and --minutes (default 20) twice more where --data is given.
#
#   tests/Benchmarks/performance.sh [--data reviews.csv.gz] [--minutes 20] [--python python3] > tables.md
#
# --try goes through all of it once in the smallest size, to see that it works; its numbers mean nothing.
# Needs the .NET SDK, and for the ratios a Python with PyTorch on OpenBLAS; without one those cells stay empty.
set -euo pipefail
cd "$(dirname "$0")/../.."

data="" minutes=20 python=python3 large=base small=small steps=5
while [ $# -gt 0 ]; do
  case "$1" in
    --data) data=$2; shift 2 ;;
    --minutes) minutes=$2; shift 2 ;;
    --python) python=$2; shift 2 ;;
    --try) large=tiny small=tiny steps=1 minutes=0.05; shift ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dotnet publish src/Ulmfit.Cli -c Release -v q -o "$work/ulmfit" >&2
cores=$(nproc)
threads="1"
for n in 2 3 4 8 16; do [ "$n" -lt "$cores" ] && threads="$threads $n"; done
[ "$cores" -gt 1 ] && threads="$threads $cores"
pytorch=no
"$python" -c 'import torch' 2>/dev/null && pytorch=yes

# bench ARGUMENTS: measures, and leaves the report in $work/report.json
bench() {
  [[ " $* " == *" --size "* ]] || set -- --size "$large" "$@"
  echo "ulmfit bench $*" >&2
  dotnet "$work/ulmfit/Ulmfit.Cli.dll" bench --steps "$steps" "$@" --json "$work/report.json" >&2
}

# get FIELD [FORMAT] [FILE]: a number of a report, by a path such as shortStep.tokensPerSecond
get() {
  local format='{:,.0f}'
  "$python" - "$1" "${2:-$format}" "${3:-$work/report.json}" <<'PYTHON'
import json, sys
value = json.load(open(sys.argv[3]))
for part in sys.argv[1].split("."):
    value = value[part]
print(sys.argv[2].format(value))
PYTHON
}

megabytes() { awk "BEGIN { printf \"%d\", $(get "${2:-peakMemoryBytes}" '{:.0f}' "$1") / 1e6 }"; }

row() { printf '|'; for cell in "$@"; do printf ' %s |' "$cell"; done; printf '\n'; }

header() {
  printf '\n### %s\n\n' "$1"; shift
  row "$@"; printf '|'; for _ in "$@"; do printf ' --- |'; done; printf '\n'
}

# step LABEL ARGUMENTS: a row of a table of costs
step() {
  local label=$1; shift
  bench "$@"
  row "$label" "$(get tokensPerSecond)" "$(get gflopPerSecond '{:.0f}')" "$(get shareOfPeak '{:.1%}')" "$(get shareOfCachePeak '{:.1%}')" "$(megabytes "$work/report.json")"
}

header "Against PyTorch (language-model step)" "size" "threads" "ulmfit, tokens/s" "PyTorch, tokens/s" "ratio" "of registers' peak" "of cache's peak" "peak memory, MB" "PyTorch's, MB"
for size in $large $small; do
  for n in $cores 1; do
    # In turn, twice, and the better median of each: what else the machine does hits both alike.
    best=0 peer=0
    for _ in 1 2; do
      bench --size "$size" --threads "$n"
      if [ "$(get tokensPerSecond '{:.0f}')" -gt "$best" ]; then best=$(get tokensPerSecond '{:.0f}'); cp "$work/report.json" "$work/ours.json"; fi
      if [ $pytorch = yes ]; then
        echo "awd_lstm_step.py --size $size --threads $n" >&2
        OMP_NUM_THREADS=$n "$python" tests/Benchmarks/pytorch/awd_lstm_step.py --size "$size" --threads "$n" --steps "$steps" --json "$work/torch.json" >&2
        if [ "$(get tokensPerSecond '{:.0f}' "$work/torch.json")" -gt "$peer" ]; then peer=$(get tokensPerSecond '{:.0f}' "$work/torch.json"); cp "$work/torch.json" "$work/peer.json"; fi
      fi
    done
    share=$(get shareOfPeak '{:.1%}' "$work/ours.json") cached=$(get shareOfCachePeak '{:.1%}' "$work/ours.json")
    if [ $pytorch = yes ]; then
      row "$size" "$n" "$best" "$peer" "$(awk "BEGIN { printf \"%.2f\", $best / $peer }")" "$share" "$cached" "$(megabytes "$work/ours.json")" "$(megabytes "$work/peer.json")"
    else
      row "$size" "$n" "$best" "" "" "$share" "$cached" "$(megabytes "$work/ours.json")" ""
    fi
  done
done

for size in $large $small; do
  header "Threads ($size, language model)" "threads" "tokens/s" "speed-up" "GFLOP/s" "of registers' peak" "of cache's peak" "weights"
  one=""
  for n in $threads; do
    bench --size "$size" --threads "$n"
    speed=$(get tokensPerSecond '{:.0f}'); one=${one:-$speed}
    row "$n" "$(get tokensPerSecond)" "$(awk "BEGIN { printf \"%.2f\", $speed / $one }")" "$(get gflopPerSecond '{:.0f}')" "$(get shareOfPeak '{:.1%}')" "$(get shareOfCachePeak '{:.1%}')" "$(get weightsDigest '{:.12}')"
  done
done

for kind in lm classifier; do
  header "Where the time goes ($large, $kind)" "part" "ms a step" "share of the step" "GFLOP/s" "of registers' peak" "of cache's peak"
  bench --task $kind
  "$python" - "$work/report.json" <<'PYTHON'
import json, sys
for part in json.load(open(sys.argv[1]))["parts"]:
    speed = part["gflopPerSecond"]
    print(f"| {part['part']} | {part['secondsPerStep'] * 1e3:,.1f} | {part['shareOfStep']:.1%} | "
          + (f"{speed:.0f} | {part['shareOfPeak']:.1%} | {part['shareOfCachePeak']:.1%} |" if speed is not None else "– | – | – |"))
PYTHON
done

for n in $cores 1; do
  header "Products of a $large step, each by itself (threads: $n)" "product" "shape" "GFLOP/s" "of registers' peak" "of cache's peak"
  bench --task gemm --threads "$n"
  "$python" - "$work/report.json" <<'PYTHON'
import json, sys
for product in json.load(open(sys.argv[1]))["products"]:
    print(f"| {product['name']} | {product['rows']} × {product['columns']} × {product['depth']} | {product['gflopPerSecond']:.0f} | {product['shareOfPeak']:.1%} | {product['shareOfCachePeak']:.1%} |")
PYTHON
done

header "Vocabulary ($large, language model)" "vocabulary" "tokens/s" "GFLOP/s" "of registers' peak" "of cache's peak" "peak memory, MB"
for value in 5000 15000 30000 60000; do step $value --vocabulary $value; done

header "Hidden size ($large, language model)" "hidden" "tokens/s" "GFLOP/s" "of registers' peak" "of cache's peak" "peak memory, MB"
for value in 288 576 1152 1536; do step $value --hidden $value; done

header "Batch ($large, language model)" "batch" "tokens/s" "GFLOP/s" "of registers' peak" "of cache's peak" "peak memory, MB"
for value in 8 16 32 64 128; do step $value --batch $value; done

header "Window ($large, language model)" "bptt" "tokens/s" "GFLOP/s" "of registers' peak" "of cache's peak" "peak memory, MB"
for value in 18 35 70 140; do step $value --bptt $value; done

header "Documents of the classifier ($large)" "tokens of a document" "tokens/s" "GFLOP/s" "of registers' peak" "of cache's peak" "peak memory, MB"
for value in 40 120 360 1080; do step $value --task classifier --length $value; done

header "Tokenizer (one core)" "text" "MB" "MB/s to tokens" "MB/s to ids" "first pass, MB/s"
tokenizer() {
  local label=$1; shift
  bench --task tokenizer "$@"
  row "$label" "$(megabytes "$work/report.json" bytes)" "$(get tokens.megabytesPerSecond '{:.1f}')" "$(get ids.megabytesPerSecond '{:.1f}')" "$(get tokens.firstMegabytesPerSecond '{:.1f}')"
}
tokenizer "made by the command"
if [ -n "$data" ]; then tokenizer "real" --data "$data"; fi

if [ -n "$data" ]; then
  header "Training on real text ($large, $minutes minutes each)" "task" "tokens/s of a short step" "tokens/s of the training" "share" "with loading" "loading, s" "peak memory, MB"
  for kind in lm classifier; do
    bench --task $kind --data "$data" --minutes "$minutes"
    row $kind "$(get shortStep.tokensPerSecond)" "$(get tokensPerSecond)" "$(get shareOfShortStep '{:.1%}')" "$(get tokensPerSecondWithLoading)" "$(get loadingSeconds '{:.0f}')" "$(megabytes "$work/report.json")"
  done
fi
