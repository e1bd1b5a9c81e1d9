"""A document and an answer in the same language, whichever it is."""

import pytest

from conversation.grounding.citations import attribute, states_something
from conversation.grounding.not_knowing import admits_not_knowing
from conversation.language.set_sentences import DONT_KNOW, GET_BACK, GOODBYE, NEAREST, PATIENCE
from conversation.language.telling_words import written_in
from kb.words.sentences import split_sentences
from tests.conversation.grounding.test_citations import passage

LIBRARIES = {
    "en": "The library is closed on Mondays. Members may borrow six books at a time. "
    "The Berlin office opens in March. Telephone calls are forbidden in the reading room.",
    "de": "Die Bibliothek ist montags geschlossen. Mitglieder dürfen sechs Bücher gleichzeitig "
    "ausleihen. Die Gebühr für verspätete Rückgaben beträgt 1.250,50 Euro.",
    "es": "La biblioteca cierra los lunes. Los socios pueden llevarse seis libros a la vez.",
    "fr": "La bibliothèque est fermée le lundi. Les membres peuvent emprunter six livres à la "
    "fois. L'amende est de deux euros par jour.",
    "ru": "Библиотека закрыта по понедельникам. Читатели могут брать шесть книг одновременно.",
    "pl": "Biblioteka jest zamknięta w poniedziałki. Członkowie mogą wypożyczyć sześć książek.",
    "ar": "المكتبة مغلقة يوم الاثنين. يمكن للأعضاء استعارة ستة كتب في وقت واحد.",
    "hi": "पुस्तकालय सोमवार को बंद रहता है। सदस्य एक बार में छह किताबें ले सकते हैं।",
    "zh": "图书馆每周一闭馆。会员一次最多可以借六本书。阅览室内禁止打电话。",
    "ja": "図書館は月曜日が休館です。会員は一度に六冊まで本を借りることができます。",
    "ko": "도서관은 월요일에 문을 닫습니다. 회원은 한 번에 책 여섯 권을 빌릴 수 있습니다.",
    "th": "ห้องสมุดปิดวันจันทร์ สมาชิกยืมหนังสือได้หกเล่ม",
}


@pytest.mark.parametrize("language", LIBRARIES)
def test_what_stands_in_a_document_is_cited_in_its_language(language: str):
    shown = passage(LIBRARIES[language])

    for sentence in split_sentences(shown.text):
        found = attribute(sentence.text, [shown], language=language)
        assert [cited.quote.strip() for cited in found.citations] == [sentence.text.strip()]


@pytest.mark.parametrize("language", ["zh", "ja", "de"])
def test_an_agent_of_another_language_cites_it_too(language: str):
    shown = passage(LIBRARIES[language])

    assert attribute(split_sentences(shown.text)[0].text, [shown], language="en").citations


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("de", "Sie können sechs Bücher auf einmal ausleihen."),
        ("zh", "您一次可以借六本书。"),
        ("ja", "一度に六冊まで借りることができます。"),
        ("es", "Los socios se pueden llevar 6 libros a la vez."),
        ("de", "Die Gebühr für verspätete Rückgaben beträgt 1250,50 Euro."),
        ("zh", "会员一次最多可以借6本书。"),
    ],
)
def test_other_words_for_the_same_are_cited(language: str, answer: str):
    assert attribute(answer, [passage(LIBRARIES[language])], language=language).citations


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("en", "The library is closed on Tuesdays."),
        ("en", "The Munich office opens in March."),
        ("en", "The Berlin office opens in April."),
        ("de", "Mitglieder dürfen sieben Bücher gleichzeitig ausleihen."),
        ("de", "Mitglieder dürfen sechs Bücher nicht gleichzeitig ausleihen."),
        ("de", "Die Gebühr für verspätete Rückgaben beträgt 1,25 Euro."),
        ("de", "Die Bibliothek ist dienstags geschlossen."),
        ("es", "Los socios pueden llevarse siete libros a la vez."),
        ("es", "La biblioteca no cierra los lunes."),
        ("fr", "Les membres peuvent emprunter sept livres à la fois."),
        ("fr", "La bibliothèque n'est pas fermée le lundi."),
        ("ru", "Читатели могут брать семь книг одновременно."),
        ("ru", "Библиотека не закрыта по понедельникам."),
        ("ru", "Библиотека закрыта по вторникам."),
        ("pl", "Członkowie mogą wypożyczyć siedem książek."),
        ("ar", "يمكن للأعضاء استعارة سبعة كتب في وقت واحد."),
        ("hi", "पुस्तकालय मंगलवार को बंद रहता है।"),
        ("hi", "सदस्य एक बार में सात किताबें ले सकते हैं।"),
        ("zh", "会员一次最多可以借七本书。"),
        ("zh", "会员一次最多可以借十六本书。"),
        ("zh", "图书馆每周一不闭馆。"),
        ("zh", "图书馆每周二闭馆。"),
        ("ja", "会員は一度に七冊まで本を借りることができます。"),
        ("ja", "図書館は火曜日が休館です。"),
        ("ko", "회원은 한 번에 책 일곱 권을 빌릴 수 있습니다."),
    ],
)
def test_one_wrong_word_of_a_number_a_day_a_name_or_a_denial_is_not_cited(
    language: str, answer: str
):
    found = attribute(answer, [passage(LIBRARIES[language])], language=language)

    assert not found.citations
    assert found.grounded_share == 0.0


def test_a_day_within_a_range_a_user_s_name_and_the_agent_s_own_name_need_no_passage():
    shown = passage("We are open Monday to Friday from 9 to 17. Parcels are sent at noon.")

    assert attribute("On Wednesday we are open from 9 to 17.", [shown]).citations
    assert attribute("Parcels are sent at noon, Anna.", [shown]).citations
    assert attribute("At Brook parcels are sent at noon.", [shown], own_words="Brook").citations
    assert not attribute("At Brook parcels are sent at noon.", [shown]).citations


def test_a_name_with_another_ending_is_the_same_name():
    shown = passage("Офис в Москве открывается в марте. Он большой.")

    known = attribute("Офис города Москва открывается в марте.", [shown], language="ru")
    other = attribute("Офис города Казань открывается в марте.", [shown], language="ru")
    assert known.citations
    assert not other.citations


@pytest.mark.parametrize("language", DONT_KNOW)
def test_not_to_know_is_told_in_each_language(language: str):
    assert admits_not_knowing(DONT_KNOW[language])
    for others in (NEAREST, GET_BACK, GOODBYE, PATIENCE):
        assert not admits_not_knowing(others[language])


@pytest.mark.parametrize(
    "said",
    [
        "Das kann ich Ihnen leider nicht sagen.",
        "Dazu habe ich in den Unterlagen nichts gefunden.",
        "In den Dokumenten steht dazu nichts.",
        "No encuentro esa información en los documentos.",
        "Los documentos no mencionan el precio.",
        "Je ne trouve pas cette information.",
        "Les documents ne précisent pas le prix.",
        "文档中没有提到价格。",
        "抱歉，资料里没有相关信息。",
        "申し訳ございませんが、その情報は見つかりませんでした。",
        "문서에 그 정보가 없습니다.",
        "В документах об этом не сказано.",
        "Non ho trovato questa informazione.",
        "Não encontrei essa informação.",
        "Nie znalazłem tej informacji.",
        "Det vet jag tyvärr inte.",
        "Bu bilgi belgelerde yok.",
        "لم أجد هذه المعلومة في الوثائق.",
    ],
)
def test_models_that_do_not_know_are_heard(said: str):
    assert admits_not_knowing(said)


@pytest.mark.parametrize(
    "said",
    [
        "Sie müssen das Dokument nicht mitbringen.",
        "Wir haben keine Parkplätze.",
        "No necesita traer el documento.",
        "Le document n'est pas nécessaire.",
        "会员不能打电话。",
        "電話は使えません。",
        "문서를 가져올 필요가 없습니다.",
        "Нельзя говорить по телефону.",
        "Vi kan inte skicka varor till Norge.",
        "Vi kan ikke sende varer til Sverige.",
    ],
)
def test_a_denial_is_knowledge(said: str):
    assert not admits_not_knowing(said)


@pytest.mark.parametrize(
    "said",
    [
        "Gern geschehen!",
        "Es tut mir leid.",
        "Selbstverständlich, gerne!",
        "Wenn Sie noch Fragen haben, melden Sie sich.",
        "Ich wünsche Ihnen einen schönen Tag!",
        "¡Claro, con mucho gusto!",
        "Si tiene alguna otra pregunta, dígame.",
        "¡Que tenga un buen día!",
        "N'hésitez pas à me le demander.",
        "Si vous avez d'autres questions, dites-moi.",
        "Спасибо за ваш вопрос!",
        "Если у вас есть вопросы, обращайтесь.",
        "Chętnie pomogę.",
        "شكرًا لتواصلك معنا.",
        "إذا كان لديك أي سؤال آخر، أخبرني.",
        "好的，没问题。",
        "如果您还有其他问题，请随时告诉我。",
        "感谢您的来电！",
        "かしこまりました。",
        "ご不明な点がございましたら、お気軽にお尋ねください。",
        "네, 물론입니다.",
        "문의해 주셔서 감사합니다.",
        "ยินดีช่วยเหลือครับ",
        *PATIENCE.values(),
        *GET_BACK.values(),
    ],
)
def test_polite_sentences_state_nothing_in_any_language(said: str):
    language = written_in(said, "de")

    assert not any(states_something(part.text, language) for part in split_sentences(said))


@pytest.mark.parametrize(
    "said",
    [
        "Ja, die Bibliothek ist montags geschlossen.",
        "Gerne können Sie sechs Bücher ausleihen.",
        "Wenn Sie noch Fragen haben, rufen Sie 030 1234567 an.",
        "Lo siento, la biblioteca cierra los lunes.",
        "No cierra los lunes.",
        "Да, библиотека закрыта.",
        "نعم، المكتبة مغلقة يوم الاثنين.",
        "是的，图书馆每周一闭馆。",
        "不可以打电话。",
        "はい、図書館は月曜日が休館です。",
        "네, 도서관은 월요일에 문을 닫습니다.",
    ],
)
def test_what_is_said_after_a_polite_word_still_states_something(said: str):
    assert states_something(said, "de")


OFFICES = {
    "zh": "北京办公室在三月开放。客服中心位于上海市浦东新区。经理是王小明。",
    "ja": "東京オフィスは三月に開設されます。カスタマーセンターは大阪市北区にあります。",
    "ko": "서울 사무소는 3월에 문을 엽니다. 고객 센터는 부산에 있습니다.",
    "th": "สำนักงานกรุงเทพเปิดในเดือนมีนาคม",
    "ar": "يفتح مكتب القاهرة في مارس ويغلق يوم الجمعة.",
    "hi": "दिल्ली कार्यालय मार्च में खुलता है।",
    "he": "משרד תל אביב נפתח במרץ.",
    "en": "The Berlin office opens in March. Parcels are sent at noon by our partner Globex.",
    "de": "Das Büro in Berlin öffnet im März. Pakete verschickt unser Partner mittags.",
    "es": "La oficina de Madrid abre en marzo.",
    "pl": "Biuro w Krakowie otwiera się w marcu. Prezesem jest Jan Kowalski.",
    "ru": "Офис в Москве открывается в марте. Филиал в Казани закрыт.",
    "cs": "Pobočka v Praze otevírá v březnu. Balíky posíláme z Brna a Olomouce.",
    "fi": "Toimisto Helsingissä avataan maaliskuussa. Myymälä on Tampereella.",
    "hu": "A budapesti iroda márciusban nyílik.",
}


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("zh", "上海办公室在三月开放。"),
        ("zh", "杭州办公室在三月开放。"),
        ("zh", "客服中心位于北京市浦东新区。"),
        ("zh", "经理是李小明。"),
        ("ja", "京都オフィスは三月に開設されます。"),
        ("ja", "名古屋オフィスは三月に開設されます。"),
        ("ja", "カスタマーセンターは札幌市北区にあります。"),
        ("ko", "대구 사무소는 3월에 문을 엽니다."),
        ("ko", "고객 센터는 인천에 있습니다."),
        ("th", "สำนักงานเชียงใหม่เปิดในเดือนมีนาคม"),
        ("ar", "يفتح مكتب دبي في مارس."),
        ("hi", "मुंबई कार्यालय मार्च में खुलता है।"),
        ("he", "משרד חיפה נפתח במרץ."),
        ("en", "Munich office opens in March."),
        ("en", "Munich opens its office in March."),
        ("en", "Munich: the office opens in March."),
        ("en", "Acme sends the parcels at noon."),
        ("de", "München öffnet das Büro im März."),
        ("de", "Das Büro in München öffnet im März."),
        ("de", "Das Münchner Büro öffnet im März."),
        ("es", "Sevilla abre su oficina en marzo."),
        ("pl", "Biuro w Łodzi otwiera się w marcu."),
        ("pl", "Prezesem jest Jan Nowak."),
        ("ru", "Офис в Самаре открывается в марте."),
        ("ru", "Офис в Казани открывается в марте."),
        ("cs", "Pobočka Plzeň otevírá v březnu."),
        ("fi", "Toimisto Oulussa avataan maaliskuussa."),
    ],
)
def test_another_name_in_the_place_of_one_is_not_cited(language: str, answer: str):
    assert not attribute(answer, [passage(OFFICES[language])], language=language).citations


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("zh", "我们的北京办公室将于三月开放。"),
        ("zh", "客服中心在上海浦东新区。"),
        ("ja", "三月に東京オフィスが開設されます。"),
        ("ko", "서울에 있는 사무소는 3월에 문을 엽니다."),
        ("en", "Currently the Berlin office opens in March."),
        ("en", "Shipments are sent at noon by our partner Globex."),
        ("de", "Das Berliner Büro öffnet im März."),
        ("de", "Die Filiale in Berlin öffnet im März."),
        ("pl", "Biuro Kraków otwiera się w marcu."),
        ("pl", "Prezesem jest Kowalski."),
        ("ru", "Филиал Казань закрыт."),
        ("cs", "Pobočka Praha otevírá v březnu."),
        ("fi", "Helsinki: toimisto avataan maaliskuussa."),
        ("hu", "Az iroda Budapesten márciusban nyílik."),
    ],
)
def test_the_same_name_said_in_another_way_is_cited(language: str, answer: str):
    assert attribute(answer, [passage(OFFICES[language])], language=language).citations
