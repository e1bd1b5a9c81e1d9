"""What a field asks for, by its description: it decides how a judge is asked to stand by a value.

"The user asked for, chose or agreed to this" fits a booking; a phone number is told, not chosen.
"""

import re

from analysis.judge.prompts import FieldKind
from conversation.agent.criteria import DataCollectionField

MAX_CLASSES = 8
"""Of an enum, up to which each is asked for alone."""
_AGENTS = re.compile(
    r"\b(?:(?:agent|assistant|representative|operator|advisor|we)\s+(?:\w+\s+)?(?:said|told|quoted|"
    r"promised|offered|gave|named|stated|announced|confirmed|suggested|recommended|proposed|"
    r"says|tells|quotes|promises|offers|gives|names|states|confirms|suggests|proposes)|"
    r"(?:promised|quoted|offered|given|named|suggested|proposed|stated|confirmed)\s+by\s+(?:the\s+)?"
    r"(?:agent|assistant|representative|operator|advisor|us))\b",
    re.IGNORECASE,
)
_AGREEMENT = re.compile(
    r"\b(?:agree[sd]?|accept(?:s|ed)?|consent(?:s|ed)?|declin(?:es?|ed)|refuse[sd]?|approve[sd]?)\b",
    re.IGNORECASE,
)
_WISH = re.compile(
    r"\b(?:want(?:s|ed)?|wish(?:es|ed)?|order(?:s|ed)?|book(?:s|ed|ing)?|reserv\w*|request(?:s|ed)?|"
    r"prefer\w*|choos\w+|chose|chosen|would\s+like|asks?\s+for|asked\s+for|interested\s+in|to\s+be)\b",
    re.IGNORECASE,
)
_FACT = re.compile(
    r"\b(?:(?:user|caller|customer|client|patient|guest|person|visitor)(?:['\u2019]s|s['\u2019])|"
    r"(?:user|caller|customer|client|patient|guest|they)\s+(?:has|have|had|is|are|was|were|lives?|"
    r"paid|pays|was\s+charged|owns?|uses?|works?|suffers?|expected|reports?|reported|names?|gives?|"
    r"gave|said|told)|their\s+(?:own\s+)?(?:name|phone|number|address|e-?mail|age|birth\w*)|"
    r"was\s+charged|were\s+charged|charged|expected|whether\s+(?:the\s+)?(?:user|caller|customer|"
    r"they|there|it|somebody|someone|anybody)|how\s+old|date\s+of\s+birth|symptoms?|allerg\w+|already)\b"
    r"|\b(?:of|with)\s+the\s+(?:user|caller|customer|client|patient)\b"
    r"|^\W*(?:contact\s+)?(?:phone|mobile|e-?mail)(?:\s+(?:number|address))?\W*$",
    re.IGNORECASE,
)


def kind_of_field(field: DataCollectionField) -> FieldKind:
    """Return what a field asks for: a fact, a wish, an agreement, or what the agent said.

    A description that tells none of them is read as a wish, as most fields of bookings are.
    """
    told = field.description
    if _AGENTS.search(told):
        return "agents_statement"
    if _AGREEMENT.search(told):
        return "agreement"
    if _WISH.search(told):
        return "wish"
    return "fact" if _FACT.search(told) else "wish"
