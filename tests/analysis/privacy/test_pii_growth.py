"""Text made to take long: of so many characters it takes as many times as long."""

import pytest

from analysis.privacy.pii import BuiltinDetector
from conversation.agent.privacy_config import BUILTIN_KINDS
from tests.growth import growth

pytestmark = pytest.mark.hostile


@pytest.mark.parametrize("piece", [" ", "\n", "sk-a-", "1.2.3.4 ", "ann at ", "one ", "DE12 "])
@pytest.mark.parametrize("before", ["", "my pin", "ann at example"])
def test_time_grows_with_the_length(piece: str, before: str):
    detector = BuiltinDetector()

    assert growth(lambda text: detector.find(before + text, BUILTIN_KINDS), piece) < 7
