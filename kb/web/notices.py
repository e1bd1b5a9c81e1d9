"""Titles by which pages say, in the reader's language, that there is no such page."""

import re
import unicodedata

_NOT_A_LETTER = re.compile(r"[^\w\s']|_|\d")
_PARTS = re.compile(r"\s+[-|\u2013\u2014\u00b7\u2022:\u00bb/]+\s+|[:\uff1a]\s")
_IDLE = frozenset(
    [
        "error",
        "errore",
        "erreur",
        "fehler",
        "fout",
        "fejl",
        "feil",
        "fel",
        "virhe",
        "chyba",
        "błąd",
        "hiba",
        "eroare",
        "erro",
        "greška",
        "hata",
        "ошибка",
        "помилка",
        "грешка",
        "σφάλμα",
        "oops",
        "ups",
        "hoppla",
        "whoops",
        "sorry",
        "the",
        "a",
        "an",
        "this",
        "that",
        "page's",
        "http",
        "エラー",
        "错误",
        "錯誤",
        "오류",
    ]
)
_NOT_FOUND = frozenset(
    """
    not found | page not found | page cannot be found | page can't be found | file not found
    page could not be found | page couldn't be found | page was not found | no such page
    page does not exist | page doesn't exist | page no longer exists | page isn't available
    page is not available | we can't find page | we couldn't find page | we could not find page
    we can't find page you're looking for | we couldn't find page you were looking for
    page you requested could not be found | page you are looking for does not exist
    page you're looking for doesn't exist | requested page not found
    requested page could not be found | document not found | url not found
    nicht gefunden | seite nicht gefunden | seite wurde nicht gefunden
    die seite wurde nicht gefunden
    diese seite wurde nicht gefunden | seite existiert nicht | diese seite existiert nicht
    die seite existiert nicht | die angeforderte seite wurde nicht gefunden
    introuvable | page introuvable | page non trouvée | cette page est introuvable
    cette page n'existe pas | la page n'existe pas | la page demandée n'existe pas
    la page demandée est introuvable | la page que vous cherchez n'existe pas
    página no encontrada | no encontrado | la página no existe | esta página no existe
    no se encontró la página | no se ha encontrado la página | página no disponible
    pàgina no trobada | no s'ha trobat la pàgina | orria ez da aurkitu | páxina non atopada
    página não encontrada | não encontrado | a página não existe | esta página não existe
    página não existe
    pagina non trovata | non trovato | la pagina non esiste | questa pagina non esiste
    pagina niet gevonden | niet gevonden | deze pagina bestaat niet | pagina bestaat niet
    sidan hittades inte | sidan kunde inte hittas | sidan finns inte | hittades inte
    siden blev ikke fundet | siden ikke fundet | siden findes ikke | siden kunne ikke findes
    siden ble ikke funnet | siden ikke funnet | siden finnes ikke | fant ikke siden
    sivua ei löydy | sivua ei löytynyt | sivua ei ole
    strona nie została znaleziona | nie znaleziono strony | strona nie istnieje | nie znaleziono
    stránka nenalezena | stránka nebyla nalezena | stránka neexistuje | nenalezeno
    stránka nenájdená | stránka nebola nájdená | stránka sa nenašla
    az oldal nem található | oldal nem található | nem található
    pagina nu a fost găsită | pagina nu există | pagina negăsită
    stranica nije pronađena | stranica nije pronadjena | stran ni najdena | stran ne obstaja
    страница не найдена | не найдено | такой страницы нет | страница не существует
    сторінку не знайдено | сторінка не знайдена | не знайдено
    страницата не е намерена | страницата не съществува
    η σελίδα δεν βρέθηκε | δεν βρέθηκε η σελίδα | η σελίδα δεν υπάρχει
    sayfa bulunamadı | bulunamadı | aradığınız sayfa bulunamadı | sayfa mevcut değil
    lehte ei leitud | lapa nav atrasta | puslapis nerastas
    الصفحة غير موجودة | لم يتم العثور على الصفحة | غير موجود
    הדף לא נמצא | העמוד לא נמצא | صفحه یافت نشد | صفحه پیدا نشد
    पृष्ठ नहीं मिला | पेज नहीं मिला | ไม่พบหน้า | ไม่พบหน้านี้ | ไม่พบหน้าที่คุณต้องการ
    không tìm thấy trang | trang không tồn tại | halaman tidak ditemukan | tidak ditemukan
    halaman tidak dijumpai
    页面未找到 | 找不到页面 | 页面不存在 | 未找到页面 | 您访问的页面不存在 | 找不到该页面
    頁面未找到 | 找不到頁面 | 頁面不存在 | 找不到此頁面 | 找不到網頁
    ページが見つかりません | ページが見つかりませんでした | お探しのページは見つかりませんでした
    お探しのページが見つかりません | ページが存在しません
    페이지를 찾을 수 없습니다 | 페이지가 존재하지 않습니다 | 요청하신 페이지를 찾을 수 없습니다
    """.replace("\n", "|").split("|")
)


def _key(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).replace("\u2019", "'").casefold()
    return " ".join(word for word in _NOT_A_LETTER.sub(" ", text).split() if word not in _IDLE)


_KEYS = frozenset(map(_key, _NOT_FOUND)) - {""}


def says_not_found(title: str) -> bool:
    """Whether a title, or one part of it beside the name of a site, says that and nothing else."""
    return any(_key(part) in _KEYS for part in (title, *_PARTS.split(title)))
