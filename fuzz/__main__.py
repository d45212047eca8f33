"""`python -m fuzz TARGET --seconds N`: try mutated data for so long; status 1 and the seed where something was found."""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from fuzz.targets import TARGETS, Found, prepare

SLOW_S = 5.0


def main() -> int:
    """Run one target; print how many cases were tried and what was found."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    asked = parser.parse_args()
    os.environ.update(ZENFLOW_SPEED="2000", XDG_CONFIG_HOME=tempfile.mkdtemp(prefix="fuzz-config-"))
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    os.chdir(folder)
    place = prepare(folder)
    began, seed, found, slow = time.monotonic(), asked.first, 0, 0
    while time.monotonic() - began < asked.seconds:
        at = time.monotonic()
        try:
            TARGETS[asked.target](place, random.Random(seed))
        except Exception as error:  # whatever a command raises is a defect
            found += 1
            kind = "" if isinstance(error, Found) else f"{type(error).__name__}: "
            print(f"seed {seed}: {kind}{str(error)[:600]}", file=sys.stderr)
        if time.monotonic() - at > SLOW_S:
            slow += 1
            print(f"seed {seed}: slower than {SLOW_S:g} s", file=sys.stderr)
        seed += 1
    print(f"{asked.target}: {seed - asked.first:,} cases, {found} defects, {slow} slower than {SLOW_S:g} s")
    return 1 if found or slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
