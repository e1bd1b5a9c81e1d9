from pathlib import Path

from orchestration.operations.reading_ahead import state_folders


def test_prompts_of_own_and_of_shared_knowledge_bases_count_alike(tmp_path: Path):
    own = tmp_path / "kb" / "support" / "derived"
    shared = tmp_path / "kb" / "sales" / "copies" / "snapshot-1" / "derived"
    for folder in (own, shared, tmp_path / "kb" / "support" / "chroma"):
        folder.mkdir(parents=True)

    assert state_folders(tmp_path) == [shared, own]
