"""Content-Type values."""


def split_media_type(header: str) -> tuple[str | None, str | None]:
    """Split a Content-Type value into media type and charset, each None when absent."""
    media_type, *parameters = (part.strip() for part in header.split(";"))
    pairs = (parameter.partition("=") for parameter in parameters)
    charset = next((value for key, _, value in pairs if key.strip().lower() == "charset"), "")
    return media_type.lower() or None, charset.strip().strip("\"'") or None
