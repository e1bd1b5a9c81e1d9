"""What conversations are about: found by clustering, named by their words, stable between runs."""

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from analysis.store.store import AnalysisStore
from analysis.store.touched import day_of
from analysis.topics.clustering import NO_CLUSTER, centroid, cluster, match_groups
from analysis.topics.naming import typical_words
from analysis.topics.read_before import look_again
from analysis.topics.reading import read_by_the_batch
from analysis.topics.topic_store import (
    KnownTopic,
    TopicMember,
    read_members,
    read_members_by_topic,
    read_topic_times,
    read_topics,
    save_topics,
)
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript
from kb.embedding.embedder import Embedder, Vectors
from kb.retrieval.small_talk import should_search

MAX_DISTANCE = 0.8
"""Between centred vectors. On 200 dialogues of SGD (dev, 13 services) this gave 13 topics that hold
98 % of the dialogues with purity .96; on 77 of a single service 10 topics with purity .99."""
_MAX_DISTANCE_FEW = 0.6
"""Between vectors as they are, where there are too few to centre them."""
_FEW = 10
MIN_CONVERSATIONS = 3
"""A topic of fewer is no topic."""
_SAME_TOPIC = 0.75
"""Cosine of two centroids from which on they are one topic, though all members were replaced."""
_TURNS_READ = 3
"""The user's first turns say what a conversation is about better than all of them (purity .96 to
.90), and than the mean of all turns' vectors."""
_MAX_CHARS = 1_000
_READ_BY = (1, _TURNS_READ, _MAX_CHARS)
"""What the text of a conversation follows from; its first number moves with the code."""
_FOUND_BY = (1, MAX_DISTANCE, _MAX_DISTANCE_FEW, _FEW, MIN_CONVERSATIONS, _SAME_TOPIC)
_KEPT_OF_A_MEMBER = ("topic_id", "similarity", "text_sha256", "model_id", "text")

NameTopic = Callable[[Sequence[str]], str | None]
"""Texts, the most typical first -> a name, or None to name the topic by its words."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic with the conversations about it."""

    topic_id: str
    name: str
    terms: tuple[str, ...]
    """Its most typical words."""
    conversation_ids: tuple[str, ...]
    """The most typical first."""
    is_new: bool


@dataclass(frozen=True, slots=True)
class TopicRun:
    """What one run found."""

    agent_id: str
    topics: tuple[Topic, ...]
    """The largest first."""
    conversations: int
    without_topic: int
    """Conversations that are like no others."""
    embedded: int
    """Conversations that were seen for the first time."""


def find_topics(
    agent_id: str,
    *,
    conversations: ConversationStore,
    store: AnalysisStore,
    embedder: Embedder,
    now: datetime,
    read: Callable[[str], Transcript] | None = None,
    name_topic: NameTopic | None = None,
    named_by: str = "words",
    new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
) -> TopicRun:
    """Cluster the agent's ended conversations and keep what was found.

    Simulated conversations are left out. Only those that changed since the last run are read, and
    none where nothing did. A topic that was there before keeps its id, and its name
    while that still fits; one that has no conversations any more is kept to be recognised again.

    Args:
        agent_id: Whose conversations.
        conversations: Where they are.
        store: Where topics are kept.
        embedder: Turns texts into vectors.
        now: The time that is noted.
        read: How a conversation is read; None reads the words that were said.
        name_topic: Asks a model for a name; None takes typical words.
        named_by: Who names: `words`, or the model string.
        new_id: For topics that were never seen before.
    """
    before = None
    if read is None:
        before = look_again(
            conversations,
            store,
            agent_id,
            "topics",
            embedder,
            reads=_READ_BY,
            settings=(*_FOUND_BY, named_by),
        )
    if before is not None and before.nothing_new:
        return _kept_run(store, agent_id, before.ended)
    # In this order: what another run notes as read meanwhile, it has kept before.
    read_before = before.ids() if before else set[str]()
    known = read_members(store.engine, agent_id)
    ended = [
        found
        for found in conversations.conversations(agent_id=agent_id, simulated=False)
        if found.status != "in_progress"
    ]
    ids = [found.conversation_id for found in ended]
    fresh = [key for key in ids if key not in read_before]
    texts = _texts(ids, fresh, known, conversations, read)
    vectors, embedded = _vectors(texts, known, embedder)
    groups = _groups(list(texts), vectors)
    topics, members = _recognised(
        groups,
        texts,
        vectors,
        known=known,
        topics=read_topics(store.engine, agent_id),
        name_topic=name_topic,
        named_by=named_by,
        new_id=new_id,
        model_id=embedder.model_id if texts else "",
    )
    save_topics(
        store.engine,
        agent_id,
        [topic for topic, _ in topics],
        [each for each in members if _differs(each, known.get(each.conversation_id))],
        gone=[key for key in known if key not in texts],
        now=now,
    )
    if before is not None:
        days = {found.conversation_id: found.ended_at for found in ended}
        before.note(
            {key: day_of(at) for key in fresh if (at := days[key]) is not None},
            ended=len(ids),
            model_id=embedder.model_id if texts else "",
            now=now,
            # A name that could not be had is asked for again.
            is_whole=all(topic.named_by == named_by for topic, _ in topics),
        )
    found = [
        Topic(
            topic.topic_id,
            topic.name,
            topic.terms,
            tuple(_by_likeness(group, vectors)),
            is_new,
        )
        for (topic, is_new), group in zip(topics, groups, strict=True)
    ]
    return _run(agent_id, found, len(ids), embedded)


def topic_text(transcript: Transcript) -> str:
    """Return the turns that tell what a conversation is about; empty when nothing was asked."""
    said = [
        turn.text
        for number, turn in enumerate(transcript.turns)
        if turn.role == "user" and should_search(turn.text, transcript.turns[:number])
    ]
    return " ".join(" ".join(said[:_TURNS_READ]).split())[:_MAX_CHARS]


def _kept_run(store: AnalysisStore, agent_id: str, conversations: int) -> TopicRun:
    """The run that was kept last, without a look at any text."""
    members = read_members_by_topic(store.engine, agent_id)
    found = [
        Topic(topic.topic_id, topic.name, topic.terms, tuple(members[topic.topic_id]), False)
        for topic in read_topic_times(store.engine, agent_id)
        if topic.topic_id in members
    ]
    return _run(agent_id, found, conversations, 0)


def _run(agent_id: str, topics: list[Topic], conversations: int, embedded: int) -> TopicRun:
    topics.sort(key=lambda topic: (-len(topic.conversation_ids), topic.name, topic.topic_id))
    grouped = sum(len(topic.conversation_ids) for topic in topics)
    return TopicRun(agent_id, tuple(topics), conversations, conversations - grouped, embedded)


def _texts(
    ids: Sequence[str],
    fresh: Sequence[str],
    known: Mapping[str, TopicMember],
    conversations: ConversationStore,
    read: Callable[[str], Transcript] | None,
) -> dict[str, str]:
    """What each conversation is about, in the order of `ids`; only `fresh` ones are read."""
    now_read = {
        key: topic_text(transcript)
        for some in read_by_the_batch(conversations, fresh, read)
        for key, transcript in some.items()
    }
    unread = set(ids).difference(fresh)
    kept = {key: member.text for key, member in known.items() if key in unread}
    return {key: text for key in ids if (text := now_read.get(key) or kept.get(key))}


def _differs(member: TopicMember, known: TopicMember | None) -> bool:
    """Whether anything of a conversation is another than what is kept; its vector follows."""
    if known is None:
        return True
    return any(getattr(member, name) != getattr(known, name) for name in _KEPT_OF_A_MEMBER)


def _vectors(
    texts: Mapping[str, str], known: Mapping[str, TopicMember], embedder: Embedder
) -> tuple[dict[str, Vectors], int]:
    vectors: dict[str, Vectors] = {}
    for key, text in texts.items():
        member = known.get(key)
        if member and (member.text_sha256, member.model_id) == (sha256(text), embedder.model_id):
            vectors[key] = member.vector
    missing = [key for key in texts if key not in vectors]
    if missing:
        computed = embedder.embed([texts[key] for key in missing])
        vectors.update(zip(missing, computed, strict=True))
    return vectors, len(missing)


def _groups(ids: Sequence[str], vectors: Mapping[str, Vectors]) -> list[list[str]]:
    import numpy as np

    if not ids:
        return []
    few = len(ids) < _FEW
    labels = cluster(
        np.stack([vectors[key] for key in ids]),
        max_distance=_MAX_DISTANCE_FEW if few else MAX_DISTANCE,
        min_size=MIN_CONVERSATIONS,
        centred=not few,
    )
    groups: list[list[str]] = [[] for _ in range(max(labels) + 1)]
    for key, label in zip(ids, labels, strict=True):
        if label != NO_CLUSTER:
            groups[label].append(key)
    return groups


def _recognised(
    groups: Sequence[Sequence[str]],
    texts: Mapping[str, str],
    vectors: Mapping[str, Vectors],
    *,
    known: Mapping[str, TopicMember],
    topics: Sequence[KnownTopic],
    name_topic: NameTopic | None,
    named_by: str,
    new_id: Callable[[], str],
    model_id: str,
) -> tuple[list[tuple[KnownTopic, bool]], list[TopicMember]]:
    """Give each group its id and name, and each conversation its topic."""
    import numpy as np

    middles = [centroid(np.stack([vectors[key] for key in group])) for group in groups]
    before = {topic.topic_id: topic for topic in topics}
    matched = match_groups(
        {
            key: ({m.conversation_id for m in known.values() if m.topic_id == key}, topic.centroid)
            for key, topic in before.items()
        },
        [(set(group), middle) for group, middle in zip(groups, middles, strict=True)],
        min_similarity=_SAME_TOPIC,
    )
    words = typical_words([[texts[key] for key in group] for group in groups], limit=10)
    found: list[tuple[KnownTopic, bool]] = []
    topic_of: dict[str, tuple[str, float]] = {}
    for group, middle, terms, earlier in zip(groups, middles, words, matched, strict=True):
        old = before.get(earlier) if earlier else None
        name, namer = _name(
            old, terms, name_topic, named_by, [texts[key] for key in _by_likeness(group, vectors)]
        )
        topic_id = old.topic_id if old else f"topic_{new_id()[:8]}"
        topic = KnownTopic(topic_id, name, namer, tuple(terms), middle, model_id)
        found.append((topic, old is None))
        for key in group:
            topic_of[key] = (topic_id, float(vectors[key] @ middle))
    members = [
        TopicMember(
            key,
            *topic_of.get(key, (None, None)),
            sha256(texts[key]),
            model_id,
            vectors[key],
            texts[key],
        )
        for key in texts
    ]
    return found, members


def _name(
    old: KnownTopic | None,
    terms: Sequence[str],
    name_topic: NameTopic | None,
    named_by: str,
    typical: Sequence[str],
) -> tuple[str, str]:
    if old is not None and old.named_by == named_by and _still_fits(old, terms):
        return old.name, old.named_by
    asked = name_topic(typical) if name_topic is not None else None
    if asked is not None:
        return asked, named_by
    return ", ".join(terms[:3]) or "(no words in common)", "words"


def _still_fits(old: KnownTopic, terms: Sequence[str]) -> bool:
    """Whether the word that told most of the topic is still among those that tell of it."""
    return old.named_by != "words" or bool(old.terms and old.terms[0] in terms)


def _by_likeness(group: Sequence[str], vectors: Mapping[str, Vectors]) -> list[str]:
    import numpy as np

    middle = centroid(np.stack([vectors[key] for key in group]))
    return sorted(group, key=lambda key: (-float(vectors[key] @ middle), key))


def sha256(text: str) -> str:
    """Return the hash that tells whether a text was embedded already."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
