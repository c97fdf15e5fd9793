"""Goldens of the drift detectors: River's answers on streams that a small generator makes.  python drift.py > drift.json"""
import json, sys, river
from river import drift
def stream(seed, n=4000):
    # numerical recipes LCG: the same numbers in any language
    s = seed
    for t in range(n):
        s = (1664525 * s + 1013904223) % 2**32
        u = s / 2**32
        level = (0.2, 0.2, 0.35, 0.35, 0.15)[t * 5 // n]
        yield (u + level, t)
out = {"river": river.__version__, "python": sys.version.split()[0], "streams": []}
for seed in (1, 2, 3):
    for spread in (1.0, 0.3):
        a = drift.ADWIN(); p = drift.PageHinkley(threshold=20, mode="up")
        row = {"seed": seed, "spread": spread, "adwin": [], "pageHinkley": [], "widths": []}
        for v, t in stream(seed):
            x = v * spread
            a.update(x); p.update(x)
            if a.drift_detected: row["adwin"].append(t)
            if p.drift_detected: row["pageHinkley"].append(t)
            if t % 500 == 499: row["widths"].append([a.width, round(a.estimation, 9)])
        out["streams"].append(row)
print(json.dumps(out))
