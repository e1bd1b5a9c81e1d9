"""Folders that agents answer from: all documents that lie in them, at any depth. Pure.

An agent's file names documents, so that it works without this server. That some of them are there
because of a folder is told by the locators that clients sent, which are kept beside the file.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from conversation.server.agents.agent_wire import part
from conversation.server.agents.named_documents import NamedDocument, NamedFolder
from conversation.server.library.folders import FolderTree


def sent_ids(sent: Mapping[str, Any] | None) -> list[str]:
    """What clients named last as what an agent answers from: documents and folders."""
    prompt = part(part(part(sent or {}, "conversation_config"), "agent"), "prompt")
    return [str(each.get("id")) for each in prompt.get("knowledge_base") or ()]


def with_folders(wanted: Iterable[str], tree: FolderTree, known: Container[str]) -> list[str]:
    """Ids of documents; in the place of a folder those that lie in it.

    Args:
        wanted: Ids of documents and folders.
        tree: The folders.
        known: Documents that an agent can name. Others lie in folders too, such as those that only
            the file of another agent names.
    """
    found: list[str] = []
    for each in wanted:
        if each in tree.folders:
            found += [
                inner for inner in tree.placed if inner in known and tree.is_under(inner, each)
            ]
        else:
            found.append(each)
    return list(dict.fromkeys(found))


def shown_by_folders(
    documents: Sequence[NamedDocument], sent: Sequence[str], tree: FolderTree
) -> list[NamedDocument | NamedFolder]:
    """What an agent answers from, as clients named it: a folder stands for what lies in it.

    Args:
        documents: What its file names.
        sent: As `sent_ids` gives it.
        tree: The folders.
    """
    folders = [tree.folders[each] for each in dict.fromkeys(sent) if each in tree.folders]
    shown: list[NamedDocument | NamedFolder] = [
        each
        for each in documents
        if each.document_id in sent
        or not any(tree.is_under(each.document_id, folder.folder_id) for folder in folders)
    ]
    shown += [NamedFolder(each.folder_id, each.name) for each in folders]
    places = {each: number for number, each in enumerate(sent)}
    return sorted(shown, key=lambda each: places.get(each.document_id, len(places)))


def followed(
    present: Sequence[str],
    sent: Sequence[str],
    *,
    before: FolderTree,
    after: FolderTree,
    known: Container[str],
) -> list[str]:
    """The documents of an agent once what lies in its folders has changed.

    Args:
        present: Those that its file names.
        sent: As `sent_ids` gives it; what is named there by itself stays.
        before: The folders as they were.
        after: The folders as they are.
        known: Documents that an agent can name.
    """
    named = [each for each in sent if each in before.folders or each in after.folders]
    gone = set(with_folders([each for each in named if each in before.folders], before, known))
    there = with_folders([each for each in named if each in after.folders], after, known)
    gone -= {*there, *sent}
    return list(dict.fromkeys([*(each for each in present if each not in gone), *there]))
