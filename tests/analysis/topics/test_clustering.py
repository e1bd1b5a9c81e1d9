import numpy as np
import pytest

from analysis.topics.clustering import NO_CLUSTER, centroid, cluster, match_groups, most_central
from kb.embedding.embedder import Vectors


def blobs(sizes: list[int], *, spread: float = 0.05, common: float = 0.0) -> Vectors:
    random = np.random.default_rng(7)
    middles = np.eye(32)[: len(sizes)]
    rows = np.concatenate(
        [
            middle + common + spread * random.standard_normal((size, 32))
            for middle, size in zip(middles, sizes, strict=True)
        ]
    )
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_groups_are_found_and_numbered_by_size():
    labels = cluster(blobs([5, 20, 10]), max_distance=0.5)
    assert labels == [2] * 5 + [0] * 20 + [1] * 10


def test_small_groups_are_no_groups():
    assert cluster(blobs([2, 6]), max_distance=0.5, min_size=3) == [NO_CLUSTER] * 2 + [0] * 6


def test_what_all_vectors_share_is_left_out_of_the_comparison():
    vectors = blobs([12, 12, 12], common=1.0)
    assert len(set(cluster(vectors, max_distance=0.5))) == 1
    assert cluster(vectors, max_distance=0.8, centred=True) == [0] * 12 + [1] * 12 + [2] * 12


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_vectors_are_no_problem(count: int):
    assert cluster(blobs([count]), max_distance=0.5, centred=True) == [0] * count


def test_many_vectors_are_clustered_by_a_sample():
    labels = cluster(blobs([3_000, 2_000]), max_distance=0.5, min_size=3)
    assert labels == [0] * 3_000 + [1] * 2_000


def test_the_most_central_row_is_like_all_others():
    vectors = blobs([5], spread=0.3)
    vectors[3] = centroid(vectors)
    assert most_central(vectors) == 3


def test_groups_are_recognised_by_shared_members_first():
    a, b = np.eye(8, dtype=np.float32)[:2]
    before = {"old-a": ({"1", "2", "3"}, a), "old-b": ({"4", "5"}, b)}
    now = [({"4", "5", "6"}, a), ({"1", "2"}, b), ({"9"}, a)]
    assert match_groups(before, now, min_similarity=0.75) == ["old-b", "old-a", None]


def test_a_group_whose_members_were_all_replaced_is_recognised_by_its_middle():
    a, b = np.eye(8, dtype=np.float32)[:2]
    before = {"old-a": ({"1"}, a), "old-b": ({"2"}, b)}
    assert match_groups(before, [({"8"}, b)], min_similarity=0.75) == ["old-b"]
    assert match_groups(before, [({"8"}, -b)], min_similarity=0.75) == [None]


def test_a_group_that_splits_keeps_its_id_on_the_larger_part():
    a = np.eye(8, dtype=np.float32)[0]
    before = {"old": ({"1", "2", "3", "4"}, a)}
    matched = match_groups(before, [({"4"}, a), ({"1", "2", "3"}, a)], min_similarity=0.75)
    assert matched == [None, "old"]
