"""A store that vanished while what was exported from it is still there."""

from pathlib import Path

from orchestration.errors import LostStoreError


def refuse_lost_store(url: str, warehouse_dir: Path) -> None:
    """Refuse to begin a new store beside days that were exported from another one.

    The next report would be published from the new one: without any conversation, and without a
    word about it.

    Args:
        url: SQLAlchemy URL of the store. Only a SQLite file can vanish by itself.
        warehouse_dir: Folder of the exported days.

    Raises:
        LostStoreError: The file is gone or holds no byte, though days were exported.
    """
    # Only SQLAlchemy knows how paths stand in its URLs, and most stores are opened with it anyway.
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except ArgumentError:
        return  # opening it says what is wrong
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return
    file = Path(parsed.database)
    if file.is_file() and file.stat().st_size:
        return
    from analysis.warehouse.files import noted_days

    if not noted_days(warehouse_dir):
        return
    what = "is empty" if file.is_file() else "is not there"
    raise LostStoreError(
        f"The store '{file}' {what}, but '{warehouse_dir}' holds days that were exported from a "
        "store, so conversations seem to be lost. Put a backup of the store in its place, or name "
        "where it is in VIVAVOCE_STORE_URL. To begin anew, move that folder away first."
    )
