"""`settings.yaml` of the data folder: the same settings as the variables, and prices as a table."""

from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from orchestration.errors import SettingsError

FILE_NAME = "settings.yaml"
PRICES = "prices"
"""A table in the file for the variable VIVAVOCE_LLM_PRICES."""
_PRICES_SETTING = "llm_prices"
_SET_ELSEWHERE = "data_dir"
"""Says where the file is, so that the file cannot say it."""
_DIRECTIONS = {"read", "written"}


def read_settings_file(path: Path, known: Collection[str]) -> dict[str, Any]:
    """Return settings by name, as the file has them; prices as text of their variable.

    Args:
        path: The file; nothing is set where there is none.
        known: Names of settings.

    Raises:
        SettingsError: It cannot be read, or says something that is no setting.
    """
    if not path.is_file():
        return {}
    import yaml

    try:
        found: Any = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{str(path)!r} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{str(path)!r} is no text in UTF-8. Save it as UTF-8.") from error
    except yaml.YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None)
        line = "" if mark is None else f", line {mark.line + 1}"
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise SettingsError(
            f"{str(path)!r}{line} is not valid YAML: {problem}. Write one NAME: VALUE a line, and "
            "blanks, no tabs, before what belongs to a name."
        ) from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise SettingsError(f"{str(path)!r} holds no settings; write one NAME: VALUE a line.")
    values = {str(name): value for name, value in cast(dict[Any, Any], found).items()}
    names = {*known, PRICES} - {_SET_ELSEWHERE}
    if _SET_ELSEWHERE in values:
        raise SettingsError(
            f"{str(path)!r} sets {_SET_ELSEWHERE!r}, which says where this file is. Set "
            "VIVAVOCE_DATA_DIR instead."
        )
    refuse_unknown(values, names, where=repr(str(path)))
    prices = values.pop(PRICES, None)
    if prices is not None:
        if _PRICES_SETTING in values:
            raise SettingsError(
                f"{str(path)!r} sets both {PRICES} and {_PRICES_SETTING}: keep one."
            )
        values[_PRICES_SETTING] = ", ".join(_prices(prices, path))
    # An empty value is an unset one, as it is of a variable.
    return {name: value for name, value in values.items() if value is not None}


def refuse_unknown(
    names: Iterable[str],
    known: Collection[str],
    *,
    where: str,
    spelled: Callable[[str], str] = str,
) -> None:
    """Raise for the first name that is no setting, with the nearest that is one."""
    for name in names:
        if spelled(name) not in known:
            near = get_close_matches(spelled(name), sorted(known), n=1, cutoff=0.0)[0]
            raise SettingsError(
                f"{where} sets {name!r}, which is no setting. Did you mean {near!r}? "
                "`vivavoce settings` lists them all."
            )


def _prices(prices: object, path: Path) -> Iterable[str]:
    if not isinstance(prices, dict):
        raise _no_price(path, PRICES)
    for model, price in cast(dict[Any, Any], prices).items():
        given = cast(Mapping[str, object], price) if isinstance(price, dict) else {}
        numbers = [given.get("read"), given.get("written")]
        if given.keys() != _DIRECTIONS or not all(map(_is_price, numbers)):
            raise _no_price(path, f"{PRICES}.{model}")
        read, written = (f"{number:.12f}".rstrip("0").rstrip(".") for number in numbers)
        yield f"{model}={read}/{written}"


def _is_price(number: object) -> bool:
    return isinstance(number, (int, float)) and not isinstance(number, bool) and 0 <= number < 1e9


def _no_price(path: Path, at: str) -> SettingsError:
    return SettingsError(
        f"{str(path)!r}: {at} is no price; write US dollars for a million tokens, e.g. "
        "prices: {openai/own: {read: 0.25, written: 1.0}}"
    )
