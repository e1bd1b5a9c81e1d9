"""Every figure of the design that can be measured here: `python -m tests.bench [PART ...]`.

Runs the parts one after another, each in a process of its own, and says how long each took.
"""

import subprocess
import sys
import time
from pathlib import Path

RETRIEVAL_PARTS = ("retrieval", "calibration", "chunking", "comparison", "speed", "ingest")
"""What runs without a language model."""


def main(parts: list[str]) -> int:
    """Run the parts; returns how many failed."""
    here = Path(__file__).parent
    known = sorted(path.stem for path in here.glob("*.py") if not path.stem.startswith("_"))
    unknown = set(parts) - set(known)
    if unknown:
        print(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return 1
    failed = 0
    for part in parts:
        started = time.monotonic()
        print(f"\n== {part}", flush=True)
        code = subprocess.run([sys.executable, "-m", f"tests.bench.{part}"], check=False).returncode
        failed += code != 0
        print(f"== {part}: {time.monotonic() - started:.0f} s", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(RETRIEVAL_PARTS)))
