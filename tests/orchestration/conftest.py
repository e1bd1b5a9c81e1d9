"""Definitions are loaded as where nobody has held a conversation yet.

Partitions begin with the first conversation of the data folder, and a demo in this folder must not
move that for tests, whose days are older.
"""

import importlib
import os
from unittest.mock import patch

from tests.orchestration.sample import EARLY_ENOUGH

with patch.dict(os.environ, EARLY_ENOUGH):
    importlib.import_module("orchestration.defs.partitions")
