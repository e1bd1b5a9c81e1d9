# ruff: noqa: RUF001 (other scripts have letters that look like Latin ones)
"""Sentences that an agent says by itself when nobody wrote one for it, by language. Pure."""

from collections.abc import Mapping

FAILURE: Mapping[str, str] = {
    "en": "Sorry, something went wrong and I could not finish my answer. Please ask me again.",
    "ar": "عذرًا، حدث خطأ ولم أتمكن من إكمال إجابتي. يرجى طرح السؤال مرة أخرى.",
    "cs": "Omlouvám se, něco se pokazilo a odpověď jsem nedokončil. Zeptejte se prosím znovu.",
    "da": "Beklager, noget gik galt, og jeg kunne ikke svare færdigt. Spørg venligst igen.",
    "de": "Entschuldigung, da ist etwas schiefgegangen. Bitte stellen Sie Ihre Frage noch einmal.",
    "es": "Lo siento, algo ha fallado y no he podido terminar mi respuesta. Pregunte otra vez.",
    "fi": "Pahoittelut, jokin meni vikaan, enkä voinut vastata loppuun. Kysy uudelleen.",
    "fr": "Désolé, un problème est survenu et je n'ai pas pu répondre. Reposez votre question.",
    "hi": "क्षमा करें, कुछ गड़बड़ हो गई और मैं उत्तर पूरा नहीं कर सका। कृपया फिर से पूछें।",
    "it": "Mi dispiace, qualcosa è andato storto e non ho potuto rispondere. Chieda di nuovo.",
    "ja": "申し訳ありません。問題が発生し、お答えできませんでした。もう一度お尋ねください。",
    "ko": "죄송합니다. 문제가 생겨 답변을 마치지 못했습니다. 다시 질문해 주세요.",
    "nl": "Sorry, er ging iets mis en ik kon mijn antwoord niet afmaken. Vraag het nog eens.",
    "no": "Beklager, noe gikk galt, og jeg kunne ikke svare ferdig. Vennligst spør igjen.",
    "pl": "Przepraszam, coś poszło nie tak i odpowiedź jest niepełna. Proszę zapytać ponownie.",
    "pt": "Desculpe, algo deu errado e não pude terminar a resposta. Pergunte outra vez.",
    "ru": "Извините, произошла ошибка, и ответ остался неполным. Пожалуйста, спросите ещё раз.",
    "sv": "Tyvärr gick något fel och jag kunde inte svara färdigt. Fråga gärna igen.",
    "tr": "Üzgünüm, bir sorun oluştu ve yanıtımı tamamlayamadım. Lütfen tekrar sorun.",
    "uk": "Вибачте, сталася помилка, і відповідь залишилася неповною. Запитайте ще раз.",
    "zh": "抱歉，出了点问题，我没能答完。请再问一次。",
}
GOODBYE: Mapping[str, str] = {
    "en": "Goodbye!",
    "ar": "مع السلامة!",
    "cs": "Na shledanou!",
    "da": "Farvel!",
    "de": "Auf Wiedersehen!",
    "es": "¡Adiós!",
    "fi": "Näkemiin!",
    "fr": "Au revoir !",
    "hi": "नमस्ते!",
    "it": "Arrivederci!",
    "ja": "失礼いたします。",
    "ko": "안녕히 계세요!",
    "nl": "Tot ziens!",
    "no": "Ha det!",
    "pl": "Do widzenia!",
    "pt": "Até logo!",
    "ru": "До свидания!",
    "sv": "Hej då!",
    "tr": "Hoşça kalın!",
    "uk": "До побачення!",
    "zh": "再见！",
}
NOT_HEARD: Mapping[str, str] = {
    "en": "Sorry, I could not hear you. Please say that again.",
    "ar": "عذرًا، لم أتمكن من سماعك. من فضلك كرر ما قلته.",
    "cs": "Omlouvám se, neslyšel jsem vás. Řekněte to prosím znovu.",
    "da": "Beklager, jeg kunne ikke høre dig. Sig det venligst igen.",
    "de": "Entschuldigung, ich konnte Sie nicht verstehen. Bitte sagen Sie das noch einmal.",
    "es": "Lo siento, no he podido oírle. Repítalo, por favor.",
    "fi": "Anteeksi, en kuullut sinua. Sanoisitko uudelleen?",
    "fr": "Désolé, je ne vous ai pas entendu. Pouvez-vous répéter ?",
    "hi": "क्षमा करें, मैं आपको सुन नहीं सका। कृपया फिर से कहें।",
    "it": "Mi dispiace, non sono riuscito a sentirla. Può ripetere?",
    "ja": "申し訳ありません。聞き取れませんでした。もう一度おっしゃってください。",
    "ko": "죄송합니다. 잘 듣지 못했습니다. 다시 말씀해 주세요.",
    "nl": "Sorry, ik kon u niet verstaan. Zeg het alstublieft nog eens.",
    "no": "Beklager, jeg kunne ikke høre deg. Vennligst si det igjen.",
    "pl": "Przepraszam, nie usłyszałem. Proszę powtórzyć.",
    "pt": "Desculpe, não consegui ouvir. Por favor, repita.",
    "ru": "Извините, я вас не расслышал. Повторите, пожалуйста.",
    "sv": "Tyvärr kunde jag inte höra dig. Säg det gärna igen.",
    "tr": "Üzgünüm, sizi duyamadım. Lütfen tekrar söyleyin.",
    "uk": "Вибачте, я вас не розчув. Повторіть, будь ласка.",
    "zh": "抱歉，我没有听清。请再说一遍。",
}


def in_words_of(language: str, sentences: Mapping[str, str]) -> str:
    """The sentence in a language such as `de` or `de-AT`; in English where there is none."""
    primary = language.replace("_", "-").partition("-")[0].casefold()
    return sentences.get(primary, sentences["en"])
