"""Definitions are loaded as where nobody has held a conversation yet.

Partitions begin with the first conversation of the data folder, and a demo in this folder must not
move that for tests, whose days are older.
"""

import importlib
import os
from unittest.mock import patch

with patch.dict(os.environ, {"VIVAVOCE_FIRST_DAY": "2026-01-01"}):
    importlib.import_module("orchestration.defs.partitions")
