"""Providers of speech to text on a socket, and who is asked when one fails."""

import asyncio
import io
import json
import logging
import threading
import wave
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from conversation.errors import SpeechError
from conversation.voice.hearing.fallback_transcriber import FallbackTranscriber
from conversation.voice.hearing.provider_transcriber import ProviderTranscriber
from conversation.voice.ports import Samples, Transcription

SAID = (np.sin(np.arange(16_000) / 9) * 8_000).astype(np.int16)
MODEL = "openai/gpt-4o-transcribe"


class FakeProvider:
    """Answers as an OpenAI-compatible server does, or as it is told."""

    def __init__(self) -> None:
        self.status, self.text, self.delay_s = 200, "Ten of clubs.", 0.0
        self.requests: list[tuple[str, str | None, bytes]] = []
        self.closing = threading.Event()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                provider.requests.append((self.path, self.headers["Authorization"], body))
                provider.closing.wait(provider.delay_s)
                answer = {"text": provider.text} if provider.status == 200 else {"error": "busy"}
                content = json.dumps(answer).encode()
                self.send_response(provider.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.api_base = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    made = FakeProvider()
    yield made
    made.close()


def ear(provider: FakeProvider, *, timeout_s: float = 60, variable: str | None = None):
    return ProviderTranscriber(
        MODEL,
        api_base=provider.api_base,
        api_key_variable=variable,
        secret={"OWN_KEY": "sk-own"}.get,
        timeout_s=timeout_s,
    )


class ScriptedEar:
    """The edge of the world: a transcriber that says a text, or fails."""

    def __init__(self, name: str, text: str | None) -> None:
        self.name = name
        self.asked: list[bool] = []
        self._text = text

    async def transcribe(
        self,
        samples: Samples,
        *,
        language: str | None = None,
        keywords: Sequence[str] = (),
        is_tentative: bool = False,
    ) -> Transcription:
        self.asked.append(is_tentative)
        if self._text is None:
            raise SpeechError(f"{self.name} is down.")
        return Transcription(self._text, language)


async def test_an_utterance_is_uploaded_as_a_wav_file_with_language_and_keywords(
    provider: FakeProvider,
):
    heard = await ear(provider, variable="OWN_KEY").transcribe(
        SAID, language="en-GB", keywords=("Viva Voce", "Dagster")
    )

    assert heard == Transcription("Ten of clubs.", "en")
    ((path, key, body),) = provider.requests
    assert path == "/v1/audio/transcriptions"
    assert key == "Bearer sk-own"
    assert b'name="language"\r\n\r\nen\r\n' in body
    assert b"Viva Voce, Dagster" in body
    start = body.index(b"RIFF")
    with wave.open(io.BytesIO(body[start:])) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        assert np.array_equal(np.frombuffer(file.readframes(16_000), np.int16), SAID)


async def test_a_server_of_ones_own_needs_no_key_and_gets_none_of_the_environment(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")

    await ear(provider).transcribe(SAID)

    assert provider.requests[0][1] == "Bearer none"


@pytest.mark.parametrize(
    ("status", "told"),
    [(401, "refused the key"), (404, "does not exist"), (429, "rate limited"), (500, "failed")],
)
async def test_what_a_provider_refuses_is_said_once_and_not_asked_again(
    provider: FakeProvider, status: int, told: str
):
    provider.status = status

    with pytest.raises(SpeechError, match=rf"Speech to text failed\. .*{MODEL}.*{told}"):
        await ear(provider).transcribe(SAID)
    assert len(provider.requests) == 1


async def test_a_slow_provider_is_given_up(provider: FakeProvider):
    provider.delay_s = 5

    with pytest.raises(SpeechError, match=r"did not answer|in time"):
        await ear(provider, timeout_s=0.3).transcribe(SAID)


def test_a_named_key_that_is_missing_is_said_before_the_first_call(provider: FakeProvider):
    with pytest.raises(SpeechError, match="needs OTHER_KEY in the environment"):
        ear(provider, variable="OTHER_KEY")


async def test_the_next_one_is_asked_and_failures_are_counted(
    provider: FakeProvider, caplog: pytest.LogCaptureFixture
):
    provider.status = 500
    last = ScriptedEar("embedded/whisper-base", "ten of clubs")
    ears = FallbackTranscriber([ear(provider), ScriptedEar("deepgram/nova-3", None), last])

    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            heard = await ears.transcribe(SAID, language="en")
            assert heard == Transcription("ten of clubs", "en")

    assert ears.failures == {MODEL: 2, "deepgram/nova-3": 2, "embedded/whisper-base": 0}
    assert "clubs" not in caplog.text
    assert ears.name == MODEL


async def test_tentative_words_are_asked_of_the_first_only():
    first, second = ScriptedEar("a/one", None), ScriptedEar("b/two", "yes")
    ears = FallbackTranscriber([first, second])

    with pytest.raises(SpeechError):
        await ears.transcribe(SAID, is_tentative=True)
    assert (first.asked, second.asked) == ([True], [])


async def test_when_all_fail_each_says_why():
    ears = FallbackTranscriber([ScriptedEar("a/one", None), ScriptedEar("b/two", None)])

    with pytest.raises(SpeechError, match=r"a/one is down\. b/two is down\."):
        await ears.transcribe(SAID)


async def test_leaving_is_no_failure(provider: FakeProvider):
    provider.delay_s = 5
    ears = FallbackTranscriber([ear(provider), ScriptedEar("b/two", "yes")])
    task = asyncio.create_task(ears.transcribe(SAID))
    while not provider.requests:
        await asyncio.sleep(0.01)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert sum(ears.failures.values()) == 0
