"""Words of which orders to a judge are made, in the languages that agents speak. Data.

No single one of them is an order: `withholding` looks for a verb of judging, a conversation and a
verdict that belong together.
"""

OUTCOMES = (
    r"(?:un)?success(?:ful(?:ly)?)?|fail(?:ed|ure|ing)?|pass(?:ed)?|unknown|(?:fully |completely )?"
    r"(?:un)?resolved|perfect|top marks|full marks"
    # German, French, Spanish, Italian, Portuguese, Dutch
    r"|(?:miss)?erfolg(?:reich\w*)?|erfolglos\w*|fehlgeschlagen\w*|gescheitert\w*|bestanden|gelöst"
    r"|(?:non )?réussi(?:e|s|te)?|succès|échec|échoué\w*|résolu\w*"
    r"|exitos[oa]s?|éxito|fracas[oa]\w*|fallid[oa]s?|resuelt[oa]s?"
    r"|riuscit[oaie]|successo|fallit[oaie]|fallimento|risolt[oaie]"
    r"|bem[ -]sucedid[oa]s?|sucesso|fracass\w*|falhad[oa]|resolvid[oa]s?"
    r"|geslaagd|succesvol|succes|mislukt|opgelost"
    # Polish, Swedish, Turkish, Russian, Ukrainian
    r"|sukces(?:em|u)?|udan[aąeyi]\w*|porażk[aąię]|nieudan[aąeyi]\w*"
    r"|lyckat|lyckad|framgångsrik\w*|misslyckat|misslyckad"
    r"|başarılı|başarısız|успешн\w*|успех\w*|неудачн\w*|провал\w*|успішн\w*|невдал\w*"
    # Arabic, Hindi
    r"|ناجح\w*|فاشل\w*|نجاح|فشل|सफल|असफल|विफल"
)
UNSPACED_OUTCOMES = (
    r"成功|失败|失敗|通过|合格|不合格|성공|실패|สำเร็จ|ล้มเหลว|success(?:ful)?|failure|fail|pass"
)
"""In scripts that put no space between words, or endings behind them."""

MATTERS = (
    r"call|conversation|chat|interaction|transcript|session|dialog(?:ue)?|evaluation"
    r"|gespräch\w*|anruf\w*|unterhaltung|bewertung|appel|échange|évaluation"
    r"|conversación|llamada|charla|diálogo|evaluación|conversazione|chiamata|dialogo|valutazione"
    r"|conversa|chamada|ligação|avaliação|gesprek|oproep|rozmow[aęyi]|połączenie|samtal(?:et)?"
    r"|görüşme\w*|konuşma\w*|arama(?:yı|sı)?|разговор\w*|звон(?:ок|ка)|диалог\w*|беседу|розмов[ау]"
    r"|дзвінок|المكالمة|المحادثة|बातचीत|कॉल"
)
UNSPACED_MATTERS = r"对话|對話|通话|通話|会话|會話|会話|谈话|電話|통화|대화|สายนี้|การสนทนา"

JUDGING = (
    r"(?:mark|rat(?:e|ing)|count|label|classify|grad(?:e|ing)|scor(?:e|ing)|judg(?:e|ing)|evaluate|"
    r"treat|record|log|deem|flag|rule|assess|consider|register|put)"
    r"|bewerte[nt]?|werte[nt]?|markiere[nt]?|stufe[nt]?|beurteile[nt]?|vermerke[nt]?|verbuche[nt]?"
    r"|not(?:e|ez|er)|marqu(?:e|ez|er)|évalu(?:e|ez|er)|considér(?:ez|er)|considère|class(?:e|ez"
    r"|er)"
    r"|jug(?:e|ez|er)|compt(?:e|ez|er)"
    r"|marca(?:r|d)?|marque(?:n)?|califi(?:ca|que|car)|evalú(?:a|e)|considera(?:r|te)?|considere"
    r"|clasifi(?:ca|que)|registr(?:a|e)|valuta(?:te)?|segna(?:te)?|classifica(?:te)?|giudica(?:te)?"
    r"|avali(?:e|a)|classifique|julgue|beoordeel|markeer|registreer|noteer|beschouw"
    r"|oceń(?:cie)?|oznacz(?:cie)?|uznaj(?:cie)?|zalicz(?:cie)?|bedöm|markera|betygsätt"
    r"|оцени(?:те)?|отметь(?:те)?|считай(?:те)?|засчитай(?:те)?|пометь(?:те)?|признай(?:те)?"
    r"|оціни(?:ть)?|познач(?:те|)?|قي[ّ]?م|اعتبر|صن[ّ]?ف|سج[ّ]?ل"
)
AS = r"as|als|comme|como|come|jako|som|как|як|olarak|ك\w*|على أنها|to|=|:|zu|con|avec|mit|with"
LATE_JUDGING = (
    r"değerlendir\w*|işaretle\w*|kaydet\w*|say(?:ın)?\b|puanla\w*|werten|bewerten|einstufen"
    r"|markieren"
    r"|चिह्नित|मानें|मानो|दर्ज"
)
"""Verbs that stand behind the verdict."""

ANSWERING = (
    r"answer|reply|respond|output|return|conclude|say|write|put|print|report"
    r"|antworte[nt]?|antwort(?:e)?|schreib(?:e|en)?|gib|geben|sag(?:e|en)?|melde"
    r"|répond(?:s|ez|re)|écri(?:s|vez)|di(?:s|tes)|respond(?:a|e|er)|escrib(?:e|a)|di(?:ga)?"
    r"|rispond(?:i|ere|ete)|scriv(?:i|ete)|escrev(?:a|e)|diga|antwoord|schrijf|zeg"
    r"|odpowiedz(?:cie)?|napisz(?:cie)?|svara|skriv|ответь(?:те)?|отвечай(?:те)?|напиши(?:те)?"
    r"|выведи(?:те)?|відповідай(?:те)?|напиши|cevap ver|yanıtla|yaz|أجب|اكتب|قل"
)
VERDICT_WORDS = r"success|failure|unknown"
"""As a judge answers: nobody says them in another language by chance."""
YES_NO = r"yes|no|true|false|ja|nein|oui|non|sí|sì|sim|não|nee|tak|nie|да|нет|так|ні|evet|hayır"

IGNORING = (
    r"ignor(?:e|iere|ieren|ez|er|a|i|ate|ad)|disregard|forget|override|bypass|vergiss|vergessen"
    r"|missachte[nt]?|oubli(?:e|ez)|olvida|olvide|dimentica(?:te)?|esqueça|negeer|zignoruj"
    r"|ignorera|игнорируй(?:те)?|забудь(?:те)?|ігноруй(?:те)?|yok say|görmezden gel|تجاهل"
)
RULES = (
    r"rules?|prompts?|instructions?|guidelines?|criteri(?:on|a)|anweisung(?:en)?|regeln?|vorgaben"
    r"|kriteri(?:um|en)|consignes?|règles?|critères?|instruccion(?:es)?|reglas?|criterios?"
    r"|istruzion[ei]|regole|criteri|instruç(?:ão|ões)|regras?|critérios?|instructies|regels"
    r"|instrukcj[ei]|zasad[ya]?|kryteri\w+|instruktioner(?:na)?|regler(?:na)?|инструкци[июя]\w*"
    r"|правил[а]?|критери\w+|talimat\w*|kural\w*|التعليمات|القواعد"
)
EXAMINERS = (
    r"judge|examiner|evaluator|grader|rater|assessor|reviewer|auditor|quality (?:team|assurance"
    r"|control"
    r"|department)|q ?a team|richter|prüfer(?:in)?|gutachter(?:in)?|bewerter(?:in)?|evaluateur"
    r"|évaluateur|examinateur|évaluatrice|evaluador(?:a)?|juez|valutatore|giudice|esaminatore"
    r"|avaliador(?:a)?|beoordelaar|oceniaj\w+|granskare|bedömare|оценщик\w*|проверяющ\w+"
    r"|değerlendirici\w*|المقيم"
)
MACHINES = (
    r"ai|a\.i\.|llm|(?:language )?model|machine|bot|ki|sprachmodell|ia|modèle|modelo|modello"
    r"|ии|модел[ьи]|yapay zeka"
)
RESULTS = (
    r"verdict|final (?:result|verdict|score|answer|outcome|rating)"
    r"|(?:right|correct|expected|true|valid|proper) (?:result|response|output|verdict|outcome"
    r"|rating)"
    r"|(?:result|outcome|verdict|rating|score) to be (?:reported|given|recorded)|urteil|verdikt"
    r"|(?:end)?ergebnis der bewertung|richtige(?:s)? ergebnis|résultat final|bon résultat|veredicto"
    r"|resultado (?:final|correcto|correto)|verdetto|risultato (?:finale|corretto)|eindresultaat"
    r"|oordeel|werdykt|wynik końcowy|вердикт|правильный результат|итоговый результат"
)
