"""Finds words anywhere in a folder: in the bytes of every file, and inside compressed tables."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb


def files_with(folder: Path, *words: str) -> list[str]:
    """Names of the files in which any of the words stands, in any case."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
        and any(
            word.casefold().encode() in content.lower()
            for word in words
            for content in _contents(path)
        )
    )


def _contents(path: Path) -> Iterator[bytes]:
    yield path.read_bytes()
    if path.suffix == ".parquet":
        with duckdb.connect() as connection:
            yield repr(connection.execute("from read_parquet(?)", [str(path)]).fetchall()).encode()
    elif path.suffix == ".duckdb":
        with duckdb.connect() as connection:
            connection.execute(f"attach '{path}' as found (read_only)")
            connection.execute("use found")
            for (table,) in connection.execute("select name from (show tables)").fetchall():
                yield repr(connection.execute(f'from "{table}"').fetchall()).encode()
    elif path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist())
