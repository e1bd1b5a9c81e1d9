"""Text made to take long: of so many characters it takes as many times as long."""

import pytest

from kb.words.sentences import finished_length, split_sentences
from tests.growth import growth

pytestmark = pytest.mark.hostile


@pytest.mark.parametrize(
    "piece", [".", "!", "?.", ".'", "a. ", "1. ", "\n", " ", "a", "twenty ", "A. ", "e.g. "]
)
def test_time_grows_with_the_length(piece: str):
    assert growth(split_sentences, piece) < 6
    assert growth(finished_length, piece) < 6
