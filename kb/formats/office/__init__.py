"""Parsers of office files: Word, OpenDocument, RTF, slides, sheets, e-books."""
