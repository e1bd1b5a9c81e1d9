"""`conversation_config`: what each field of it is."""

from conversation.server.agents.field_kinds.kinds import (
    ANYTHING,
    NUMBER,
    TEXT,
    TRUTH,
    WHOLE,
    Schema,
    listed,
    mapped,
    numbers,
    one_of,
    part,
    positive,
    texts,
    truths,
    wholes,
)
from conversation.server.agents.field_kinds.tools import (
    BUILT_IN_TOOL,
    DEFINITIONS,
    ELSEWHERE_KEPT,
    HEADERS,
    TOOL,
)

_SOUND = numbers("stability", "speed", "similarity_boost", "clone_strength")
_VOICES: Schema = listed(
    part(
        "label",
        "voice_id",
        **texts("label", "voice_id", "description", "language", "model_family"),
        **_SOUND,
        optimize_streaming_latency=WHOLE,
    )
)
_DICTIONARIES: Schema = listed(
    part("pronunciation_dictionary_id", **texts("pronunciation_dictionary_id", "version_id"))
)
_SOUND_OF_OVERRIDE = {
    **texts("model_id", "voice_id"),
    **_SOUND,
    "supported_voices": _VOICES,
    "pronunciation_dictionary_locators": _DICTIONARIES,
}
_SPEECH: Schema = part(
    **_SOUND_OF_OVERRIDE,
    **texts("agent_output_audio_format", "text_normalisation_type"),
    **truths("expressive_mode", "enable_phoneme_tags"),
    optimize_streaming_latency=WHOLE,
    suggested_audio_tags=listed(part("tag", **texts("tag", "description"))),
    audio_effects=part(
        "distance",
        "send_level",
        "pan",
        **texts("filter_preset_id", "environment_id", "background_noise_id"),
        **numbers("distance", "send_level", "pan"),
    ),
)
_HEARING: Schema = part(
    **texts("provider", "user_input_audio_format"),
    quality=one_of("high"),
    keywords=listed(TEXT),
)
_SAID_MEANWHILE = {"message": TEXT, "additional_soft_timeout_messages": listed(TEXT)}
_TURNS: Schema = part(
    **numbers("turn_timeout", "initial_wait_time", "silence_end_call_timeout"),
    **texts("turn_eagerness", "spelling_patience", "turn_model", "noisy_environment_message"),
    **truths(
        "speculative_turn",
        "retranscribe_on_turn_timeout",
        "merge_with_default_ignore_terms",
        "transcribe_on_disabled_interruptions",
        "noisy_environment_detection",
    ),
    interruption_ignore_terms=listed(TEXT),
    interruption_ignore_term_languages=listed(TEXT),
    soft_timeout_config=part(
        **_SAID_MEANWHILE,
        **truths(
            "use_llm_generated_message", "randomize_fillers", "disable_until_first_user_message"
        ),
        timeout_seconds=NUMBER,
        max_soft_timeouts_per_generation=WHOLE,
        llm_generated_message_prompt_override=TEXT,
    ),
)
_COURSE: Schema = part(
    **truths("text_only", "monitoring_enabled", "source_attribution"),
    max_duration_seconds=WHOLE,
    client_events=listed(TEXT),
    monitoring_events=listed(TEXT),
    file_input=part(enabled=TRUTH, **wholes("max_files_in_memory", "max_files_per_conversation")),
    dtmf_input_settings=part(
        dtmf_input_timeout=NUMBER, **truths("hash_terminator", "redact_input")
    ),
    background_sound=part(
        source_type=one_of("preset"), source_id=TEXT, volume=NUMBER, crossfade_loop=TRUTH
    ),
)
_DOCUMENTS: Schema = listed(part("id", **texts("id", "name", "type", "usage_mode")))
_TRANSLATION: Schema = part("source_hash", "text", **texts("source_hash", "text"))
_PROMPT_OF_OVERRIDE = {
    **texts("prompt", "llm", "reasoning_effort"),
    "tool_ids": listed(TEXT),
    "tool_ids_strict": TRUTH,
    "native_mcp_server_ids": listed(TEXT),
    "knowledge_base": _DOCUMENTS,
}
_SAID = texts("first_message", "language", "max_conversation_duration_message")
OVERRIDE: Schema = part(
    asr=part(keywords=listed(TEXT)),
    turn=part(soft_timeout_config=part(**_SAID_MEANWHILE), noisy_environment_message=TEXT),
    tts=part(**_SOUND_OF_OVERRIDE),
    conversation=part(text_only=TRUTH, max_duration_seconds=WHOLE),
    agent=part(**_SAID, prompt=part(**_PROMPT_OF_OVERRIDE)),
)
"""What may be otherwise in one language, or in one conversation."""
_PRESETS: Schema = mapped(
    part(
        overrides=OVERRIDE,
        first_message_translation=_TRANSLATION,
        soft_timeout_translation=_TRANSLATION,
        noisy_environment_message_translation=_TRANSLATION,
    )
)
_STRATEGIES: Schema = part(enabled_strategies=listed(TEXT))
_PROMPT: Schema = part(
    **_PROMPT_OF_OVERRIDE,
    **texts("service_tier", "timezone"),
    **wholes("thinking_budget", "max_tokens"),
    **numbers("temperature", "cascade_timeout_seconds"),
    **truths(
        "enable_reasoning_summary", "enable_parallel_tool_calls", "ignore_default_personality"
    ),
    mcp_server_ids=listed(TEXT),
    tools=listed(TOOL),
    built_in_tools={"type": ["object", "null"], "additionalProperties": BUILT_IN_TOOL},
    custom_llm=part(
        **texts("url", "model_id", "api_version", "api_type"),
        api_key=ELSEWHERE_KEPT,
        auth_connection=ELSEWHERE_KEPT,
        request_headers=HEADERS,
    ),
    rag=part(
        enabled=TRUTH,
        embedding_model=TEXT,
        max_vector_distance=NUMBER,
        **wholes("max_documents_length", "num_candidates"),
        max_retrieved_rag_chunks_count=positive(WHOLE),
        query_rewrite_prompt_override=TEXT,
        knowledge_base_tool_info=_STRATEGIES,
    ),
    backup_llm_config=part(
        preference=one_of("default", "disabled", "override"), order=listed(TEXT)
    ),
)
_SPEAKER: Schema = part(
    **_SAID,
    **truths("hinglish_mode", "disable_first_message_interruptions"),
    dynamic_variables=part(dynamic_variable_placeholders=mapped(ANYTHING)),
    text_behavior_overrides=mapped(
        part(**texts("verbosity", "output_format", "interaction_budget"))
    ),
    prompt=_PROMPT,
)
CONVERSATION_CONFIG: Schema = part(
    agent=_SPEAKER,
    asr=_HEARING,
    tts=_SPEECH,
    turn=_TURNS,
    conversation=_COURSE,
    language_presets=_PRESETS,
    vad=part(),
) | {"$defs": DEFINITIONS}
