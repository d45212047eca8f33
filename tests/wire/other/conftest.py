"""Another server of the same contract, written from its documentation alone; it shares no code with zenflow or its sandbox."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
