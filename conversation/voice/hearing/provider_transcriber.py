"""Speech to text by a provider: an utterance is uploaded as a WAV file, through litellm."""

import asyncio
import importlib
import io
import wave
from collections.abc import Callable, Sequence
from typing import Any

from conversation.errors import SpeechError
from conversation.llm.providers.litellm_errors import as_model_error
from conversation.voice.hearing.whisper_transcriber import spoken_code
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples, Transcription

TIMEOUT_S = 8.0
"""A caller hears silence meanwhile; the next transcriber gets its chance."""
_NO_KEY = "none"
"""For a server of one's own that asks for none: litellm refuses to send nothing."""


class ProviderTranscriber:
    """One model of a provider that litellm knows, e.g. `openai/gpt-4o-transcribe`."""

    def __init__(
        self,
        model: str,
        *,
        api_base: str | None = None,
        api_key_variable: str | None = None,
        secret: Callable[[str], str | None],
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Name the endpoint; nothing is called yet.

        Args:
            model: PROVIDER/MODEL.
            api_base: Of a server of one's own; None takes the provider's.
            api_key_variable: Environment variable with the key; None takes the provider's usual.
            secret: Value of an environment variable.
            timeout_s: After which the utterance is given up.

        Raises:
            SpeechError: The named variable holds no key.
        """
        self._model = model
        self._api_base = api_base
        self._timeout_s = timeout_s
        self._key_variable = api_key_variable
        self._key = _NO_KEY if api_base is not None else None
        if api_key_variable is not None:
            self._key = secret(api_key_variable)
            if not self._key:
                raise SpeechError(
                    f"Speech to text by {model!r} needs {api_key_variable} in the environment."
                )

    @property
    def name(self) -> str:
        """The model string."""
        return self._model

    async def transcribe(
        self,
        samples: Samples,
        *,
        language: str | None = None,
        keywords: Sequence[str] = (),
        is_tentative: bool = False,
    ) -> Transcription:
        """The words in `samples`.

        Raises:
            SpeechError: The provider refused, failed, or took too long.
        """
        request: dict[str, Any] = {
            "model": self._model,
            "file": ("speech.wav", as_wav(samples), "audio/wav"),
            "timeout": self._timeout_s,
            "max_retries": 0,
            # What a provider has no name for is left out rather than refused.
            "drop_params": True,
        }
        optional = {
            "language": spoken_code(language) if language else None,
            "prompt": ", ".join(keywords) or None,
            "api_base": self._api_base,
            "api_key": self._key,
        }
        request |= {name: value for name, value in optional.items() if value is not None}
        text = await self._asked(request)
        return Transcription(text.strip(), request.get("language"))

    async def _asked(self, request: dict[str, Any]) -> str:
        litellm = await asyncio.to_thread(importlib.import_module, "litellm")
        try:
            async with asyncio.timeout(self._timeout_s):
                response: Any = await litellm.atranscription(**request)
        except TimeoutError as error:
            raise SpeechError(
                f"Speech to text by {self._model!r} did not answer within {self._timeout_s:g} s."
            ) from error
        except Exception as error:  # litellm raises what each provider's library raises
            names = (self._key_variable,) if self._key_variable else ()
            told = as_model_error(error, self._model, api_base=self._api_base, key_names=names)
            raise SpeechError(f"Speech to text failed. {told}") from error
        text = getattr(response, "text", None)
        if not isinstance(text, str):
            raise SpeechError(f"Speech to text by {self._model!r} answered without a text.")
        return text


def as_wav(samples: Samples) -> bytes:
    """Return the sound as a WAV file."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(samples.astype("<i2").tobytes())
    return written.getvalue()
