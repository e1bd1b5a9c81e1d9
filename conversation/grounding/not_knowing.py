# ruff: noqa: E501, RUF001 (patterns; other scripts have letters that look like Latin ones)
"""Words that say that an answer is not known, in the languages that agents speak. Pure."""

import re
from functools import lru_cache

from conversation.language.telling_words import plain_quotes

_NOT = r"(?:\s+not|n't)"
_UNKNOWING = re.compile(
    rf"\b(?:i|we)\s+(?:do|did|could|can){_NOT}\s+(?:\w+\s+)?(?:know|find|see|say|tell|answer)\b"
    rf"|\b(?:i|we)\s+(?:do|did){_NOT}\s+have\s+(?:\w+\s+){{0,3}}(?:information|details?|answer)\b"
    rf"|\b(?:i|we)\s+cannot\s+(?:find|see|say|tell|answer|confirm)\b"
    rf"|\b(?:i'm|i am|we're|we are)\s+(?:not\s+(?:sure|certain|aware|able)|unable)\b"
    r"|\b(?:documents?|documentation|passages?|information|text|context|sources?)\b[^.!?]{0,40}?"
    rf"\b(?:do|does|did){_NOT}\s+(?:\w+\s+)?"
    r"(?:mention|specif|provide|contain|say|state|include|cover|address|answer|have|give|list)"
    r"|\b(?:is|'s|have|has|found|find|see)\s+no\s+(?:\w+\s+)?(?:information|mention|details?|answer)\b"
    r"|\b(?:documents?|documentation|passages?|information|text|context|sources?|i|we)\s+"
    r"(?:say|says|have|has|hold|holds|contain|contains|mention|mentions|know|find|found)\s+nothing\b"
    r"|\bno\s+(?:sentence|passage|document)\b[^.!?]{0,30}\b(?:fits|matches|says|answers)\b"
    r"|\bnot\s+(?:mentioned|specified|provided|covered|stated|answered)\s+(?:in|by)\s+the\b",
    re.IGNORECASE,
)


_IN_OTHERS = (
    # Of each language: somebody does not know, find or tell; the documents do not say it; there
    # is no word of it.
    r"لا (?:أعرف|أعلم|أدري|نعرف|نعلم|يمكنني (?:العثور|الإجابة))|لم (?:أجد|أعثر|نجد|يرد|يذكر|تذكر)"
    r"|لا (?:توجد|تتوفر|يوجد) (?:\w+ )?(?:معلومات|إجابة)|لا تذكر الوثائق",
    r"\b(?:nevím|nevíme|nenašel|nenašla|nenalezl\w*|nemohu (?:najít|odpovědět|říci))\b"
    r"|\b(?:dokument\w*|text\w*|podklad\w*)\b[^.!?]{0,40}\b(?:neuvád\w+|neobsahuj\w+|nezmiňuj\w+)"
    r"|\bnení (?:v \w+ )?(?:uveden\w+|zmíněn\w+)|\bžádné informace\b",
    r"\b(?:jeg|vi|det) (?:ved|veit|vet)\b[^.!?]{0,20}\bikke\b|\b(?:jeg|vi) (?:kan|kunne) (?:\w+ ){0,3}"
    r"ikke (?:finde|finne|svare|sige|si)\b"
    r"|\b(?:ved|vet|finder|finner) (?:jeg|vi) (?:det )?ikke\b"
    r"|\b(?:dokument\w*|tekst\w*)\b[^.!?]{0,40}\b(?:nævner|nevner|siger|sier|indeholder"
    r"|inneholder)\b[^.!?]{0,20}\b(?:ikke|ingen|intet)\b|\bingen (?:oplysninger|opplysninger"
    r"|information\w*|informasjon)\b",
    r"\b(?:weiß|weiss) (?:ich|wir) (?:\w+ ){0,3}nicht\b|\b(?:ich|wir) (?:weiß|weiss|wissen)\b"
    r"[^.!?]{0,25}\bnicht\b|\b(?:kann|können) (?:ich|wir)\b[^.!?]{0,60}\bnicht (?:sagen|finden"
    r"|beantworten|entnehmen)\b|\b(?:habe|haben) (?:ich|wir)\b[^.!?]{0,60}\b(?:nichts"
    r"|keine\w*)\b[^.!?]{0,40}\b(?:gefunden|angaben?|informationen)\b|\b(?:ich|wir) (?:kann|können|konnte|konnten|habe|haben)\b"
    r"[^.!?]{0,60}\b(?:nicht|nichts|keine\w*)\b[^.!?]{0,40}\b(?:sagen|gefunden|finden|beantworten"
    r"|angaben?|informationen)\b|\b(?:dokument\w*|unterlage\w*|text\w*|quelle\w*|passage\w*)\b"
    r"[^.!?]{0,50}\b(?:steht|stehen|enthalten|enthält|nennt|nennen|sagen|sagt|finde\w*|erwähn\w+)\b"
    r"[^.!?]{0,40}\b(?:nicht|nichts|keine\w*)\b|\bkeine (?:angaben?|informationen|auskunft)\b"
    r"|\bnicht (?:bekannt|angegeben|erwähnt|aufgeführt)\b",
    r"\bno (?:lo )?(?:sé|sabemos)\b|\bno (?:puedo|podemos|he podido|pude) (?:\w+ )?(?:encontrar|decir"
    r"|responder|contestar|saber)|\bno (?:encuentro|encontré|he encontrado|dispongo de|tengo"
    r" información|hay información)\b|\b(?:documentos?|textos?|fuentes?|pasajes?)\b[^.!?]{0,30}"
    r"\bno (?:\w+ )?(?:menciona|dice|contiene|indica|especifica|incluye|figura)\w*"
    r"|\bno se (?:menciona|indica|especifica|dice)\w*",
    r"\b(?:en|emme) (?:tiedä|löydä|löytänyt|osaa sanoa|voi (?:sanoa|vastata))\b|\b(?:asiakirj\w*"
    r"|dokument\w*)\b[^.!?]{0,30}\b(?:ei|eivät) (?:mainit\w*|kerro|sisällä)|\bei (?:löydy|ole)"
    r" (?:tieto\w*|mainintaa)\b",
    r"\b(?:je|nous|j') ?(?:ne |n')(?:le |la )?(?:sais|savons|peux|pouvons|trouve|trouvons|ai|avons"
    r"|dispose|disposons)\b[^.!?]{0,20}\b(?:pas|aucune?|rien)\b|\b(?:documents?|textes?|sources?"
    r"|passages?)\b[^.!?]{0,30}(?:\bne |\bn')(?:mentionn|précis|indiqu|contien"
    r"|di[ts]|donn|parl)\w* (?:pas|rien|aucune?)\b|\baucune (?:information"
    r"|mention)\b|\bn'(?:est|y est) pas (?:mentionné|précisé|indiqué)\w*",
    r"(?:मुझे|हमें) (?:यह |इसका )?(?:\w+ )?(?:नहीं पता|पता नहीं)|नहीं (?:जानता|जानती|जानते|मिला|मिली)"
    r"|(?:दस्तावेज़\w*|जानकारी)[^।.!?]{0,40}नहीं (?:है|हैं|दी|मिली)",
    r"\bnon (?:lo )?(?:so|sappiamo)\b|\bnon (?:posso|riesco a|possiamo) (?:\w+ )?(?:trovare|dire|dirlo"
    r"|rispondere)|\bnon (?:trovo|ho trovato|ho informazioni|ci sono informazioni|viene indicat\w"
    r"|è (?:indicat|menzionat|specificat)\w)|\b(?:document\w|test\w|font\w)\b[^.!?]{0,30}\bnon"
    r" (?:\w+ )?(?:menziona|dice|dicono|contien|conteng|indica|specifica|riporta)\w*",
    r"(?:分|わ)かりません|分かりかねます|存じません|(?:記載|情報|答え|回答|説明)(?:が|は)(?:あり|見つかり)ません"
    r"|見つかりませんでした|お答えできません|(?:記載|言及)されていません",
    r"모르겠습니다|모릅니다|알 수 없습니다|(?:정보|내용|답)[이가은는을를]? (?:없습니다|찾을 수 없습니다"
    r"|찾지 못했습니다)|(?:나와|적혀|언급되어|명시되어) 있지 않습니다",
    r"\b(?:weet|weten) (?:ik|we|wij) (?:\w+ )?niet\b|\b(?:ik|we|wij) (?:weet|weten)\b[^.!?]{0,15}"
    r"\bniet\b|\b(?:kan|kunnen) (?:ik|we|wij)\b[^.!?]{0,40}\bniet (?:vinden|zeggen|beantwoorden)"
    r"|\b(?:ik|we|wij) (?:kan|kunnen|kon|heb|hebben)\b[^.!?]{0,40}\b(?:niet|niets|geen)\b"
    r"[^.!?]{0,30}\b(?:vinden|gevonden|zeggen|beantwoorden|informatie)\b|\b(?:document\w*|teksten?"
    r"|bronn?en?)\b[^.!?]{0,40}\b(?:vermeld\w*|staat|staan|bevat\w*|noem\w*)\b[^.!?]{0,30}"
    r"\b(?:niet|niets|geen)\b|\bgeen informatie\b",
    r"\bnie (?:wiem|wiemy|mogę (?:znaleźć|odpowiedzieć|powiedzieć)|znalazł\w*|znam odpowiedzi)"
    r"|\b(?:dokument\w*|tekst\w*|źródł\w*)\b[^.!?]{0,30}\bnie (?:ma|podaj\w+|zawiera\w*|wspomina\w*"
    r"|mówi\w*)|\b(?:brak|nie ma) (?:tam )?informacji\b|\bnie (?:podano|wspomniano)\b",
    r"\bnão (?:o )?(?:sei|sabemos)\b|\bnão (?:posso|consigo|consegui|podemos) (?:\w+ )?(?:encontrar"
    r"|dizer|responder)|\bnão (?:encontrei|encontro|tenho informaç\w+|há informaç\w+)|\b(?:documentos?"
    r"|textos?|fontes?)\b[^.!?]{0,30}\bnão (?:\w+ )?(?:menciona|diz|contém|contêm|indica|inclui)\w*"
    r"|\bnão (?:é|foi|está) (?:mencionad|indicad|especificad)\w*",
    r"\b(?:я|мы) (?:этого )?не (?:знаю|знаем|могу|можем|нашл\w+|наш[её]л|располагаю)\b|\bне (?:знаю"
    r"|наш[её]л|нашла|удалось найти)\b|\b(?:документ\w*|текст\w*|источник\w*)\b[^.!?]{0,30}"
    r"\b(?:не (?:указан\w*|сказано|упомин\w+|содерж\w+)|нет)\b|\bнет (?:информации|сведений|данных)\b"
    r"|\bне (?:указано|упоминается|сказано)\b",
    r"\b(?:vet|hittar|hittade) (?:jag|vi) (?:\w+ )?inte\b|\b(?:jag|vi) (?:vet|hittar|hittade)"
    r"\b[^.!?]{0,15}\b(?:inte|inget|ingen)\b|\b(?:jag|vi) (?:kan|kunde) (?:\w+ ){0,3}inte (?:hitta|svara"
    r"|säga)\b|\b(?:dokument\w*|text\w*|käll\w*)\b[^.!?]{0,30}"
    r"\b(?:nämner|säger|innehåller|anger)\b[^.!?]{0,15}\b(?:inte|inget|ingen)\b|\bingen information\b"
    r"|\bframgår inte\b",
    r"\b(?:bilmiyorum|bilmiyoruz|bulamadım|bulamadık|cevap veremiyorum|yanıt veremiyorum)\b"
    r"|\b(?:belge\w*|metin\w*|kaynak\w*)\b[^.!?]{0,40}\b(?:yok|belirtilmemiş\w*|bulunm\w*"
    r"|yer alm\w*)\b|\bbilgi (?:yok|bulunm\w*)\b",
    r"\b(?:я|ми) (?:цього )?не (?:знаю|знаємо|можу|можемо|знайш\w+)\b|\bне (?:знаю|знайшов|знайшла"
    r"|вдалося знайти)\b|\b(?:документ\w*|текст\w*|джерел\w*)\b[^.!?]{0,30}\b(?:не (?:вказан\w*"
    r"|сказано|згад\w+|міст\w+)|немає)\b|\bнемає (?:інформації|відомостей|даних)\b",
    r"(?:我|我们|我們)?(?:不知道|不清楚|不太清楚|无法(?:回答|确定|得知|找到)|無法(?:回答|確定|得知|找到)"
    r"|没有找到|沒有找到|未找到)|(?:文档|文件|资料|資料|内容|文中|文章)[^。！？]{0,20}(?:没有|沒有|未|并未|並未)"
    r"(?:提到|提及|说明|說明|包含|提供|记载|記載|相关|相關)|没有(?:相关|这方面的)?(?:信息|资料)"
    r"|沒有(?:相關|這方面的)?(?:資訊|資料)",
)


def admits_not_knowing(text: str) -> bool:
    """Whether the text says that the answer is not known or not in the documents."""
    return _says_so(plain_quotes(text))


@lru_cache(maxsize=4_096)
def _says_so(text: str) -> bool:
    return _UNKNOWING.search(text) is not None or _unknowing_elsewhere().search(text) is not None


@lru_cache(maxsize=1)
def _unknowing_elsewhere() -> re.Pattern[str]:
    return re.compile("|".join(_IN_OTHERS), re.IGNORECASE)
