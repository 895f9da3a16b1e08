"""Prints the table of a file of evaluate's lines: table.py FILE."""

import json
import statistics
import sys

HORIZONS = ["1", "1:20"]


def main(path):
    rows = [json.loads(line) for line in open(path)]
    print(f"| data set | steps | model | persistence | linear | to persistence | to linear |\n|{'---|' * 7}")
    for h in HORIZONS:
        ratios = []
        for r in rows:
            s = r["horizons"].get(h)
            if s is None:
                continue
            m, p, l = s["model"], s["persistence"], s["linear"]
            ratios.append((m / p, m / l))
            cut = r.get("cut_to", {}).get(h)
            steps = h if cut is None else f"1:{cut}"
            print(f"| {r['dataset']} | {steps} | {m:.3f} | {p:.3f} | {l:.3f} | {m / p:.2f} | {m / l:.2f} |")
        if ratios:
            p, l = zip(*ratios)
            print(f"| median of {len(ratios)} | {h} | | | | **{statistics.median(p):.2f}** | {statistics.median(l):.2f}, "
                  f"below linear on {sum(x < 1 for x in l)} |")


if __name__ == "__main__":
    main(sys.argv[1])
