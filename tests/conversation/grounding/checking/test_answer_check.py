import time

import pytest

from conversation.grounding.checking.answer_check import AnswerCheck
from kb.document import RetrievedPassage


def passage(text: str, name: str = "Prices", headings: tuple[str, ...] = ()) -> RetrievedPassage:
    return RetrievedPassage(
        document_id=f"doc_{name}",
        document_name=name,
        chunk_id=f"{name}_{len(text)}",
        text=text,
        start_char=0,
        end_char=len(text),
        heading_path=headings,
        page=None,
        score=0.5,
        rank=1,
    )


PRICES = passage(
    "Prices\n\nPlan | Price | Users | SSO\nBasic | $10 | 5 | no\nPro | $20 | 25 | yes\n"
    "Pro Plus | $45 | 100 | yes"
)
LABELLED = passage(
    "Code: P-1 | Name: Long screw | Price: €3.50 | Weight: 4 kg\n"
    "Code: P-17 | Name: Short screw | Price: €4.50 | Weight: 3 kg",
    "Catalogue",
)
TRANSPOSED = passage("Feature | Basic | Pro\nPrice | $10 | $20\nStorage | 5 GB | 50 GB", "Matrix")
HOURS = passage(
    "Day | Hours\nMonday–Friday | 9:00–18:00\nSaturday | 10:00–14:00\nSunday | closed", "Hours"
)
HOURS_DE = passage("Mo.–Fr. | 9–18 Uhr\nSa. | 10–14 Uhr", "Öffnungszeiten")
PROSE = passage(
    "Refunds are paid within 14 days. Shipping costs 5 euros. A parcel weighs up to 30 kg. "
    "The shop was opened by Ann Lee on 5 March 2021.",
    "Terms",
)
LINKED = passage("The page opens on http://127.0.0.1:3000. Another port may be set.", "UI")
NETWORKS = passage("An agent may name 10.1.0.0/16, and the model haiku-4-5. Support helps.", "Net")
JAPANESE = passage("プラン | 料金\nプロ | 2,000円\nベーシック | 1,000円", "料金")
ARABIC = passage("الخطة | السعر\nالأساسية | ١٠ دولار\nالمتقدمة | ٢٠ دولار", "الأسعار")

RIGHT = [
    (PRICES, "What does Pro cost?", "Pro costs $20 per month."),
    (PRICES, "What does Pro cost?", "It is 20 dollars."),
    (PRICES, "What does Pro cost?", "The Basic plan costs $10, and Pro costs $20."),
    (PRICES, "And for Pro Plus?", "It costs $45."),
    (PRICES, "How many users can Pro have?", "Pro allows 25 users for $20."),
    (PRICES, "Does Basic have SSO?", "No, Basic has no SSO."),
    (PRICES, "Is Pro $30?", "No, Pro is not $30, it is $20."),
    (LABELLED, "What does P-17 cost?", "P-17 costs €4.50."),
    (LABELLED, "How heavy is the long screw?", "It weighs 4 kg."),
    (TRANSPOSED, "How much storage does Pro have?", "Pro has 50 GB."),
    (HOURS, "Are you open on Wednesday?", "Yes, from 9 am to 6 pm."),
    (HOURS, "When do you open on Saturday?", "On Saturday we open at 10 am and close at 2 pm."),
    (HOURS, "Are you open on Sunday?", "No, we are closed on Sunday."),
    (HOURS_DE, "Habt ihr am Mittwoch auf?", "Ja, von 9 bis 18 Uhr."),
    (PROSE, "How long does a refund take?", "Refunds are paid within 14 days."),
    (PROSE, "How long does a refund take?", "It takes fourteen days."),
    (PROSE, "Who opened the shop?", "Ann Lee opened it on March 5, 2021."),
    (PROSE, "Who opened the shop?", "It was opened on 2021-03-05."),
    (PROSE, "Do you sell bread?", "I don't know. The passages do not mention $3 bread."),
    (LINKED, "Which port is it?", "It uses port 3000."),
    (JAPANESE, "プロの料金は?", "プロは2,000円です。"),
    (ARABIC, "كم سعر المتقدمة؟", "سعر المتقدمة 20 دولار"),
]
WRONG = [
    (PRICES, "What does Pro cost?", "Pro costs $10 per month."),
    (PRICES, "What does Pro cost?", "The plan costs $10 per month."),
    (PRICES, "What does Pro Plus cost?", "It costs $20 per month."),
    (PRICES, "What does Pro cost?", "Pro costs €20."),
    (PRICES, "What does Pro cost?", "Pro costs $20.50."),
    (PRICES, "What does Pro cost?", "Pro costs twenty-five dollars."),
    (PRICES, "How many users can Pro have?", "Pro allows 20 users."),
    (PRICES, "Does Basic have SSO?", "Yes, Basic includes SSO."),
    (PRICES, "Is Pro $30?", "Yes, Pro is $30."),
    (LABELLED, "What does P-17 cost?", "P-17 costs €3.50."),
    (LABELLED, "What does P-1 cost?", "P-1 costs €4.50."),
    (LABELLED, "How heavy is the long screw?", "It weighs 3 kg."),
    (TRANSPOSED, "How much storage does Pro have?", "Pro has 5 GB."),
    (TRANSPOSED, "What does Basic cost?", "Basic costs $20."),
    (HOURS, "Are you open on Wednesday?", "Yes, from 10 am to 2 pm."),
    (HOURS, "When do you open on Saturday?", "On Saturday we open at 9:00."),
    (HOURS, "Are you open on Sunday?", "Yes, we are open from 9 to 18."),
    (HOURS, "Are you open on Sunday?", "Yes, we are."),
    (HOURS_DE, "Habt ihr am Mittwoch auf?", "Ja, von 10 bis 14 Uhr."),
    (PROSE, "How long does a refund take?", "Refunds are paid within 30 days."),
    (PROSE, "How heavy may a parcel be?", "Up to 14 kg."),
    (PROSE, "Who opened the shop?", "The shop was opened by Bob Lee."),
    (PROSE, "When was the shop opened?", "On March 6, 2021."),
    (PROSE, "Where do I write?", "Write to help@example.org."),
    (NETWORKS, "What does support cost?", "It costs $10."),
    (NETWORKS, "How many agents can run?", "Up to four agents can run."),
    (PROSE, "What does support cost?", "A yearly contract costs $100."),
    (JAPANESE, "プロの料金は?", "プロは1,000円です。"),
    (ARABIC, "كم سعر المتقدمة؟", "سعر المتقدمة 10 دولار"),
]
LANGUAGES = {HOURS_DE.chunk_id: "de", JAPANESE.chunk_id: "ja", ARABIC.chunk_id: "ar"}


def is_said(source: RetrievedPassage, asked: str, answer: str) -> bool:
    others = () if source in (JAPANESE, ARABIC) else (PROSE, HOURS)
    check = AnswerCheck(
        (source, *(each for each in others if each is not source)),
        asked,
        language=LANGUAGES.get(source.chunk_id, "en"),
    )
    return check.is_stated(answer, 0, len(answer)) and check.says_the_cell(answer)


@pytest.mark.parametrize(("source", "asked", "answer"), RIGHT)
def test_what_stands_in_the_row_that_is_named_may_be_said(
    source: RetrievedPassage, asked: str, answer: str
):
    assert is_said(source, asked, answer)


@pytest.mark.parametrize(("source", "asked", "answer"), WRONG)
def test_what_stands_in_another_row_or_nowhere_may_not(
    source: RetrievedPassage, asked: str, answer: str
):
    assert not is_said(source, asked, answer)


def test_the_agent_may_state_what_whoever_runs_it_told_it():
    told = "Our number is +49 30 1234567. Support costs $5 a month. Ask for Ms Tessmer."
    check = AnswerCheck((PROSE,), "How do I reach you?", own_words=told)
    answer = "Call +49 30 1234567 and ask for Ms Tessmer; it costs $5."

    assert check.is_stated(answer, 0, len(answer))
    assert not AnswerCheck((PROSE,), "How do I reach you?").is_stated(answer, 0, len(answer))


def test_the_row_of_a_follow_up_is_that_of_the_turn_before():
    check = AnswerCheck((PRICES,), "How much is it?", earlier="Tell me about Pro Plus.")

    assert check.is_stated("It costs $45.", 0, 13)
    assert not check.is_stated("It costs $20.", 0, 13)


def test_a_long_answer_about_many_rows_is_checked_quickly():
    rows = "\n".join(f"Code: K-{n} | Price: ${n}.50 | Weight: {n} kg" for n in range(400))
    check = AnswerCheck((passage(rows),), "What do K-7 and K-8 cost?")
    answer = " ".join(f"K-{n} costs ${n}.50." for n in range(20))

    began_s = time.process_time()
    assert check.is_stated(answer, 0, len(answer))
    assert time.process_time() - began_s < 3
