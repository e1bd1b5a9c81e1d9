"""A server on this machine that answers as a provider of voices does."""

import asyncio
import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from conversation.voice.ports import Samples

RATE_HZ = 24_000


@dataclass(frozen=True)
class Answer:
    blocks: Sequence[bytes] = ()
    status: int = 200
    content_type: str = "audio/pcm"
    cut: bool = False
    """Whether the connection breaks off after the blocks."""
    waits: bool = False
    """Whether nothing more comes after the blocks, and the connection stays open."""


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class SpeechServer:
    answers: list[Answer]
    asked: list[Asked] = field(default_factory=lambda: list[Asked]())
    closed_early: int = 0
    """Connections that the client closed while the server still wanted to send."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._writers: set[asyncio.StreamWriter] = set()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.asked.append(Asked(first.split()[1], headers, json.loads(body or b"{}")))
        answer = self.answers.pop(0)
        writer.write(
            f"HTTP/1.1 {answer.status} OK\r\nContent-Type: {answer.content_type}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        for block in answer.blocks:
            writer.write(f"{len(block):x}\r\n".encode() + block + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0)
        if answer.cut:
            return False
        if answer.waits:
            await reader.read(1)
            self.closed_early += 1
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


def tone(seconds: float, rate_hz: int = RATE_HZ, level: int = 8_000) -> Samples:
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    return (level * np.sin(2 * np.pi * 220 * times)).astype(np.int16)


def raw(samples: Samples) -> bytes:
    return samples.astype("<i2").tobytes()


def wav(
    samples: Samples, rate_hz: int = RATE_HZ, *, size: int | None = None, extra: bytes = b""
) -> bytes:
    data = raw(samples)
    told = len(data) if size is None else size
    head = b"RIFF" + (0xFFFFFFFF).to_bytes(4, "little") + b"WAVE" + extra + b"fmt "
    head += (16).to_bytes(4, "little") + (1).to_bytes(2, "little") + (1).to_bytes(2, "little")
    head += rate_hz.to_bytes(4, "little") + (2 * rate_hz).to_bytes(4, "little")
    head += (2).to_bytes(2, "little") + (16).to_bytes(2, "little")
    return head + b"data" + told.to_bytes(4, "little") + data


def told(text: str, samples: Samples, *, start_s: float, each_s: float = 0.1) -> bytes:
    """A line of ElevenLabs: sound, and when each character of `text` is said."""
    starts = [start_s + at * each_s for at in range(len(text))]
    line = {
        "audio_base64": base64.b64encode(raw(samples)).decode(),
        "alignment": {
            "characters": list(text),
            "character_start_times_seconds": starts,
            "character_end_times_seconds": [start + each_s for start in starts],
        },
    }
    return json.dumps(line).encode() + b"\n"
