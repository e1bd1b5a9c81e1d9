"""Markdown and MDX as a reader of the rendered page sees them."""

import textwrap

import pytest

from kb.formats.pages.mdx import drop_components
from tests.kb.formats.documents import outline, parse

PAGE = """---
title: Refunds
description: How money comes back
lang: en-GB
---

# How *refunds* work

Ask **support**, see [the form](https://a.example/form) or [plans](/plans).
Second line with `code` and ![a chart](x.png).

1. Open *Settings*
   - Billing
   - Plans

     More on plans.
2. Done:

   ```sh
   refund --all
   ```

| Plan  | Price |
|-------|------:|
| Basic | 10    |

```python
x = 1

y = 2
```

> Quoted **text**

<div>Raw <b>HTML</b><br>text<script>bad()</script></div>
<!-- hidden -->
"""


def test_structure_is_kept_and_signs_are_not():
    parsed = parse(PAGE, "refunds.md")

    assert outline(parsed) == [
        "paragraph| How money comes back",
        "heading1| How refunds work",
        "paragraph| Ask support, see the form (https://a.example/form) or plans. "
        "Second line with code and a chart.",
        "list| 1. Open Settings\n   - Billing\n   - Plans\n     More on plans.\n"
        "2. Done:\n   refund --all",
        "table| Plan | Price\nBasic | 10",
        "code| x = 1\n\ny = 2",
        "paragraph| Quoted text",
        "paragraph| Raw HTML\ntext",
    ]
    assert (parsed.title, parsed.language) == ("Refunds", "en-GB")
    assert parsed.metadata["description"] == "How money comes back"


def test_components_go_and_what_they_say_stays():
    source = """
    import { Card } from '@site/card'
    export const x = 1

    Read <Tooltip tip="secret">this</Tooltip> first. {/* a comment */}

    <Steps>
      <Step title="Add a provider">
        Click **Add**:

        - **Google**: an ID
        - OIDC: a URL

        ```js
        const a = <Card title="kept" />
        ```
      </Step>
      <Step title={"Done"} icon="x">Finish it.</Step>
    </Steps>
    <Card title="Billing" href="/billing" cols={{a: 1}}>
      How money moves
    </Card>
    <img src="x.png" alt="A screenshot"/>
    Type `<YOUR_KEY>` and <br/> go. Water{' '}boils.
    """

    parsed = parse(textwrap.dedent(source), "page.mdx")

    assert outline(parsed) == [
        "paragraph| Read this first.",
        "paragraph| Add a provider",
        "paragraph| Click Add:",
        "list| - Google: an ID\n- OIDC: a URL",
        'code| const a = <Card title="kept" />',
        "paragraph| Done",
        "paragraph| Finish it.",
        "paragraph| Billing",
        "paragraph| How money moves",
        "paragraph| A screenshot",
        "paragraph| Type <YOUR_KEY> and go. Water boils.",
    ]


def test_plain_markdown_keeps_its_indented_code():
    assert outline(parse("Text\n\n    code here\n", "a.md")) == [
        "paragraph| Text",
        "code| code here",
    ]


def test_front_matter_that_is_no_yaml_is_text():
    assert "key: [unclosed" in parse("---\nkey: [unclosed\n---\n\ntext", "a.md").text


@pytest.mark.parametrize(
    "matter",
    [
        "---\ntitle: Fees\nsummary: What it costs\nauthor: {name: Ana Lind}\ndate: 2026-03-31\n"
        "tags: [keys, doors]\nlayout: post\nsidebar_position: 3\nempty:\n---\n",
        '+++\ntitle = "Fees"\nsummary = "What it costs"\nauthor = "Ana Lind"\ndate = 2026-03-31\n'
        'tags = ["keys", "doors"]\nlayout = "post"\nweight = 3\n+++\n',
    ],
)
def test_front_matter_that_sites_show_is_text_and_the_rest_is_counted(matter: str):
    parsed = parse(f"{matter}\nNine euros.\n", "a.md")

    assert parsed.title == "Fees"
    assert outline(parsed) == [
        "paragraph| What it costs",
        "paragraph| author: Ana Lind\ndate: 2026-03-31\ntags: keys, doors",
        "paragraph| Nine euros.",
    ]
    assert parsed.left_out == {"front matter": 2}


def test_code_is_never_taken_for_components():
    source = "````md\n```\n<Card/>\n```\n<Card/>\n````"

    assert drop_components(source).strip() == source


def test_a_stray_backtick_hides_no_component():
    assert drop_components("One ` here.\n\n<Card>Text</Card>\n\nTwo ` there.").split() == (
        ["One", "`", "here.", "Text", "Two", "`", "there."]
    )


def test_html_inside_a_sentence_glues_no_words():
    table = (
        "Prices: <table><tr><td>Basic</td><td>10</td></tr><tr><td>Pro</td><td>30</td></tr></table>"
    )
    terms = "See <dl><dt>Fee</dt><dd>12</dd><dt>Deposit</dt><dd>50</dd></dl>"

    assert parse(table, "a.md").text == "Prices: Basic | 10\nPro | 30"
    assert parse(terms, "a.md").text == "See Fee: 12\nDeposit: 50"


def test_items_of_a_list_in_mdx_stay_apart():
    source = "<Card/>\n\nAreas: <ul><li>North</li><li>South</li></ul>"

    assert parse(source, "a.mdx").text == "Areas: North South"


def test_raised_digits_do_not_lengthen_the_number_before_them():
    line = "Output 10<sup>3</sup> m, 2<sup>nd</sup> stage, x<sup>2</sup>, `a`<sup>1</sup>."

    for source in (line, f"{line}\n<Note>Yes.</Note>\n"):
        assert "Output 10³ m, 2nd stage, x2, a1." in parse(source, "a.md").text


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("Log in as <your-name> and wait.", "Log in as <your-name> and wait."),
        ("Run it with <file>, twice.", "Run it with <file>, twice."),
        ("<token> is what you got by mail.", "<token> is what you got by mail."),
        ("See <host>:<port>/<path>.", "See <host>:<port>/<path>."),
        ("**Set** *<Wert>* now", "Set <Wert> now"),
        ("- Use <id>\n- Go", "- Use <id>\n- Go"),
        ("# The <name> file", "The <name> file"),
        ("| a | b |\n|--|--|\n| <x-id> | 2 |", "a | b\n<x-id> | 2"),
        ("<your-name>\n\nGo.", "<your-name>\n\nGo."),
        ("A <my-badge>new</my-badge> form", "A new form"),
        ("A <b>bold</b><br>new <span>form</span>", "A bold\nnew form"),
        ("H<sub>2</sub>O and <kbd>Esc</kbd> <wbr>", "H2O and Esc"),
        (
            'See <a class=x href="https://a.example/f">the <b>form</b></a>.',
            "See the form (https://a.example/f).",
        ),
        ("See <a name=x></a>the form</a>.", "See the form."),
        ("`<your-name>` in code", "<your-name> in code"),
        ("<div>Ask <your-name> first.</div>", "Ask <your-name> first."),
    ],
)
def test_a_blank_for_the_reader_to_fill_is_text_and_a_tag_is_none(source: str, said: str):
    assert parse(source, "a.md").text == said
