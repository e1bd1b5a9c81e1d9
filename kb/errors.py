"""Errors raised by the knowledge base.

* KnowledgeBaseError
  x DocumentError            one document could not be taken in; carries a reason code
  x LimitError               the knowledge base is full
  x UnknownDocumentError     no document with this id
  x IndexMismatchError       built with another embedding model
  x CatalogError             the catalog file cannot be used
  x BusyError                another process is writing
  x StorageError             the disk is full, or the folder may not be written
  x SnapshotError            a snapshot cannot be kept or fetched
  x LostLeaseError           another machine took over while this one was writing
  x WeightsError             model files missing, unreachable, or not what their digest says
"""


class KnowledgeBaseError(Exception):
    """Base class, so that a caller can catch everything this package raises on purpose."""


class DocumentError(KnowledgeBaseError):
    """One document cannot be taken in. `reason` is for machines, the message for a person."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


class LimitError(KnowledgeBaseError):
    """Taking this document in would pass a limit. Nothing was changed."""


class UnknownDocumentError(KnowledgeBaseError):
    """There is no document with this id."""


class IndexMismatchError(KnowledgeBaseError):
    """The index was built with another embedding model, so its distances mean nothing."""


class CatalogError(KnowledgeBaseError):
    """The catalog file of a knowledge base cannot be used."""


class BusyError(KnowledgeBaseError):
    """Another process is writing to the knowledge base, and did not finish in time."""


class StorageError(KnowledgeBaseError):
    """Nothing can be stored: the disk is full, or the folder may not be written."""


class SnapshotError(KnowledgeBaseError):
    """A snapshot of a knowledge base cannot be kept, found or fetched."""


class LostLeaseError(BusyError):
    """Another machine took over while this one was writing. Nothing of it became live."""


class WeightsError(KnowledgeBaseError):
    """Model files are missing, unreachable, or differ from their digest."""
