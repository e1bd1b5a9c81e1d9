"""The path from foreign documents to cited answers, on pages that nobody of this project wrote."""

from pathlib import Path

import pytest

from conversation.llm.open_model import open_chat_model
from tests.bench.help_centre import run


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ten_questions_to_a_help_centre_are_answered_with_citations(
    datasets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    model = open_chat_model("embedded/extractive")

    answers = run(datasets, tmp_path, model=model, n=10)

    assert "ingested 202 of 202 documents" in capsys.readouterr().out
    assert sum(answer.found for answer in answers) >= 8
    assert sum(answer.cited for answer in answers) >= 8
    assert sum(answer.cited_right for answer in answers) >= 5
    assert all(answer.grounded_share == 1.0 for answer in answers if answer.cited)
