"""A process that records a call and is killed while it does."""

import sys
import time
from pathlib import Path

import numpy as np

from conversation.voice.recording.kept_calls import KeptCalls

PIECE = 512


def main() -> None:
    """Record a rising count of frames on both channels, and say after each how far it is."""
    call = KeptCalls(Path(sys.argv[1])).begin("conv_killed")
    for number in range(10_000):
        at_s = number * PIECE / 16_000
        call.heard(np.full(PIECE, number, dtype=np.int16), at_s)
        call.said(np.full(PIECE, -number, dtype=np.int16), at_s)
        print(number, flush=True)
        time.sleep(0.001)


main()
