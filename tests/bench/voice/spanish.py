"""Spanish: words of sentences that survive a round trip through its voices and the embedded ears.

Run by `python -m tests.bench.voice spanish`.
"""

import asyncio
import os
import re

import numpy as np

from conversation.agent.models.voice_config import VoiceSection, voices_speaking
from conversation.voice.hearing.open_hearing import open_hearing
from conversation.voice.models.runner import ModelRunner
from conversation.voice.ports import SAMPLE_RATE_HZ
from conversation.voice.speaking.by_rule.spanish_numbers import number_words
from conversation.voice.speaking.open_speech import open_speech
from tests.bench.figures import Figure, record
from tests.bench.voice.speaking import spoken
from tests.bench.voice.words import edits

SENTENCES = (
    "Claro, puedo ayudarle con eso.",
    "Puede devolver cualquier artículo en treinta días, y le devolvemos el dinero.",
    "Nuestro equipo de atención está disponible desde las nueve de la mañana hasta las cinco "
    "de la tarde.",
    "Por favor, dígame el número de pedido para que pueda buscarlo.",
    "El plan gratuito incluye dos agentes y mil minutos cada mes.",
    "Lo siento, pero no sé la respuesta a esa pregunta.",
    "Para cambiar la contraseña, abra la página de ajustes y elija seguridad.",
    "Su cita con la doctora García es el martes catorce de marzo.",
    "La batería dura unas once horas cuando la pantalla está atenuada.",
    "¿Quiere que le pase con uno de mis compañeros?",
    "Los documentos se guardan 90 días y después se borran automáticamente.",
    "Cuesta 49 euros al mes, y puede cancelar en cualquier momento.",
    "La garantía cubre las piezas y la mano de obra durante 2 años.",
    "Su reembolso se envió el lunes y llegará en cinco días laborables.",
    "Pulse el botón verde durante tres segundos hasta que la luz empiece a parpadear.",
    "La sala de reuniones del segundo piso está libre a las dos y media.",
    "Déjeme ver qué dicen los documentos sobre esto.",
    "Gracias por llamar, y que tenga un buen día.",
    "El taller estará cerrado el jueves por la fiesta.",
    "Necesita un pasaporte válido y un justificante de domicilio para abrir una cuenta.",
)
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """Words in small letters, numbers as they are spoken."""
    return _WORD.findall(_NUMBER.sub(lambda found: number_words(found[0]), text.lower()))


def main() -> None:
    """Measure and print."""
    asyncio.run(_measured())


async def _measured() -> None:
    runner = ModelRunner(workers=1)
    ear = open_hearing(VoiceSection(), languages=("es",), runner=runner).transcriber
    silence = np.zeros(SAMPLE_RATE_HZ // 5, dtype=np.int16)
    for name in voices_speaking("es"):
        voice = open_speech(VoiceSection(voice_id=name), language="es", runner=runner)
        wrong = count = 0
        cpu_s = lasts_s = 0.0
        for sentence in SENTENCES:
            sound = await spoken(voice, sentence, language="es")
            heard = await ear.transcribe(np.concatenate((sound.samples, silence)), language="es")
            mistakes = edits(words(sentence), words(heard.text))
            if mistakes:
                print(f"  {mistakes}: {sentence}\n     {heard.text}")
            wrong, count = wrong + mistakes, count + len(words(sentence))
            cpu_s, lasts_s = cpu_s + sound.all_cpu_s, lasts_s + sound.lasts_s
        print(
            f"{name}: {wrong / count:.1%} of {count} words heard otherwise; "
            f"{cpu_s / lasts_s:.2f} s of one core for each second of sound "
            f"(load {os.getloadavg()[0]:.1f})",
            flush=True,
        )
        record("voice", [Figure(f"voice/{name} round trip word errors", wrong / count, count)])
    runner.close()
