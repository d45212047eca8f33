"""Every benchmark, one table: `python bench/run.py [NAME …]`. A few minutes; best on a machine that does nothing else.

The scripts beside it say what each measures and why; `journal`, `signin` and `transfers` print tables of their own.
Leaves with 1 when a target is missed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import calls
import engine
import makespan
import planning
import repositories
import startup
import validating
from table import Row, show

ALL: dict[str, Callable[[], Iterator[Row]]] = {
    "startup": startup.rows,
    "validating": validating.rows,
    "planning": planning.rows,
    "engine": engine.rows,
    "calls": calls.rows,
    "makespan": makespan.rows,
    "repositories": repositories.rows,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(ALL)}", file=sys.stderr)
        return 2
    found = [row for name in names or ALL for row in ALL[name]()]
    show(found)
    return int(any(row.verdict == "MISSED" for row in found))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
