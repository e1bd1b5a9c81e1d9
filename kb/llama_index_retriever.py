"""The knowledge base as a llama-index retriever."""

from collections.abc import Callable, Sequence
from typing import Any

from kb.document import RetrievedPassage


def make_llama_index_retriever(
    retrieve: Callable[[str], Sequence[RetrievedPassage]],
) -> Any:
    """Wrap `retrieve` as a llama-index `BaseRetriever`, whose nodes carry text and origin."""
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

    class KnowledgeBaseRetriever(BaseRetriever):
        """Finds passages of a knowledge base."""

        def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
            return [
                NodeWithScore(node=_node(TextNode, passage), score=passage.score)
                for passage in retrieve(query_bundle.query_str)
            ]

    return KnowledgeBaseRetriever()


def _node(node_class: Any, passage: RetrievedPassage) -> Any:
    return node_class(
        id_=passage.chunk_id,
        text=passage.text,
        start_char_idx=passage.start_char,
        end_char_idx=passage.end_char,
        metadata={
            "document_id": passage.document_id,
            "document_name": passage.document_name,
            "heading_path": " > ".join(passage.heading_path),
            "page": passage.page or "",
        },
    )
