#!/usr/bin/env python3
"""NFStream's side of `cargo xtask compare nfstream`: one capture to CSV, with what flowgait's meter also does.

    pip install nfstream
    nfstream_meter.py CAPTURE OUT.csv

Statistics, the sizes and gaps of the first packets, and nDPI's names; timeouts as flowgait's defaults. Tunnels are
opened. One meter process, so that CPU seconds count the work and not its distribution.
"""
import sys

from nfstream import NFStreamer


def main():
    capture, out = sys.argv[1:3]
    streamer = NFStreamer(
        source=capture,
        decode_tunnels=True,
        idle_timeout=120,
        active_timeout=1800,
        statistical_analysis=True,
        splt_analysis=30,
        n_dissections=20,
        n_meters=1,
    )
    print(streamer.to_csv(path=out), "flows")


if __name__ == "__main__":
    main()
