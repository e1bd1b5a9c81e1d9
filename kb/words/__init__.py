"""Text -> terms to index and to look for: scripts, languages, stems, identifiers."""
