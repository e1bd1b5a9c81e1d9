"""Parsers: the bytes of one source in, a `ParsedDocument` out. One module per format family.

`format` says what a format is, `known` registers those that there are, `recognition` decides which
one the bytes are in, `text_builder` holds what all parsers share. Each parser is a function
`parse(data, request)` and is imported only when its format comes up.
"""
