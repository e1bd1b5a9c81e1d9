"""Names of sources, which a system may allow to be anything."""


def storable(name: str) -> str:
    """A name that can be stored and printed.

    File names need not be UTF-8; a byte of one that is not is shown by its number, so that two
    names stay two.
    """
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        # Half of a character pair, as JSON can write it.
        return name.encode("utf-8", "backslashreplace").decode("utf-8")
