"""`platform_settings`: what each field of it is."""

from conversation.server.agents.field_kinds.kinds import (
    NUMBER,
    TEXT,
    TRUTH,
    VALUE,
    WHOLE,
    Schema,
    listed,
    mapped,
    number_or,
    numbers,
    one_of,
    part,
    texts,
    truths,
    wholes,
)
from conversation.server.agents.field_kinds.tools import HEADERS

_HOSTS: Schema = listed(part("hostname", hostname=TEXT))
_CRITERIA: Schema = listed(
    part(
        "id",
        "conversation_goal_prompt",
        **texts("id", "name", "conversation_goal_prompt", "scope", "llm"),
        **texts("scoring_mode", "score_instructions"),
        type=one_of("prompt"),
        use_knowledge_base=TRUTH,
        max_score=WHOLE,
    )
)
_FIELDS: Schema = mapped(
    part(
        **texts("type", "description", "dynamic_variable", "allowed_values_dynamic_variable"),
        **texts("name", "llm"),
        **truths("is_system_provided", "is_omitted"),
        enum=listed(VALUE),
        allowed_values=part("dynamic_variable", dynamic_variable=TEXT),
        constant_value=VALUE,
    )
)
_TERMS = texts("terms_text", "terms_html", "terms_key")
_WORDS_OF_WIDGET: Schema = {"type": ["object", "null"], "additionalProperties": TEXT}
"""Every one of its labels is text."""
_STYLES: Schema = part(
    **texts("base", "base_hover", "base_active", "base_border", "base_subtle", "base_primary"),
    **texts("base_error", "accent", "accent_hover", "accent_active", "accent_border"),
    **texts("accent_subtle", "accent_primary"),
    **numbers("overlay_padding", "button_radius", "input_radius", "bubble_radius"),
    **numbers("sheet_radius", "compact_sheet_radius", "dropdown_sheet_radius"),
)
_WIDGET: Schema = part(
    **texts("variant", "placement", "expandable", "feedback_mode", "syntax_highlight_theme"),
    **texts("bg_color", "text_color", "btn_color", "btn_text_color", "border_color"),
    **texts("focus_color", "action_text", "start_call_text", "end_call_text", "expand_text"),
    **texts("listening_text", "speaking_text", "shareable_page_text", "override_link"),
    **texts("custom_avatar_path"),
    **_TERMS,
    **truths("shareable_page_show_terms", "show_avatar_when_collapsed", "disable_banner"),
    **truths("markdown_link_include_www", "markdown_link_allow_http", "mic_muting_enabled"),
    **truths("transcript_enabled", "text_input_enabled", "conversation_mode_toggle_enabled"),
    **truths("default_expanded", "always_expanded", "dismissible", "show_agent_status"),
    **truths("show_conversation_id", "strip_audio_tags", "show_resize_button"),
    **truths("end_confirmation_enabled", "mobile_fullscreen", "transcript_speech_sync_enabled"),
    **truths("language_selector", "supports_text_only"),
    **wholes("border_radius", "btn_radius"),
    avatar=part(
        "type",
        type=one_of("orb", "url", "image"),
        **texts("color_1", "color_2", "custom_url", "url"),
    ),
    end_feedback=part(type=one_of("rating")),
    markdown_link_allowed_hosts=_HOSTS,
    text_contents=_WORDS_OF_WIDGET,
    styles=_STYLES,
    language_presets=mapped(
        part(
            **_TERMS,
            text_contents=_WORDS_OF_WIDGET,
            text_contents_translation=part(source=mapped(TEXT), text=mapped(TEXT)),
            terms_translation=part("source_hash", "text", **texts("source_hash", "text")),
        )
    ),
)
_ANALYSIS_ITEMS: Schema = listed(
    part(
        "source",
        **texts("analysis_item_id", "version_id", "scope"),
        source=one_of("system", "user"),
        additional_version_ids=listed(TEXT),
        weight=NUMBER,
    )
)
_ALLOWED: Schema = part(
    asr=part(keywords=TRUTH),
    turn=part(
        soft_timeout_config=part(**truths("message", "additional_soft_timeout_messages")),
        noisy_environment_message=TRUTH,
    ),
    tts=part(
        **truths("model_id", "voice_id", "supported_voices", "stability", "speed"),
        **truths("similarity_boost", "clone_strength", "pronunciation_dictionary_locators"),
    ),
    conversation=part(**truths("text_only", "max_duration_seconds")),
    agent=part(
        **truths("first_message", "language", "max_conversation_duration_message"),
        prompt=part(
            **truths("prompt", "llm", "reasoning_effort", "tool_ids", "tool_ids_strict"),
            **truths("native_mcp_server_ids", "knowledge_base"),
        ),
    ),
)
"""What a conversation may bring of its own."""
_OVERRIDES: Schema = part(
    **truths(
        "custom_llm_extra_body",
        "enable_conversation_initiation_client_data_from_webhook",
        "enable_starting_workflow_node_id_from_client",
        "enable_procedure_ids_from_client",
    ),
    conversation_config_override=_ALLOWED,
)
_THEN: Schema = part("type", type=one_of("end_call", "retry"), feedback=TEXT)
_THRESHOLD: Schema = part(is_enabled=TRUTH, threshold=number_or("low", "medium", "high"))
_GUARDRAILS: Schema = part(
    version=one_of("1"),
    focus=part(is_enabled=TRUTH),
    prompt_injection=part(is_enabled=TRUTH),
    content=part(
        execution_mode=TEXT,
        trigger_action=_THEN,
        config=part(
            sexual=_THRESHOLD,
            violence=_THRESHOLD,
            harassment=_THRESHOLD,
            self_harm=_THRESHOLD,
            profanity=_THRESHOLD,
            religion_or_politics=_THRESHOLD,
            medical_and_legal_information=_THRESHOLD,
        ),
    ),
    custom=part(
        config=part(
            configs=listed(
                part(
                    "name",
                    "prompt",
                    **texts("name", "prompt", "execution_mode", "model"),
                    **truths("is_enabled", "evaluate_full_response_only"),
                    history_message_count=WHOLE,
                    trigger_action=_THEN,
                )
            )
        )
    ),
)
_ALERTS: Schema = part(
    monitor_configs=mapped(
        part(
            enabled=TRUTH,
            **numbers("threshold", "relative_increase_threshold"),
            **wholes("min_failure_count", "min_history_bucket_count", "min_sample_count"),
            **wholes("suspect_trigger_threshold", "auto_resolve_after_inactive_minutes"),
        )
    ),
    auto_resolve_after_inactive_minutes=WHOLE,
    notifiers=listed(
        part(
            "type",
            type=one_of("webhook", "integration"),
            **texts("webhook_id", "integration_type", "connection_id", "channel_id"),
        )
    ),
)
PLATFORM_SETTINGS: Schema = part(
    **texts("summary_language", "trust_context", "analysis_llm"),
    **truths("archived", "auto_translate_transcript_to_app_language"),
    evaluation=part(criteria=_CRITERIA),
    widget=_WIDGET,
    data_collection=_FIELDS,
    data_collection_scopes=mapped(TEXT),
    analysis_items=part(evaluation_criteria=_ANALYSIS_ITEMS, data_collection=_ANALYSIS_ITEMS),
    overrides=_OVERRIDES,
    workspace_overrides=part(
        conversation_initiation_client_data_webhook=part(
            "url", "request_headers", url=TEXT, request_headers=HEADERS
        ),
        webhooks=part(
            **texts("post_call_webhook_id", "transcript_format"),
            **truths("exclude_transcript", "send_audio"),
            events=listed(TEXT),
        ),
    ),
    testing=part(attached_tests=listed(part("test_id", **texts("test_id", "workflow_node_id")))),
    guardrails=_GUARDRAILS,
    auth=part(
        **truths("enable_auth", "require_origin_header"), allowlist=_HOSTS, shareable_token=TEXT
    ),
    call_limits=part(**wholes("agent_concurrency_limit", "daily_limit"), bursting_enabled=TRUTH),
    queueing_config=part(
        enabled=TRUTH,
        wait_timeout_seconds=WHOLE,
        hold_audio=part(
            "audio_path",
            "audio_url",
            "original_filename",
            "duration_secs",
            "size_bytes",
            **texts("audio_path", "audio_url", "original_filename"),
            duration_secs=NUMBER,
            size_bytes=WHOLE,
        ),
    ),
    privacy=part(
        **truths("record_voice", "delete_transcript_and_pii", "delete_audio"),
        **truths("apply_to_existing_conversations", "zero_retention_mode"),
        retention_days=WHOLE,
        conversation_history_redaction=part(
            enabled=TRUTH,
            entities=listed(TEXT),
            excluded_data_collection_ids=listed(TEXT),
        ),
    ),
    topic_discovery=part(),
    sentiment_analysis=part(),
    alerting=_ALERTS,
)
