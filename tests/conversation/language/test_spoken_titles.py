import pytest

from conversation.language.spoken_text import SpokenStream, spoken_form
from conversation.language.spoken_titles import DocumentLabel, SpokenTitles, spoken_title
from conversation.voice.turns.first_words import SpokenTurn
from tests.growth import growth

KNOWN = SpokenTitles(
    [
        DocumentLabel("knowledge-base.html", ("Limits", 'Agents & "voices"')),
        DocumentLabel("01_Terms_v2.pdf"),
        DocumentLabel("README.md", ("Install",)),
        DocumentLabel("https://docs.example.com/help/returns-policy"),
        DocumentLabel("guide/returnsPolicy.docx"),
        DocumentLabel("config.yaml"),
    ]
)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("knowledge-base.html", "knowledge base"),
        ("returns_policy.pdf", "returns policy"),
        ("guide/returnsPolicy.docx", "returns Policy"),
        ("01-getting-started.md", "getting started"),
        ("2024.pdf", "2024"),
        ("Annual report 2024.pdf", "Annual report 2024"),
        ("https://example.com/help/returns-policy", "returns policy"),
        ("https://example.com/help/Zahlungs%C3%BCbersicht.html", "Zahlungs\u00fcbersicht"),
        ("https://example.com/", "example com"),
        ("Rückgabe-Regeln.pdf", "Rückgabe Regeln"),
        ("FAQ", "FAQ"),
        ("C:\\docs\\price-list.xlsx", "price list"),
        ("version 1.2 notes.txt", "version 1.2 notes"),
        ("...", "..."),
    ],
)
def test_a_document_is_called_by_its_title(name: str, title: str):
    assert spoken_title(name) == title


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "knowledge-base.html > Limits > Agents & 'voices' says: Ten agents.",
            'knowledge base, Limits, Agents and "voices" says: Ten agents.',
        ),
        ("**knowledge-base.html** says so.", "knowledge base says so."),
        ("In `knowledge-base.html` it stands.", "In knowledge base it stands."),
        (
            "See 01_Terms_v2.pdf and README.md > Install.",
            "See Terms version two and README, Install.",
        ),
        ("It stands in config.yaml.", "It stands in config."),
        (
            "See https://docs.example.com/help/returns-policy.",
            "See returns policy.",
        ),
        ("guide/returnsPolicy.docx says no.", "returns Policy says no."),
        # A longer name that begins with a known one is another name.
        ("my-config.yaml", "my dash config dot yaml"),
        ("config.yaml.bak", "config dot yaml.bak"),
    ],
)
def test_names_of_documents_that_are_known_are_said_as_titles(text: str, expected: str):
    assert spoken_form(text, "en", titles=KNOWN) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See knowledge-base.html for more.", "See knowledge base for more."),
        ("See terms_of_use.pdf, please.", "See terms of use, please."),
        # Every sign of these may matter.
        ("Edit config.yaml", "Edit config dot yaml"),
        ("Open index.html", "Open index dot html"),
        ("Edit data/agents/support.yaml", "Edit data slash agents slash support dot yaml"),
        ("Mail a-b.pdf@example.com", "Mail a dash b dot pdf at example dot com"),
        # Ways through menus, and comparisons.
        ("Go to Settings > Privacy > Export data.", "Go to Settings, Privacy, Export data."),
        ('Open "Settings" > "Privacy".', 'Open "Settings", "Privacy".'),
        ("Open **Settings** > **Privacy**.", "Open Settings, Privacy."),
        ("Open Settings \u203a Privacy.", "Open Settings, Privacy."),
        ("if x > y, stop", "if x greater than y, stop"),
        ("if the total > limit", "if the total greater than limit"),
        ("5 > 3", "five greater than three"),
    ],
)
def test_others_only_when_they_are_plainly_those_of_a_document(text: str, expected: str):
    assert spoken_form(text, "en") == expected


def test_titles_are_said_in_every_language():
    titles = SpokenTitles([DocumentLabel("Rückgabe-Regeln.pdf", ("Fristen",))])

    assert (
        spoken_form("Siehe Rückgabe-Regeln.pdf > Fristen: 30 Tage.", "de", titles=titles)
        == "Siehe Rückgabe Regeln, Fristen: 30 Tage."
    )


@pytest.mark.parametrize("size", [1, 3, 7, 200])
def test_how_a_text_comes_in_changes_nothing(size: int):
    text = "knowledge-base.html > Limits says: Ten. See README.md > Install, or ask us."
    for stream in (SpokenStream("en", titles=KNOWN), SpokenTurn("en", titles=KNOWN)):
        pieces = [
            piece
            for start in range(0, len(text), size)
            for piece in stream.feed(text[start : start + size])
        ]
        pieces += stream.finish()
        said = " ".join(piece.text for piece in pieces)

        assert said == "knowledge base, Limits says: Ten. See README, Install, or ask us."
        assert pieces[-1].end_char == len(text)


@pytest.mark.hostile
@pytest.mark.parametrize("piece", ["a", "a-", "a_", "a.", "A > ", "> ", "a > A ", ".pdf", "config"])
def test_time_grows_with_the_length(piece: str):
    assert growth(lambda text: spoken_form(text, "en", titles=KNOWN), piece) < 7
