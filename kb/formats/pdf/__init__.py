"""The parser of PDF: lines, layout, running lines, text recognition."""
