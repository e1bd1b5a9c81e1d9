"""A criterion of a conversation that its judge cannot read at once: windows asked, then one answer.

What the windows' answers mean together depends on the criterion. "The agent never gives account
data ..." fails on any window that shows a failure, "the agent offered it at least once" succeeds on
any that shows a success. Everything else is judged once more, on the findings of all windows.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from analysis.judge.asking import Question
from analysis.judge.judgments import Judgment, contradiction_of
from analysis.judge.prompts import PART_NOTES, Prompt, findings_prompt, prompt
from analysis.judge.windows import Window, escape_tags
from analysis.results import WindowFinding
from conversation.agent.criteria import Criterion, Reach

AskWindow = Callable[[Prompt], Question[Judgment]]
"""Puts the criterion about what the prompt shows."""

_FINDING_CHARS = 300

_THROUGHOUT = re.compile(
    r"\b(?:never|always|throughout|at\s+no\s+(?:point|time)|not\s+once|at\s+all\s+times|every\s+time"
    r"|nie(?:mals)?|immer|stets|jederzeit|zu\s+keiner\s+zeit|zu\s+keinem\s+zeitpunkt|durchgehend"
    r"|jedes\s+mal|jamais|toujours|à\s+aucun\s+moment|en\s+aucun\s+cas|à\s+chaque\s+fois"
    r"|nunca|jamás|siempre|en\s+ningún\s+momento|cada\s+vez|sempre|mai|in\s+nessun\s+momento"
    r"|jamais|em\s+nenhum\s+momento|nooit|altijd|te\s+allen\s+tijde|op\s+geen\s+enkel\s+moment"
    r"|nigdy|zawsze|aldrig|alltid|asla|hiçbir\s+zaman|her\s+zaman|daima|никогда|всегда|ніколи"
    r"|завжди|ποτέ|πάντα)\b"
    r"|从不|从未|絕不|绝不|永不|从来没有|始终|始終|总是|總是|每次|一度も|決して|常に|必ず|いつも"
    r"|절대|결코|항상|언제나|한\s*번도|कभी\s+नहीं|हमेशा|أبدا|أبدًا|دائما|دائمًا|ไม่เคย|เสมอ"
    r"|\A\W*(?:the\s+)?(?:agent|assistant|bot)\s+(?:(?:do|does|did|must|may|should|will|is|was|can|"
    r"could)\s*(?:not|n['\u2019]t)|cannot|avoids?|avoided|refrain(?:s|ed)?|remain(?:s|ed)?|stay(?:s|ed)?|"
    r"keeps|kept)\b"
    r"|\A\W*(?:nothing|no\s+(?!question|request|issue|problem|need)[^\W\d_]+(?:\s+[^\W\d_]+){0,3}\s+(?:is|are|was|were))\b"
    r"|\b(?:under\s+no\s+circumstances|at\s+no\s+(?:stage|moment)|(?:the\s+)?(?:whole|entire)\s+"
    r"(?:time|call|conversation|chat))\b"
    r"|\A\W*(?:der|die|das|ein)?\s*(?:ki-)?(?:agent|assistent|bot)(?:in)?\s+(?:[^\W\d_]+\s+){1,3}"
    r"(?:nicht|kein(?:e[nrms]?)?)\b"
    r"|\A\W*l['\u2019](?:agent|assistante?)\s+n(?:e\s|['\u2019])"
    r"|\A\W*(?:el|la)\s+(?:agente|asistente)\s+no\b|\A\W*(?:l['\u2019]agente|l['\u2019]assistente)\s+non\b"
    r"|\A\W*[oa]\s+(?:agente|assistente)\s+não\b"
    r"|\A\W*de\s+(?:agent|assistent)\s+(?:[^\W\d_]+\s+){1,3}(?:niet|geen)\b"
    r"|\A(?:客服|助手|代理|机器人)(?:没有|沒有|不)",
    re.IGNORECASE,
)
_ONCE = re.compile(
    r"\b(?:at\s+least\s+(?:once|one\s+time)|at\s+(?:some|any)\s+(?:point|time)|even\s+once"
    r"|(?:mindestens|wenigstens|zumindest)\s+ein\s*mal|irgendwann|au\s+moins\s+une\s+fois"
    r"|à\s+un\s+moment|al\s+menos\s+una\s+vez|por\s+lo\s+menos\s+una\s+vez|en\s+algún\s+momento"
    r"|almeno\s+una\s+volta|pelo\s+menos\s+uma\s+vez|(?:minstens|tenminste)\s+(?:één|een)\s+"
    r"(?:keer|maal)|(?:przynajmniej|co\s+najmniej)\s+raz|minst\s+en\s+gång|en\s+az\s+bir\s+kez"
    r"|хотя\s+бы\s+(?:один\s+)?раз|принаймні\s+раз)\b"
    r"|至少一次|至少一遍|少なくとも一度|少なくとも1回|적어도\s*한\s*번|कम\s+से\s+कम\s+एक\s+बार"
    r"|مرة\s+واحدة\s+على\s+الأقل|อย่างน้อยหนึ่งครั้ง",
    re.IGNORECASE,
)
"""Quantifiers are a closed class of words; where a criterion has none that is known, or both kinds,
its windows are judged together, which is right for these as well."""
_CLAUSE_BORDER = re.compile(
    r"[.,;:!?\u3002\u3001\uff0c\uff1b]|\s(?:and|but|und|aber|et|mais|y|pero|e|ma|mas|maar|i|ale|och)\s"
)


@dataclass(frozen=True, slots=True)
class _Found:
    """Two that belong together for as long as a conversation is judged."""

    window: Window
    judgment: Judgment


def reach_of(criterion: Criterion) -> Reach:
    """Return what the windows' answers mean together: as the criterion says, or by its words."""
    if criterion.holds is not None:
        return criterion.holds
    if criterion.scale is not None:
        return "overall"
    # "The problem was solved, and the agent was always polite" asks for more than the second half.
    clause = _CLAUSE_BORDER.split(criterion.prompt.strip(), maxsplit=1)[0]
    throughout, once = _THROUGHOUT.search(clause), _ONCE.search(criterion.prompt)
    if bool(throughout) == bool(once):
        return "overall"
    return "throughout" if throughout else "once"


def judge_windows(
    criterion: Criterion, windows: Sequence[Window], ask: AskWindow
) -> Question[Judgment]:
    """Judge each window, and return what they come to together.

    Args:
        criterion: What is asked.
        windows: At least one; a single one is asked and nothing else.
        ask: Puts the criterion about one prompt.

    Raises:
        ModelError: The judge failed, or answered twice in a form that cannot be used.
    """
    if len(windows) == 1:
        return (yield from ask(partial(prompt, windows[0])))
    reach = reach_of(criterion)
    found: list[_Found] = []
    for window in windows:
        shown = partial(prompt, window, note=PART_NOTES[reach])
        found.append(_Found(window, (yield from ask(shown))))
    if reach == "overall":
        together = yield from ask(partial(findings_prompt, _findings(found)))
        judgment = _with_words_of_windows(together, found)
    else:
        judgment = merged(found, decisive="failure" if reach == "throughout" else "success")
    doubted = contradiction_of([judgment, *(each.judgment for each in found)])
    return replace(judgment, windows=tuple(map(_record, found)), contradiction=doubted)


def merged(found: Sequence[_Found], *, decisive: str) -> Judgment:
    """Return `decisive` where any window says it, else the other verdict, else unknown.

    Of several windows that say it the surest speaks, of equally sure ones the first.
    """
    told = [each for each in found if each.judgment.verdict == decisive]
    others = [each for each in found if each.judgment.verdict not in (decisive, "unknown", None)]
    chosen = max(told or others or found, key=_certainty)
    confidences = [
        each.judgment.confidence for each in found if each.judgment.confidence is not None
    ]
    extreme = min if decisive == "failure" else max
    judgment = replace(
        chosen.judgment,
        confidence=extreme(confidences) if confidences else None,
        unsupported_quotes=_unsupported(found),
    )
    return _located(judgment, chosen.window) if told else judgment


def _located(judgment: Judgment, window: Window) -> Judgment:
    where = f"Turns {window.first_turn} to {window.last_turn}: "
    return replace(judgment, rationale=f"{where}{judgment.rationale or 'shown there.'}")


def _with_words_of_windows(judgment: Judgment, found: Sequence[_Found]) -> Judgment:
    """Stand the evidence of windows that said the same beside an answer that quotes none."""
    same = [each for each in found if each.judgment.verdict == judgment.verdict]
    evidence = tuple(
        dict.fromkeys(quote for each in same or found for quote in each.judgment.evidence)
    )
    return replace(
        judgment,
        evidence=judgment.evidence or evidence,
        unsupported_quotes=(*judgment.unsupported_quotes, *_unsupported(found)),
    )


def _findings(found: Sequence[_Found]) -> str:
    return "\n".join(map(_finding_line, found))


def _finding_line(found: _Found) -> str:
    judgment, window = found.judgment, found.window
    said = judgment.verdict if judgment.score is None else f"{judgment.score:g}"
    parts = [f"turns {window.first_turn} to {window.last_turn}: {said}"]
    if judgment.rationale:
        parts.append(escape_tags(judgment.rationale)[:_FINDING_CHARS])
    parts += [
        f'[{quote.turn_index}] "{escape_tags(quote.quote)[:_FINDING_CHARS]}"'
        for quote in judgment.evidence
    ]
    return "; ".join(parts)


def _record(found: _Found) -> WindowFinding:
    judgment = found.judgment
    return WindowFinding(
        first_turn=found.window.first_turn,
        last_turn=found.window.last_turn,
        verdict=judgment.verdict,
        score=judgment.score,
        confidence=judgment.confidence,
        rationale=judgment.rationale,
    )


def _unsupported(found: Sequence[_Found]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(quote for each in found for quote in each.judgment.unsupported_quotes)
    )


def _certainty(found: _Found) -> float:
    confidence = found.judgment.confidence
    return 0.0 if confidence is None else abs(confidence - 0.5)
