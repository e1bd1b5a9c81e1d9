"""Which of two pronunciations a word has: "they record a record". Pure.

The words before and after it tell, of which only the closed classes of English are known: what
they leave open is read as it is read most often.
"""

from collections.abc import Sequence

from conversation.voice.speaking.english.lexicon import Variants


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_DETERMINERS = _set(
    "the a an this that these those my your his her its our their no some any each every another "
    "either neither both which what whose one two three four five six seven eight nine ten "
    "several many few more most other such all"
)
_PREPOSITIONS = _set(
    "of in for with on at from by about into onto without within per under over between against "
    "during after before through via as than like"
)
_BE = _set(
    "am is are was were be been being isn't aren't wasn't weren't i'm you're we're they're he's "
    "she's it's that's there's feel feels seem seems"
)
_HAVE = _set(
    "have has had having haven't hasn't hadn't i've you've we've they've who've could've "
    "should've would've i'd"
)
_BEFORE_A_VERB = _set(
    "to will would can could should may might must shall do does did don't doesn't didn't can't "
    "cannot couldn't won't wouldn't shouldn't mustn't i'll you'll he'll she'll it'll we'll they'll "
    "that'll please let's let's lets i you we they who"
)
_SINGULAR_SUBJECTS = frozenset(("he", "she", "it", "that", "which", "who"))
_OBJECTS = _set("it them me us him you")
_ADVERBS = _set("not always never also only just still already often now then ever")
_PAST = frozenset(("yesterday", "ago", "last"))
_CLOSED = (
    _DETERMINERS | _PREPOSITIONS | _BE | _HAVE | _BEFORE_A_VERB | _OBJECTS
    | _set("and or but if when while because so")
)  # fmt: skip


def chosen(variants: Variants, words: Sequence[str], at: int) -> str | None:
    """The pronunciation of the word at `at`; None when it is read letter by letter.

    Args:
        variants: Its pronunciations.
        words: All words between two pauses, in small letters.
        at: Position of the word.
    """
    if len(variants) == 1:
        return variants["DEFAULT"]
    if "None" in variants and at == len(words) - 1:
        return variants["None"]
    if "DT" in variants:
        # "that": stressed when it points at something, not when it opens a clause.
        follows = words[at + 1] if at + 1 < len(words) else ""
        return variants["DEFAULT" if follows in _CLOSED else "DT"] if at else variants["DT"]
    for tag in _candidates(variants, words, at):
        if tag in variants:
            return variants[tag]
    return variants["DEFAULT"]


def _candidates(variants: Variants, words: Sequence[str], at: int) -> tuple[str, ...]:
    """Parts of speech that the neighbours allow, likeliest first; none leaves it open."""
    before, after = _before(words, at), words[at + 1] if at + 1 < len(words) else ""
    if after == "to" and "VBD" in variants and before not in _BE and "VBN" not in variants:
        return ("VBD",)
    if before in _HAVE:
        return ("VBN", "VERB")
    if before in _BE:
        return ("VBN", "ADJ")
    if before in _BEFORE_A_VERB or (before in _SINGULAR_SUBJECTS and words[at].endswith("s")):
        return ("VBD",) * bool(_PAST.intersection(words[at + 1 : at + 9])) + ("VERB",)
    if before in _DETERMINERS or before in _PREPOSITIONS:
        return _in_noun_phrase(variants, after)
    if after in _DETERMINERS or after in _OBJECTS:
        return ("VERB",)
    if before and before not in _CLOSED:
        return ("VERB",) if _agrees(before, words[at], after) else _in_noun_phrase(variants, after)
    return ()


def _before(words: Sequence[str], at: int) -> str:
    """The word before, beyond adverbs."""
    for word in reversed(words[max(0, at - 3) : at]):
        if word not in _ADVERBS and not (word.endswith("ly") and len(word) > 4):
            return word
    return ""


def _in_noun_phrase(variants: Variants, after: str) -> tuple[str, ...]:
    """A noun, or what stands before one."""
    if after and after not in _CLOSED:
        if "ADJ" in variants:
            return ("ADJ",)
        # "close": noun and verb sound alike, so that what is left is the adjective.
        if "NOUN" in variants and variants["NOUN"] == variants.get("VERB"):
            return ("DEFAULT",)
    return ("NOUN",)


def _agrees(before: str, word: str, after: str) -> bool:
    """Whether "users live in" or "Anna lives in": a subject and its verb have one `s` in all."""
    plural = before.endswith("s") and not before.endswith("ss")
    return after in _PREPOSITIONS and (plural or before == "people") != word.endswith("s")
