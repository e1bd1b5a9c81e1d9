"""The `.onnx.json` file beside a Piper voice."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from conversation.errors import SpeechError


class _Audio(BaseModel):
    sample_rate: int = Field(ge=8_000, le=48_000)


class _Espeak(BaseModel):
    voice: str


class _Inference(BaseModel):
    noise_scale: float = 0.667
    length_scale: float = Field(default=1.0, gt=0)
    noise_w: float = 0.8


class PiperConfig(BaseModel):
    """What a voice needs to be told, and how its phonemes are numbered."""

    model_config = ConfigDict(frozen=True)

    audio: _Audio
    espeak: _Espeak
    inference: _Inference = _Inference()
    phoneme_type: str = "espeak"
    phoneme_id_map: dict[str, list[int]]
    num_speakers: int = 1


def read_piper_config(path: Path) -> PiperConfig:
    """The settings of a voice.

    Raises:
        SpeechError: The file is missing or not such a file, or the voice is not English.
    """
    try:
        config = PiperConfig.model_validate(json.loads(path.read_text("utf-8")))
    except OSError as error:
        raise SpeechError(
            f"{path} is missing: a Piper voice is two files, `NAME.onnx` and `NAME.onnx.json`. "
            "Put the second beside the first."
        ) from error
    except (ValueError, ValidationError) as error:
        raise SpeechError(f"{path} is not the settings file of a Piper voice.") from error
    if config.phoneme_type != "espeak" or not config.espeak.voice.startswith("en"):
        raise SpeechError(
            f"The Piper voice of {path.name} speaks {config.espeak.voice!r} with phonemes of kind "
            f"{config.phoneme_type!r}; only English ones of kind 'espeak' can be spoken here. Use "
            "a provider for this language, e.g. `tts: {model: openai/gpt-4o-mini-tts}`."
        )
    return config
