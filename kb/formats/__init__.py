"""Parsers: the bytes of one source in, a `ParsedDocument` out. One module per format family.

`recognition` decides which parser reads the bytes; `building` holds what all of them share.
Each parser is a function `parse(data, request)` and is imported only when its format comes up.
"""
