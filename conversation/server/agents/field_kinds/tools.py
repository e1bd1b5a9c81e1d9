"""Tools: what each field of them is."""

from conversation.server.agents.field_kinds.kinds import (
    ANYTHING,
    NUMBER,
    TEXT,
    VALUE,
    WHOLE,
    Schema,
    any_needed,
    either,
    listed,
    mapped,
    one_of,
    part,
    positive,
    texts,
    truths,
)

_PROPERTY: Schema = {"$ref": "#/$defs/property"}
_PROPERTY_OR_NULL: Schema = {"$ref": "#/$defs/property_or_null"}
_NAMED_IN_IT = {
    "properties": mapped(_PROPERTY),
    "required": listed(TEXT),
    "required_constraints": part(
        any_of=listed(part("required", required=listed(TEXT))),
        all_of=listed(part("required", required=listed(TEXT))),
    ),
}
PROPERTY: Schema = part(
    **texts("description", "dynamic_variable", "allowed_values_dynamic_variable"),
    **truths("is_system_provided", "is_omitted"),
    **_NAMED_IN_IT,
    type={"type": ["string", "array", "null"], "items": {"type": "string"}},
    enum=listed(VALUE),
    allowed_values=part("dynamic_variable", dynamic_variable=TEXT),
    constant_value=ANYTHING,
    items=_PROPERTY_OR_NULL,
)
"""A parameter: text, a number, a list of them, or an object with more of them."""
ELSEWHERE_KEPT: Schema = any_needed(
    "secret_id", "env_var_label", "variable_name", "auth_connection_id"
)
"""A value that is kept elsewhere and named here."""
HEADERS: Schema = mapped(either(TEXT, part(**texts("secret_id", "env_var_label", "variable_name"))))
_SCHEMA_OF_REQUEST: Schema = part(
    **texts("url", "method", "content_type"),
    request_headers=HEADERS,
    path_params_schema=mapped(_PROPERTY),
    query_params_schema=part("properties", **_NAMED_IN_IT),
    request_body_schema=PROPERTY,
    response_body_schema=PROPERTY,
    response_filter=part(mode=TEXT, filters=listed(TEXT), content_type=one_of("application/json")),
    auth_resolved_params=listed(TEXT),
    auth_connection=ELSEWHERE_KEPT,
)
_PARAMS: Schema = part(
    **texts("system_tool_type", "voicemail_message"),
    **truths(
        "only_at_conversation_start",
        "use_out_of_band_dtmf",
        "suppress_turn_after_dtmf",
        "enable_client_message",
    ),
    wait_timeout_secs=NUMBER,
    procedures=mapped(part("procedure_id", **texts("procedure_id", "version_id"))),
    enabled_strategies=listed(TEXT),
    transfers=listed(
        part(
            "condition",
            **texts("agent_id", "branch_id", "node_id", "condition", "transfer_message"),
            **texts("transfer_type", "phone_number"),
            **truths(
                "enable_transferred_agent_first_message",
                "is_workflow_node_transfer",
                "preserve_client_tts_overrides",
                "preserve_voice_settings",
                "sip_refer_play_dialtone",
            ),
            delay_ms=WHOLE,
        )
    ),
)
TOOL_FIELDS: dict[str, Schema] = {
    **texts("type", "name", "description", "interruption_mode", "pre_tool_speech"),
    **texts("tool_call_sound", "tool_call_sound_behavior", "tool_error_handling_mode"),
    **texts("execution_mode", "tool_version"),
    **truths("disable_interruptions", "force_pre_tool_speech"),
    **truths("expects_response", "follow_redirects"),
    "response_timeout_secs": positive(WHOLE),
    "assignments": listed(
        part(
            "dynamic_variable",
            "value_path",
            **texts("dynamic_variable", "value_path"),
            **truths("sanitize", "preserve_native_type"),
            source=one_of("response"),
        )
    ),
    "dynamic_variables": part(dynamic_variable_placeholders=mapped(ANYTHING)),
    "follow_redirects_allowed_domains": listed(TEXT),
    "parameters": PROPERTY,
    "api_schema": _SCHEMA_OF_REQUEST,
    "params": _PARAMS,
}
TOOL: Schema = part("type", "name", **TOOL_FIELDS)
BUILT_IN_TOOL: Schema = part(**TOOL_FIELDS)
DEFINITIONS: dict[str, Schema] = {
    "property": PROPERTY | {"type": "object"},
    "property_or_null": PROPERTY,
}
"""What schemas with tools in them need as `$defs`."""
KEPT_TOOL: Schema = TOOL | {"$defs": DEFINITIONS}
"""A tool by itself."""
