# ruff: noqa: E501, RUF001 (patterns; other scripts have letters that look like Latin ones)
"""Words of an answer that are polite and state nothing, in the languages that agents speak. Pure.

All languages are looked for at once: an answer of three words does not tell which it is in.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from conversation.language import set_sentences
from kb.words.courtesies import courtesies
from kb.words.sentences import split_sentences

_OPENERS: Mapping[str, str] = {
    # Sorry, yes, no, sure, well: what stands before a mark and says nothing about the documents.
    "en": "hi|hello|hey|sorry|thanks|thank you|you're welcome|welcome|goodbye|bye|great|sure|well"
    "|certainly|of course|okay|ok|yes|no|perfect|alright",
    "ar": "نعم|لا|بالتأكيد|بالطبع|طبعا|طبعًا|حسنا|حسنًا|عذرا|عذرًا|آسف|آسفة|عفوا|عفوًا|تمام|ممتاز|للأسف",
    "cs": "ano|ne|jistě|samozřejmě|dobře|promiňte|omlouvám se|bohužel|výborně|rádo se stalo|prosím",
    "da": "ja|nej|selvfølgelig|naturligvis|okay|undskyld|beklager|desværre|fint|perfekt|velbekomme|godt",
    "de": "ja|nein|doch|klar|na klar|natürlich|selbstverständlich|gerne?|sehr gerne?|okay|gut|prima|super"
    "|perfekt|alles klar|entschuldigung|entschuldigen sie|verzeihung|tut mir leid|es tut mir leid"
    "|leider|bitte|bitte sehr|bitte schön|gern geschehen|genau|richtig|stimmt|willkommen|verstehe",
    "es": "sí|no|claro|claro que sí|por supuesto|desde luego|vale|bien|muy bien|de acuerdo|perfecto"
    "|perdón|perdone|disculpe|lo siento|lo lamento|lamentablemente|de nada|bienvenid[oa]s?|exacto|entiendo",
    "fi": "kyllä|ei|toki|totta kai|tietysti|selvä|hyvä|anteeksi|pahoittelut|valitettavasti|ole hyvä|olkaa hyvä",
    "fr": "oui|non|si|bien sûr|certainement|d'accord|très bien|bien|parfait|pardon|désolée?|je suis désolée?"
    "|excusez-moi|malheureusement|de rien|je vous en prie|bienvenue|exactement|avec plaisir|entendu",
    "hi": "हाँ|हां|जी हाँ|जी|नहीं|ज़रूर|बिल्कुल|ठीक है|क्षमा करें|माफ़ कीजिए|स्वागत है",
    "it": "sì|no|certo|certamente|naturalmente|va bene|bene|perfetto|scusi|mi scusi|mi dispiace"
    "|purtroppo|prego|benvenut[oaie]|esatto|volentieri|capisco",
    "ja": "はい|いいえ|ええ|もちろん|もちろんです|承知しました|承知いたしました|かしこまりました|わかりました"
    "|申し訳ありません|申し訳ございません|申し訳ありませんが|申し訳ございませんが|すみません|恐れ入りますが"
    "|どういたしまして|ようこそ|そうですね|残念ながら|なるほど",
    "ko": "네|예|아니요|아니오|물론이죠|물론입니다|알겠습니다|죄송합니다|죄송하지만|미안합니다|천만에요|환영합니다|좋습니다",
    "nl": "ja|nee|natuurlijk|zeker|uiteraard|oké|oke|goed|prima|perfect|sorry|helaas|het spijt me|graag gedaan"
    "|graag|alstublieft|welkom|precies",
    "nb": "ja|nei|selvfølgelig|naturligvis|ok|greit|fint|unnskyld|beklager|dessverre|bare hyggelig|perfekt",
    "pl": "tak|nie|oczywiście|jasne|pewnie|dobrze|świetnie|doskonale|przepraszam|niestety|przykro mi|proszę"
    "|proszę bardzo|nie ma za co|witamy|rozumiem",
    "pt": "sim|não|claro|com certeza|certamente|certo|tudo bem|ótimo|perfeito|desculpe|lamento|sinto muito"
    "|infelizmente|de nada|por nada|bem-vind[oa]s?|exatamente|entendo",
    "ru": "да|нет|конечно|разумеется|хорошо|отлично|понятно|понимаю|извините|простите|к сожалению|сожалею"
    "|пожалуйста|не за что|добро пожаловать|верно",
    "sv": "ja|nej|självklart|naturligtvis|absolut|okej|bra|förlåt|ursäkta|tyvärr|varsågod|ingen orsak|perfekt|visst",
    "th": "ครับ|ค่ะ|ใช่ครับ|ใช่ค่ะ|ไม่ครับ|ไม่ค่ะ|แน่นอนครับ|แน่นอนค่ะ|ขอโทษครับ|ขอโทษค่ะ|ขออภัยครับ|ขออภัยค่ะ"
    "|ขออภัย|สวัสดีครับ|สวัสดีค่ะ|ขอบคุณครับ|ขอบคุณค่ะ|ขอบคุณ|ยินดีครับ|ยินดีค่ะ",
    "tr": "evet|hayır|tabii|tabii ki|elbette|tamam|peki|harika|üzgünüm|özür dilerim|maalesef|ne yazık ki"
    "|rica ederim|hoş geldiniz|bir şey değil|anlıyorum",
    "uk": "так|ні|звичайно|звісно|добре|чудово|зрозуміло|вибачте|перепрошую|на жаль|будь ласка|нема за що|прошу",
    "zh": "是|是的|对|对的|對|不是|好|好的|当然|當然|当然可以|没问题|沒問題|可以|抱歉|很抱歉|非常抱歉|对不起|對不起"
    "|不好意思|不客气|不客氣|不用谢|欢迎|歡迎|明白|明白了|请稍等|很遗憾|遗憾的是",
}
_COURTEOUS: Mapping[str, str] = {
    # A short sentence that begins so is polite, whatever follows.
    "en": "thanks for|thank you for|i understand|i apologi[sz]e|i'm sorry|i am sorry|sorry for|i'm glad|glad"
    "|happy to|please let me know|let me know|feel free|have a (?:nice|good|great)"
    "|if you (?:have|need) (?:any |some )?(?:other|more|further)|welcome to|good to"
    "|no language model is set up|i can (?:pass|hand|help)|i(?:'d| would) be happy"
    "|you're welcome|you are welcome",
    "ar": "شكرا ل\\w*|شكرًا ل\\w*|أشكرك|أعتذر|أفهم|يسعدني|يسرني|يسعدنا|لا تتردد\\w*|أخبرني|إذا كان لديك|إذا كانت لديك"
    "|أتمنى لك|نتمنى لك|مرحبا بك|مرحبًا بك|أهلا بك|أهلًا بك|هل يمكنني",
    "cs": "děkuji(?:,)? (?:za|že)|děkujeme|omlouvám se|rozumím|rád[ai]?|neváhejte|dejte mi vědět|dejte vědět"
    "|pokud (?:máte|budete mít) (?:další|jiné)|přeji|hezký|pěkný|vítejte",
    "da": "tak for|tak fordi|jeg beklager|jeg forstår|jeg hjælper|det glæder mig|sig endelig til|lad mig vide"
    "|hvis du har (?:flere|andre)|hav en|fortsat|velkommen til|du er velkommen til at (?:spørge|kontakte|skrive)",
    "de": "danke für|danke,? dass|vielen dank (?:für|dass)|ich danke|ich verstehe|ich bedauere|ich bitte um"
    "|(?:es )?tut (?:mir|uns) (?:sehr )?leid|(?:es |das )?freut mich|schön,? dass|ich helfe|ich freue mich"
    "|gerne? helfe ich|(?:bitte )?(?:lassen sie|lass) (?:es )?mich|sagen sie mir|sag mir|zögern sie nicht|melden sie sich (?:gerne?|einfach|jederzeit)"
    "|(?:wenn|falls|sollten) sie (?:noch|weitere|andere)|(?:wenn|falls) du (?:noch|weitere|andere)"
    "|(?:ich wünsche|wir wünschen)|(?:einen )?schönen? (?:tag|abend|woche)|willkommen (?:bei|im|in|zu)",
    "es": "gracias por|le agradezco|te agradezco|entiendo|comprendo|lamento|lo siento|siento (?:mucho|las?|los?|el)"
    "|me disculpo|disculpe (?:las?|los?|el)|me alegr[ao]|con (?:mucho )?gusto|estoy (?:aquí )?para"
    "|no dude en|no dudes en|hágame saber|avíseme|dígame|si (?:tiene|tienes|necesita|necesitas) (?:alguna|algo|más|otra)"
    "|que (?:tenga|tengas|pase|pases)|bienvenid[oa]s? a|encantad[oa] de",
    "fi": "kiitos (?:kun|että)|pahoittelen|ymmärrän|autan (?:mielelläni|sinua|teitä)|mukava (?:kuulla|että)"
    "|jos sinulla on|jos teillä on|kerro(?:ttehan)? minulle|kysy(?:kää)? rohkeasti|hyvää (?:päivän|illan)|tervetuloa",
    "fr": "merci (?:de|pour|d'\\w+)|je vous remercie|je comprends|je m'excuse|je suis (?:désolée?|ravie?|heureu(?:x|se)|là)"
    "|veuillez m'excuser|avec plaisir|ravie? de|n'hésite[zs] pas|dites-moi|faites-moi savoir"
    "|si vous (?:avez|aviez) (?:d'autres|une autre|encore)|passez une|je vous souhaite|bienvenue (?:à|chez|dans|au)",
    "hi": "धन्यवाद|आपका धन्यवाद|मैं समझता हूँ|मैं समझती हूँ|मुझे खेद है|मुझे खुशी|अगर आपके कोई|कृपया मुझे बताएं|आपका दिन|आपका स्वागत",
    "it": "grazie (?:per|di|della?)|la ringrazio|capisco|comprendo|mi scuso|mi dispiace|sono (?:lieto|lieta|felice|qui)"
    "|con piacere|non esit[ia]|mi faccia sapere|fammi sapere|se (?:ha|hai) (?:altre|bisogno|ancora)"
    "|(?:le auguro|ti auguro|buona (?:giornata|serata))|benvenut[oaie] (?:a|in|da)",
    "ja": "ご不明な点|ご不明点|何かございましたら|ほかにご質問|他にご質問|何かご質問|お気軽に|お問い合わせ(?:いただき)?ありがとう"
    "|お待たせ|お電話ありがとう|ご利用ありがとう|お役に立て|お手伝い|ご迷惑を|ご不便を|お待ちください|少々お待ち|いつでもお",
    "ko": "문의해 ?주셔서|전화해 ?주셔서|기다려 ?주셔서|도움이 되|도와드리|궁금한 (?:점|것)이 있|추가로 궁금|더 궁금|불편을|언제든지"
    "|좋은 하루|즐거운 하루|이해합니다|환영합니다|잠시만",
    "nl": "bedankt (?:voor|dat)|dank (?:u|je) (?:wel )?voor|ik begrijp|het spijt (?:me|mij|ons)|excuses voor|mijn excuses"
    "|fijn (?:dat|om)|ik help|laat (?:het )?(?:me|mij) (?:gerust )?weten|aarzel niet|als (?:u|je) (?:nog|meer|andere|verdere)"
    "|een (?:fijne|prettige|goede)|fijne|prettige|welkom (?:bij|in)",
    "nb": "takk (?:for|fordi)|jeg beklager|jeg forstår|jeg hjelper|så hyggelig|si gjerne fra|gi meg beskjed|hvis du har (?:flere|andre)"
    "|ha en|velkommen til|hyggelig å",
    "pl": "dziękuję (?:za|że)|dziękujemy (?:za|że)|rozumiem|przepraszam za|przykro mi|cieszę się|chętnie|proszę dać (?:mi )?znać"
    "|daj(?:cie)? (?:mi )?znać|jeśli (?:ma pan|ma pani|masz|mają państwo) (?:jeszcze|inne|dodatkowe|jakieś)|w razie (?:dalszych )?pytań"
    "|życzę|miłego|witamy w",
    "pt": "obrigad[oa] (?:por|pel[oa]s?)|agradeço|agradecemos|entendo|compreendo|lamento|peço desculpas?|sinto muito"
    "|desculpe pel[oa]|fico feliz|que bom|estou (?:à disposição|aqui)|não hesite|me avise|avise-me|diga-me"
    "|se (?:tiver|precisar) (?:mais|de mais|outra|alguma)|tenha (?:um|uma)|bem-vind[oa]s? (?:a|ao|à)",
    "ru": "спасибо (?:за|что)|благодар(?:ю|им) (?:вас )?за|я (?:вас )?понимаю|мне (?:очень )?жаль|прошу прощения|приносим извинения"
    "|извините за|я рад[а]?|рад[аы]? (?:помочь|был[а]?|слышать)|с удовольствием|обращайтесь|не стесняйтесь|дайте (?:мне )?знать"
    "|если у вас (?:есть|будут|появятся|возникнут|остались)|желаю|хорошего|добро пожаловать",
    "sv": "tack (?:för|att)|jag beklagar|jag förstår|jag ber om|jag hjälper|vad (?:roligt|trevligt|bra)|hör (?:gärna )?av|säg (?:gärna )?till"
    "|låt mig veta|om du har (?:fler|andra)|ha en|välkommen till|tveka inte",
    "th": "ขอบคุณ|ขอโทษ|ขออภัย|ยินดี|สวัสดี|หากมีคำถาม|หากคุณมีคำถาม|หากต้องการ",
    "tr": "\\w+(?:iz|ınız|iniz|unuz|ünüz)? için teşekkür|(?:beklediğiniz|aradığınız) için|anlıyorum|özür dilerim|üzgünüm|memnun"
    "|yardımcı olmaktan|çekinmeyin|lütfen bana|başka (?:bir )?sorunuz|iyi günler|hoş geldiniz",
    "uk": "дякую (?:за|що)|дякуємо за|я розумію|мені (?:дуже )?шкода|перепрошую за|вибачте за|я рад(?:ий|а)|радий допомогти|рада допомогти"
    "|звертайтеся|не соромтеся|дайте (?:мені )?знати|якщо у вас (?:є|будуть|виникнуть)|бажаю|гарного|ласкаво просимо",
    "zh": "感谢您|感谢你|谢谢您|谢谢你|感謝您|謝謝您|我理解|我明白|非常抱歉|很抱歉|抱歉给|很高兴|很高興|很乐意|很樂意|欢迎(?:您|来到|光临|使用|致电|随时)"
    "|如果您?(?:还有|還有|有其他|有其它|需要更多|有任何|有什么)|如有(?:其他|任何|疑问|问题)|请随时|請隨時|随时告诉|祝您|祝你|请告诉我|請告訴我|请稍等|請稍等",
}
_MAX_SPACED_WORDS = 6
_MAX_SIGN_PAIRS = 14
"""A longer sentence that opens politely still states something."""
_SAID_BY_ITSELF = (
    set_sentences.FAILURE,
    set_sentences.GOODBYE,
    set_sentences.NOT_HEARD,
    set_sentences.PATIENCE,
    set_sentences.GET_BACK,
    set_sentences.GREETING,
    set_sentences.WELCOME,
    set_sentences.NOTHING_ELSE,
)
_MARKS = r"\s*[,.!:;\-–—،؛。、，！：；।]+\s*"
_ENDS = " \t\r\n.!?¡¿。！？،؟।…"
_SIGN = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def without_openers(text: str) -> str:
    """`text` without the greetings, thanks and "yes, of course" that it begins with."""
    rest = text.lstrip(_ENDS)
    while (opening := _openers().match(rest)) is not None:
        rest = rest[opening.end() :].lstrip(_ENDS)
    return rest


def is_courteous(text: str, words: frozenset[str]) -> bool:
    """Whether a sentence is polite and states nothing.

    Args:
        text: Without what `without_openers` leaves out.
        words: Its telling words. One with a number states something however politely.
    """
    if _plain(text) in _set_sentences():
        return True
    if any(word[0].isdigit() for word in words) or _courteous().match(text) is None:
        return False
    most = _MAX_SIGN_PAIRS if _SIGN.search(text) else _MAX_SPACED_WORDS
    return len(words) <= most


@lru_cache(maxsize=1)
def _openers() -> re.Pattern[str]:
    said = "|".join([*_OPENERS.values(), *courtesies()])
    return re.compile(rf"(?:{said})(?:{_MARKS}|\s*$)", re.IGNORECASE)


@lru_cache(maxsize=1)
def _courteous() -> re.Pattern[str]:
    signs = {"ja", "ko", "th", "zh"}
    spaced = "|".join(said for code, said in _COURTEOUS.items() if code not in signs)
    joined = "|".join(_COURTEOUS[code] for code in sorted(signs))
    return re.compile(rf"(?:{spaced})(?!\w)|(?:{joined})", re.IGNORECASE)


@lru_cache(maxsize=1)
def _set_sentences() -> frozenset[str]:
    said = (text for sentences in _SAID_BY_ITSELF for text in sentences.values())
    return frozenset(_plain(part.text) for text in said for part in split_sentences(text))


def _plain(text: str) -> str:
    return text.replace("\u2019", "'").strip(_ENDS).casefold()
