"""Figures of voice calls: `python -m tests.bench.voice [PART ...]`.

Each part runs in a process of its own; what it measured stands in the summary of the bench.
"""

import argparse
import os
import subprocess
import sys

PARTS = ("hearing", "turn_ends", "calls", "answers", "speaking", "spanish", "speakers")


def main() -> None:
    """Run the parts that are named, or all; ends with 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parts = parser.parse_args().parts or PARTS
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}")
    failed: list[str] = []
    for part in parts:
        load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
        print(f"\n== {part}{load}", flush=True)
        command = [sys.executable, "-c", f"from tests.bench.voice.{part} import main; main()"]
        if subprocess.run(command, check=False).returncode != 0:
            failed.append(part)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
