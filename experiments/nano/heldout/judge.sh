#!/usr/bin/env bash
# Scores a checkpoint on all data sets under a folder: judge.sh CHECKPOINT FOLDER [OUT].
# CHECKPOINT is a checkpoint or "nano". The lines of gowalrus evaluate are written to OUT, by
# default judged.jsonl; the table gives the model's medians and their ratios to the
# baselines. WINDOWS (4) is the number of windows per data set and horizon, GOWALRUS a
# built cmd/gowalrus.
set -euo pipefail
if [ $# -lt 2 ]; then
	sed -n '2,6s/^# //p' "$0" >&2
	exit 2
fi
checkpoint=$1 folder=$2 out=${3:-judged.jsonl}
table=$(cd "$(dirname "$0")" && pwd)/table.py
if [ -z "${GOWALRUS:-}" ]; then
	built=$(mktemp -d)
	trap 'rm -r "$built"' EXIT
	GOWALRUS=$built/gowalrus
	(cd "$(dirname "$0")/../../.." && go build -o "$GOWALRUS" ./cmd/gowalrus)
fi
arguments=()
for set in "$folder"/*/data/test; do
	arguments+=(--data "${set%/data/test}")
done
"$GOWALRUS" evaluate --auto --json --weights "$checkpoint" --horizons 1,1:20 --windows "${WINDOWS:-4}" "${arguments[@]}" >"$out"
python3 "$table" "$out"
