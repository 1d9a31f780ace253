#!/usr/bin/env python3
"""nDPI's verdicts as a table of truth for `flowgait meter --labels`.

    ndpi_truth.py ndpi/flows.csv truth.csv [category|app]

Encrypted flows that nDPI told by inspection (confidence DPI), of two packets or more, of categories (or applications)
that are seen in three captures or more: only those can be learnt from some captures and asked for in others.
"""
import csv
import sys
from collections import defaultdict

CAPTURES_MIN = 3
HEADER = [
    "capture", "transport", "source_address", "source_port", "destination_address", "destination_port", "start",
    "application", "category",
]


def usable(row):
    packets = int(row["c2s_pkts"]) + int(row["s2c_pkts"])
    return row["encrypted"] == "1" and row["confidence"] == "DPI" and row["category"] and packets >= 2


def main():
    flows, truth, *by = sys.argv[1:]
    by = by[0] if by else "category"
    with open(flows, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if usable(row)]
    captures = defaultdict(set)
    for row in rows:
        captures[row[by]].add(row["capture"])
    with open(truth, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for row in rows:
            if len(captures[row[by]]) >= CAPTURES_MIN:
                ends = [row["ip_a"], row["port_a"], row["ip_b"], row["port_b"]]
                writer.writerow([row["capture"], row["l4"].lower(), *ends, "", row["app"], row["category"]])


if __name__ == "__main__":
    main()
