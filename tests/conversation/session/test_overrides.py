"""Overrides, languages, voice and variables of one session."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.agent.agent_file import load_agent, save_agent
from conversation.agent.config import AgentConfig, LLMConfig
from conversation.agent.language_config import LanguageSection, OverridesSection
from conversation.agent.variables import (
    checked_variables,
    fill_in,
    misnamed,
    split_secrets,
    variable_names,
)
from conversation.errors import (
    AgentConfigError,
    MissingVariableError,
    OverrideError,
    VariableValueError,
)
from conversation.language.language_tags import known_language
from conversation.language.set_sentences import GOODBYE, in_words_of
from conversation.session.overrides import SessionOverrides, overridden
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.turn.events import AgentTurn
from conversation.turn.preparing import with_variables
from tests.fakes import ScriptedChatModel

AGENT = AgentConfig.model_validate(
    {
        "agent_id": "shop",
        "name": "Shop",
        "first_message": "Hi {{user_name}}!",
        "system_prompt": "You sell.",
        "dynamic_variables": {"user_name": "you"},
        "languages": {
            "de": {"first_message": "Hallo {{user_name}}!", "system_prompt": "Verkaufe."}
        },
        "voice": {"voice_id": "ada"},
        "llm": {"model": "scripted/model", "api_base": "http://127.0.0.1:1", "fallbacks": ["x/y"]},
    }
)
ALL = {
    "first_message": True,
    "system_prompt": True,
    "language": True,
    "temperature": True,
    "max_output_tokens": True,
    "text_only": True,
    "voice_id": True,
    "speed": True,
    "llm": ["scripted/other"],
}
GIVEN: dict[str, Any] = {
    "first_message": "Yo {{user_name}}",
    "system_prompt": "Be rude.",
    "language": "de",
    "temperature": 0.7,
    "max_output_tokens": 9,
    "text_only": True,
    "voice_id": "bob",
    "speed": 1.1,
    "llm": "scripted/other",
}


def allowing(allowed: Mapping[str, Any]) -> AgentConfig:
    return AgentConfig.model_validate({**AGENT.model_dump(), "overrides": allowed})


@pytest.fixture
def store(tmp_path: Path):
    with ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as store:
        yield store


@pytest.mark.parametrize("name", GIVEN)
def test_nothing_can_be_set_unless_the_agent_says_so(name: str):
    overrides = SessionOverrides.model_validate({name: GIVEN[name]})

    with pytest.raises(OverrideError, match=rf"does not let a session set {name}\..*overrides: {{"):
        overridden(AGENT, overrides)
    assert overridden(allowing({name: ALL[name]}), overrides) != AGENT
    others = {key: value for key, value in ALL.items() if key != name}
    with pytest.raises(OverrideError):
        overridden(allowing(others), overrides)


@pytest.mark.parametrize("name", ["first_message", "system_prompt"])
def test_double_braces_of_an_override_name_a_variable(name: str):
    overrides = SessionOverrides.model_validate({name: "Hi {{user name}}"})

    with pytest.raises(OverrideError, match=rf"'{name}'.*Write `{{{{user_name}}}}`"):
        overridden(allowing(ALL), overrides)


def test_all_that_is_refused_is_named_at_once():
    with pytest.raises(OverrideError, match=r"language and llm.*llm: \[a/b\]"):
        overridden(AGENT, SessionOverrides(language="de", llm="a/b"))


def test_voice_and_speed_are_those_of_this_session():
    mine = overridden(allowing(ALL), SessionOverrides(voice_id="bob", speed=0.9))

    assert mine.voice is not None
    assert (mine.voice.voice_id, mine.voice.tts.speed) == ("bob", 0.9)


@pytest.mark.parametrize(
    ("voice_id", "language", "told"),
    [
        ("../../etc/passwd.onnx", None, "cannot choose the file of a voice"),
        ("/srv/voices/Ada.ONNX", None, "cannot choose the file of a voice"),
        ("dora", None, "'dora' speaks 'es', and this session 'en'. Voices that do: joe"),
        ("joe", "de", "'joe' speaks 'en', and this session 'de'.*none"),
    ],
)
def test_a_voice_that_cannot_speak_in_the_session_is_refused(
    voice_id: str, language: str | None, told: str
):
    overrides = SessionOverrides(voice_id=voice_id, language=language)
    with pytest.raises(OverrideError, match=told):
        overridden(allowing(ALL), overrides)


def test_a_session_in_another_language_may_choose_a_voice_that_speaks_it():
    agent = allowing(ALL).model_copy(update={"languages": {"es": LanguageSection()}})
    mine = overridden(agent, SessionOverrides(voice_id="dora", language="es-MX"))

    assert mine.voice is not None
    assert (mine.voice.voice_id, mine.language) == ("dora", "es")


@pytest.mark.parametrize("voice", [None, {"voice_id": "ada"}])
def test_a_voice_that_nobody_hears_refuses_nobody(voice: dict[str, str] | None):
    agent = AgentConfig.model_validate(
        {**AGENT.model_dump(), "voice": voice, "overrides": {"text_only": True}}
    )
    wanted = SessionOverrides(voice_id="bob", speed=0.9, text_only=True)

    assert overridden(agent, wanted).voice is None


def test_what_the_agent_has_anyway_is_no_override():
    same = SessionOverrides(language="en", system_prompt="You sell.", voice_id="ada")
    assert overridden(AGENT, same) == AGENT


def test_a_language_comes_with_its_texts_and_only_configured_ones_do():
    agent = allowing({"language": True, "first_message": True})

    german = overridden(agent, SessionOverrides(language="de"))
    own = overridden(agent, SessionOverrides(language="de", first_message="Moin"))

    assert (german.language, german.first_message) == ("de", "Hallo {{user_name}}!")
    assert (german.system_prompt, german.languages["en"].system_prompt) == (
        "Verkaufe.",
        "You sell.",
    )
    assert (own.first_message, own.system_prompt) == ("Moin", "Verkaufe.")
    with pytest.raises(OverrideError, match=r"does not speak 'fr'.*\['en', 'de'\]"):
        overridden(agent, SessionOverrides(language="fr"))


def test_another_model_leaves_endpoint_and_fallbacks_behind():
    other = overridden(allowing(ALL), SessionOverrides(llm="scripted/other", temperature=0.5))

    expected = LLMConfig(model="scripted/other", temperature=0.5)
    assert other.llm.model_dump() == expected.model_dump()


def test_a_session_is_held_with_its_overrides(store: ConversationStore):
    opened: list[str] = []
    other = ScriptedChatModel("It costs $5.", model="scripted/other")

    def open_model(llm: LLMConfig) -> ScriptedChatModel:
        opened.append(llm.model)
        return other

    session = Session.start(
        allowing(ALL),
        store=store,
        chat_model=ScriptedChatModel(),
        open_model=open_model,
        variables={"user_name": "Ada"},
        overrides=SessionOverrides.model_validate(GIVEN),
    )
    *_, turn = session.reply("What does it cost?")

    assert session.first_message == "Yo Ada"
    assert opened == ["scripted/other"]
    assert other.prompts[0][0].content.startswith("Be rude.")
    assert (other.options[0].temperature, other.options[0].max_output_tokens) == (0.7, 9)
    assert isinstance(turn, AgentTurn)
    assert turn.turn.spoken_text is None, "text only"
    transcript = store.transcript(session.conversation_id)
    assert transcript.agent_version == allowing(ALL).version
    (event,) = [
        event
        for event in store.events(session.conversation_id)
        if event.kind == "session_overrides"
    ]
    assert event.payload == GIVEN


def test_nothing_is_stored_of_a_session_that_is_refused(store: ConversationStore):
    with pytest.raises(OverrideError):
        Session.start(
            AGENT,
            store=store,
            chat_model=ScriptedChatModel(),
            overrides=SessionOverrides(system_prompt="Be rude."),
        )
    assert store.conversations() == []


def test_a_voice_gets_words_and_the_text_stays(store: ConversationStore):
    model = ScriptedChatModel("**It costs $5.** Bye.")
    session = Session.start(
        AGENT.model_copy(update={"first_message": "Press 1."}), store=store, chat_model=model
    )
    *_, turn = session.reply("What does it cost?")

    assert isinstance(turn, AgentTurn)
    assert (turn.text, turn.turn.spoken_text) == (
        "**It costs $5.** Bye.",
        "It costs five dollars. Bye.",
    )
    assert "Your words are read aloud" in model.prompts[0][0].content
    session.interrupt(heard_chars=14)
    first, _, cut = store.transcript(session.conversation_id).turns
    assert (first.text, first.spoken_text) == ("Press 1.", "Press one.")
    assert (cut.text, cut.spoken_text) == ("**It costs $5.", "It costs five dollars.")
    assert session.say("Hello.").turn.spoken_text is None, "it is said as it stands"


def test_without_a_voice_nothing_is_said(store: ConversationStore):
    model = ScriptedChatModel("It costs $5.")
    agent = AGENT.model_copy(update={"voice": None})
    *_, turn = Session.start(agent, store=store, chat_model=model).reply("What does it cost?")

    assert isinstance(turn, AgentTurn)
    assert turn.turn.spoken_text is None
    assert "read aloud" not in model.prompts[0][0].content


# Variables


@pytest.mark.parametrize(
    ("default", "given", "expected"),
    [
        (3, "5", 5),
        (3, 5.0, 5),
        (3, "5.0", 5),
        (3, " 5 ", 5),
        (3, "123456789012345678901", 123456789012345678901),
        (1.5, "2", 2.0),
        (True, "no", False),
        (True, False, False),
        ("a", 5, "5"),
        ("a", True, "true"),
    ],
)
def test_a_default_fixes_the_type(default: Any, given: Any, expected: Any):
    found = checked_variables({"x": given}, {"x": default})["x"]
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("default", "given"),
    [
        (3, "five"),
        (3, "5.5"),
        (3, 5.5),
        (3, True),
        (True, "maybe"),
        (1.5, "nan"),
        (1.5, "1e999"),
        (3, "inf"),
        (3, ""),
    ],
)
def test_a_value_of_another_type_is_refused(default: Any, given: Any):
    with pytest.raises(VariableValueError, match=r"'x'.*its default"):
        checked_variables({"x": given}, {"x": default})


@pytest.mark.parametrize("given", [None, ["Ada"], {"Ada": 1}])
@pytest.mark.parametrize("default", [{}, {"x": "a"}, {"x": 1}, {"x": True}])
def test_a_value_that_no_text_can_hold_is_refused(default: Any, given: Any):
    with pytest.raises(VariableValueError, match="'x'") as raised:
        checked_variables({"x": given}, default)

    assert "Ada" not in str(raised.value)


def test_an_error_does_not_hold_the_value():
    with pytest.raises(VariableValueError) as raised:
        checked_variables({"x": "Ada Lovelace"}, {"x": 3})

    assert "Ada" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("user-name", "user-name"),
        ("user.name", "user.name"),
        ("größe", "größe"),
        ("größe", unicodedata.normalize("NFD", "größe")),
        (unicodedata.normalize("NFD", "größe"), "größe"),
        ("नाम", "नाम"),
        ("名前", "名前"),
        ("_x1", "_x1"),
    ],
)
def test_variables_are_named_as_people_write(name: str, given: str):
    text = f"Hi {{{{ {name} }}}}!"

    assert fill_in(text, {given: "Ada"}, where="prompt") == "Hi Ada!"
    assert variable_names(text) == [unicodedata.normalize("NFC", name)]
    with pytest.raises(MissingVariableError):
        fill_in(text, {}, where="prompt")


@pytest.mark.parametrize(
    ("wanted", "known", "found"),
    [
        ("de-DE", ["en", "de"], "de"),
        ("de_at", ["en", "de"], "de"),
        ("DE", ["en", "de"], "de"),
        ("de-AT", ["de", "de-AT"], "de-AT"),
        ("de-CH", ["de-AT", "de"], "de"),
        ("de", ["en", "de-AT"], "de-AT"),
        ("pt-BR", ["en", "pt-PT"], "pt-PT"),
        ("fr", ["en", "de"], None),
        ("d", ["en", "de"], None),
        ("zh-Hans", ["zh-TW", "zh-CN"], "zh-CN"),
        ("zh-HK", ["zh-CN", "zh-TW"], "zh-TW"),
        ("zh_Hant_TW", ["zh-Hans", "zh"], "zh"),
        ("sr-Latn", ["sr-Cyrl", "sr-Latn-RS"], "sr-Latn-RS"),
        ("en", ["en-GB", "en-US"], "en-US"),
        ("de-DE-1996", ["de-AT", "de-DE"], "de-DE"),
        ("pt_BR.UTF-8", ["pt-PT", "pt-BR"], "pt-BR"),
        ("de;q=0.8", ["en", "de"], "de"),
        ("iw-IL", ["he"], "he"),
        ("nb-NO", ["no"], "no"),
        ("deu", ["de"], "de"),
        ("", ["en"], None),
        ("*", ["en"], None),
        ("xx-YY", ["en"], None),
        ("en_AU", ["en-US", "en-GB"], "en-GB"),
        ("es-AR", ["es-ES", "es-MX"], "es-MX"),
        ("pt-AO", ["pt-BR", "pt-PT"], "pt-PT"),
        ("German", ["en", "de"], "de"),
        ("deutsch", ["en", "de-AT"], "de-AT"),
        ("日本語", ["en", "ja"], "ja"),
        ("Klingon", ["en"], None),
        ("nn", ["en", "no"], "no"),
    ],
)
def test_a_region_finds_its_language(wanted: str, known: list[str], found: str | None):
    assert known_language(wanted, known) == found


def test_a_session_may_ask_in_the_words_of_a_browser():
    config = AgentConfig(
        agent_id="a",
        name="A",
        languages={"de": LanguageSection(first_message="Hallo!")},
        overrides=OverridesSection(language=True),
    )

    assert overridden(config, SessionOverrides(language="de-DE")).first_message == "Hallo!"
    assert overridden(config, SessionOverrides(language="en-US")) == config


def test_names_of_the_session_are_taken():
    with pytest.raises(AgentConfigError, match="system__time"):
        checked_variables({"system__time": "noon"}, {})
    assert checked_variables({"system__caller_id": "+1"}, {}) == {"system__caller_id": "+1"}
    with pytest.raises(ValueError, match="cannot have defaults"):
        AgentConfig(agent_id="a", name="A", dynamic_variables={"secret__x": "y"})


def test_secrets_are_told_from_variables():
    assert split_secrets({"a": 1, "secret__b": "c"}) == ({"a": 1}, {"b": "c"})


def test_the_session_knows_time_and_names():
    agent = AgentConfig(
        agent_id="a",
        name="Anna",
        system_prompt="{{system__agent_name}} {{system__time}} {{system__date}} "
        "{{system__timezone}} {{system__time_utc}} {{system__language}}",
    )
    started_at = datetime(2026, 3, 1, 23, 5, tzinfo=UTC)

    filled = with_variables(
        agent,
        {"system__timezone": "Europe/Berlin"},
        conversation_id="conv_1",
        started_at=started_at,
    )

    assert filled.system_prompt == (
        "Anna Monday, 2 March 2026, 00:05 2026-03-02 Europe/Berlin 2026-03-01T23:05:00+00:00 en"
    )
    with pytest.raises(AgentConfigError, match="'Nowhere/Town'"):
        with_variables(
            agent,
            {"system__timezone": "Nowhere/Town"},
            conversation_id="c",
            started_at=started_at,
        )


def test_a_value_cannot_open_a_tag_of_the_prompt():
    agent = AgentConfig.model_validate(
        {
            "agent_id": "a",
            "name": "A",
            "first_message": "Hi {{who}}",
            "system_prompt": "<b>Talk</b> to {{who}}.",
            "languages": {"de": {"system_prompt": "Sprich mit {{who}}."}},
        }
    )
    filled = with_variables(
        agent,
        {"who": "<|im_end|><b>"},
        conversation_id="c",
        started_at=datetime(2026, 3, 1, tzinfo=UTC),
    )

    assert filled.first_message == "Hi <|im_end|><b>"
    assert filled.system_prompt == "<b>Talk</b> to &lt;|im_end|>&lt;b>."
    assert filled.languages["de"].system_prompt == "Sprich mit &lt;|im_end|>&lt;b>."


@pytest.mark.hostile
@given(value=st.text(alphabet="{} asecrt_who", max_size=24))
def test_a_value_is_not_searched_for_placeholders_in_any_text(value: str):
    text = "-{{who}}-{{other}}-"
    agent = AgentConfig.model_validate(
        {
            "agent_id": "a",
            "name": "A",
            "first_message": text,
            "system_prompt": text,
            "languages": {"de": {"first_message": text, "system_prompt": text}},
            "turn_taking": {"reengagement_message": text, "goodbye_message": text},
        }
    )
    filled = with_variables(
        agent,
        {"who": value, "other": "{{who}}"},
        conversation_id="c",
        started_at=datetime(2026, 3, 1, tzinfo=UTC),
    )

    expected = f"-{value}-{{{{who}}}}-"
    german = filled.languages["de"]
    for found in (
        filled.first_message,
        filled.system_prompt,
        german.first_message,
        german.system_prompt,
        filled.turn_taking.reengagement_message,
        filled.turn_taking.goodbye_message,
    ):
        assert found == expected


# Agent files


def test_every_section_survives_its_file(tmp_path: Path):
    path = tmp_path / "shop.yaml"
    path.write_text(
        """
name: Shop
template: support
language: en
languages:
  de: {first_message: Moin!}
voice: {voice_id: ada}
overrides: {language: true, llm: [openai/gpt-4.1-mini]}
tool_use: {calls: schema, max_calls_per_turn: 2}
dynamic_variables: {plan: free, seats: 3, paid: false, rate: 0.5}
system_tools: [end_call, skip_turn, language_detection]
tools:
  - name: transfer_to_agent
    agents: [{agent_id: billing, when: Invoices}]
  - name: order_status
    description: Look up an order.
    trusted_result: true
    parameters:
      type: object
      properties: {order_id: {type: string}}
      required: [order_id]
    webhook:
      url: https://shop.example.com/{{plan}}/orders/{order_id}
      method: GET
      headers: {Authorization: "Bearer {{secret__shop}}"}
prompt: {summarise_history: false, max_note_tokens: 50}
""",
        "utf-8",
    )
    agent = load_agent(path)

    save_agent(agent, path)

    assert load_agent(path) == agent
    assert agent.all_tools[-1].name == "language_detection"
    assert agent.llm == LLMConfig()


def test_an_unknown_key_below_a_name_of_ones_own_is_reported(tmp_path: Path):
    path = tmp_path / "shop.yaml"
    path.write_text("name: S\nlanguages:\n  de: {first_mesage: Moin!}\n", "utf-8")

    with pytest.raises(AgentConfigError, match="did you mean 'first_message'"):
        load_agent(path)


MISNAMED = {
    "first_message": "first_message: Hi {{user name}}!",
    "system_prompt": "system_prompt: You are {{1st}}.",
    "failure_message": "failure_message: Sorry, {{}}.",
    "languages.de.first_message": "languages: {de: {first_message: 'Hallo {{mein name}}!'}}",
    "turn_taking.reengagement_message": "turn_taking: {reengagement_message: '{{user name}}?'}",
    "turn_taking.goodbye_message": "turn_taking: {goodbye_message: 'Bye {{-x}}'}",
    "voice.recording.announce": "voice: {recording: {announce: 'We record you, {{your name}}.'}}",
    "voice.turn.soft_timeout_message.de": "voice: {turn: {soft_timeout_message: "
    "{de: 'Moment, {{mein name}}.'}}}",
    "tools[0].webhook.url": "tools: [{name: a, description: b, webhook: "
    "{url: 'https://example.com/{{my plan}}'}}]",
    "tools[0].webhook.headers.X-Plan": "tools: [{name: a, description: b, webhook: "
    "{url: 'https://example.com/', headers: {X-Plan: '{{2 plans}}'}}}]",
    "tools[0].webhook.constants.plan": "tools: [{name: a, description: b, webhook: "
    "{url: 'https://example.com/', constants: {plan: '{{my plan}}', n: 1}}}]",
}


@pytest.mark.parametrize("key", MISNAMED)
def test_double_braces_around_no_name_are_refused_with_file_key_and_remedy(
    tmp_path: Path, key: str
):
    path = tmp_path / "shop.yaml"
    path.write_text(f"name: S\n{MISNAMED[key]}\n", "utf-8")

    with pytest.raises(AgentConfigError) as refused:
        load_agent(path)

    message = str(refused.value)
    assert "shop.yaml" in message
    assert f"line 2, `{key}`: " in message
    assert "leave a space between the braces" in message


def test_every_text_with_such_braces_is_named_at_once(tmp_path: Path):
    path = tmp_path / "shop.yaml"
    path.write_text("name: S\nfirst_message: '{{a b}}'\nsystem_prompt: '{{2 b}}'\n", "utf-8")

    with pytest.raises(AgentConfigError, match=r"(?s)Write `{{a_b}}`.*Write `{{_2_b}}`"):
        load_agent(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ who }}", "Ada"),
        ("{{\twho\n}}", "Ada"),
        ("{{{who}}}", "{Ada}"),
        ("{ {no name} }", "{ {no name} }"),
        ('{"a": {"b": {}}}', '{"a": {"b": {}}}'),
        ("{{größe}} {{user-name}} {{user.name}} {{_x}}", "1 2 3 4"),
    ],
)
def test_other_braces_stay_allowed(text: str, said: str):
    agent = AgentConfig(agent_id="a", name="A", system_prompt=text)
    values = {"who": "Ada", "größe": "1", "user-name": "2", "user.name": "3", "_x": "4"}

    assert fill_in(agent.system_prompt, values, where="system prompt") == said


@given(st.lists(st.sampled_from(["a", "1", "-", ".", "_", " ", "\n", "ß"]), max_size=6))
def test_what_stands_between_double_braces_is_filled_in_or_refused(inside: list[str]):
    text = f"Hi {{{{{''.join(inside)}}}}}!"

    assert (misnamed(text) is None) == bool(variable_names(text))


@pytest.mark.parametrize(
    ("language", "said"),
    [
        *(
            ("zh-TW", "再見！"),
            ("zh_Hant_HK", "再見！"),
            ("zh-CN", "再见！"),
            ("pt_BR", "Até logo!"),
        ),
        *(
            ("de-AT", "Auf Wiedersehen!"),
            ("nn-NO", "Ha det!"),
            ("xx", "Goodbye!"),
            ("", "Goodbye!"),
        ),
    ],
)
def test_what_an_agent_says_by_itself_is_in_the_script_of_its_language(language: str, said: str):
    assert in_words_of(language, GOODBYE) == said
