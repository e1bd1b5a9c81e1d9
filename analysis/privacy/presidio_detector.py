"""Personal data found by Microsoft Presidio: names and places too. The only importer of presidio.

`pip install 'vivavoce[privacy]'`, and a spaCy model of your language, which Presidio needs for
names: `python -m spacy download en_core_web_sm`.
"""

from collections.abc import Collection
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from analysis.errors import PrivacyError
from analysis.privacy.pii import BuiltinDetector, PIISpan, without_overlaps
from conversation.agent.privacy_config import PIIKind

_KINDS: dict[str, PIIKind] = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip",
    "PERSON": "person",
    "LOCATION": "place",
    "US_SSN": "national_id",
    "US_PASSPORT": "national_id",
    "US_DRIVER_LICENSE": "national_id",
    "UK_NHS": "national_id",
    "UK_NINO": "national_id",
    "ES_NIF": "national_id",
    "IT_FISCAL_CODE": "national_id",
}
_MIN_SCORE = 0.4
"""What Presidio gives a number with a form and a word of context, but no check digit."""


class PresidioDetector:
    """Presidio's findings, and the built-in ones, which it does not have all of."""

    def __init__(self, language: str = "en", *, model: str = "en_core_web_sm") -> None:
        """Load the language model.

        Raises:
            PrivacyError: Presidio or the model is not installed; says what to install.
        """
        self._language = language
        self._builtin = BuiltinDetector()
        self._analyzer = _analyzer(language, model)
        self.version = f"presidio-1 {language} {model} {self._builtin.version}"

    def find(self, text: str, kinds: Collection[PIIKind]) -> list[PIISpan]:
        """Return what is found of `kinds`, in order, without overlaps."""
        entities = [entity for entity, kind in _KINDS.items() if kind in kinds]
        found: list[Any] = self._analyzer.analyze(
            text, language=self._language, entities=entities, score_threshold=_MIN_SCORE
        )
        surest = sorted(found, key=lambda result: (-result.score, result.start))
        named = (
            PIISpan(
                _KINDS[result.entity_type],
                result.start,
                result.end,
                text[result.start : result.end].casefold(),
            )
            for result in surest
        )
        return without_overlaps([*self._builtin.find(text, kinds), *named])


def _analyzer(language: str, model: str) -> Any:
    try:
        presidio: Any = import_module("presidio_analyzer")
        engines: Any = import_module("presidio_analyzer.nlp_engine")
        domains: Any = import_module("tldextract.tldextract")
    except ImportError as error:
        raise PrivacyError(
            "The detector 'presidio' is not installed. `pip install 'vivavoce[privacy]'` installs "
            "it, or write `detector: builtin` under `privacy` in the agent file."
        ) from error
    # It would fetch the list of public domains on first use; the one in the package is enough.
    domains.TLD_EXTRACTOR = domains.TLDExtract(suffix_list_urls=(), cache_dir=None)
    # Presidio would download a missing model by itself; nothing is fetched unasked here.
    if not Path(model).exists() and find_spec(model) is None:
        raise PrivacyError(
            f"The detector 'presidio' needs the spaCy model {model!r}, which is not installed. "
            f"`python -m spacy download {model}` installs it."
        )
    provider = engines.NlpEngineProvider(
        nlp_configuration={
            "nlp_engine_name": "spacy",
            "models": [{"lang_code": language, "model_name": model}],
        }
    )
    return presidio.AnalyzerEngine(
        nlp_engine=provider.create_engine(), supported_languages=[language]
    )
