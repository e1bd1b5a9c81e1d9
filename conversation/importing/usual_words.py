"""The usual words for sides of a conversation, and for columns of tables, in several languages.

Names of columns stand in the form that `plain_name` gives them.
"""

import re
import unicodedata

_HUMP = re.compile(r"([a-z0-9])([A-Z])")
_NO_WORD = re.compile(r"[\W_]+")

AGENT_WORDS = (
    "agent", "assistant", "bot", "chatbot", "ai", "support", "operator", "representative", "rep",
    "advisor", "model", "berater", "beraterin", "mitarbeiter", "mitarbeiterin", "kundenservice",
    "kundendienst", "conseiller", "conseillère", "téléconseiller", "opérateur", "assistante",
    "agente", "asesor", "asesora", "operador", "operadora", "asistente", "atendente",
    "assistente", "operatore", "operatrice", "consulente", "medewerker", "medewerkster",
    "adviseur", "klantenservice", "konsultant", "konsultantka", "asystent", "doradca",
    "handläggare", "kundtjänst", "medarbejder", "оператор", "агент", "бот", "поддержка",
    "консультант",
)  # fmt: skip
USER_WORDS = (
    "user", "customer", "caller", "client", "human", "visitor", "guest", "me", "patient",
    "member", "shopper", "end-user", "kunde", "kundin", "anrufer", "anruferin", "nutzer",
    "nutzerin", "benutzer", "besucher", "cliente", "usuario", "usuaria", "visitante", "usuário",
    "usuária", "utilisateur", "utilisatrice", "appelant", "visiteur", "utente", "chiamante",
    "visitatore", "klant", "gebruiker", "bezoeker", "beller", "klient", "klientka", "użytkownik",
    "kund", "användare", "bruger", "asiakas", "клиент", "клиентка", "пользователь", "покупатель",
)  # fmt: skip
AGENT_SIGNS = frozenset((
    "客服", "坐席", "助手", "助理", "机器人", "オペレーター", "担当者", "エージェント", "상담원",
    "상담사",
))  # fmt: skip
"""Scripts that put no blanks between words: the whole name is one of these."""
USER_SIGNS = frozenset((
    "客户", "顾客", "用户", "客戶", "顧客", "お客様", "ユーザー", "고객", "사용자",
))  # fmt: skip

ID_COLUMNS = (
    "conversation_id", "call_id", "chat_id", "session_id", "thread_id", "ticket_id",
    "conversation", "id", "gesprachs_id", "anruf_id", "vorgangsnummer", "id_conversation",
    "id_conversacion", "conversacion", "id_llamada", "id_conversa", "conversa",
    "id_conversazione", "conversazione", "identifiant", "identificador", "identificativo",
    "kennung", "идентификатор", "tunniste", "identyfikator", "gespreks_id", "gesprek", "gesprach",
    "会話id", "会话id", "对话id", "대화id",
)  # fmt: skip
SPEAKER_COLUMNS = (
    "role", "speaker", "sender", "from", "author", "participant", "sender_type", "author_type",
    "speaker_role", "sender_role", "participant_role", "speaker_name", "sender_name", "from_name",
    "author_name", "speaker_label", "said_by", "who", "sprecher", "rolle", "absender", "autor",
    "von", "locuteur", "expediteur", "auteur", "emetteur", "hablante", "remitente",
    "interlocutor", "rol", "falante", "remetente", "parlante", "mittente", "autore", "ruolo",
    "spreker", "afzender", "nadawca", "rola", "avsandare", "talare", "afsender", "发言者", "角色",
    "发送者", "話者", "発言者", "送信者", "발화자", "보낸_사람", "роль", "автор", "отправитель",
)  # fmt: skip
TEXT_COLUMNS = (
    "text", "message", "content", "utterance", "words", "body", "transcript", "message_text",
    "message_body", "message_content", "utterance_text", "what", "nachricht", "inhalt",
    "wortlaut", "texte", "contenu", "mensaje", "texto", "contenido", "mensagem", "conteudo",
    "messaggio", "testo", "contenuto", "bericht", "tekst", "inhoud", "wiadomosc", "tresc",
    "meddelande", "besked", "内容", "消息", "文本", "メッセージ", "本文", "発言", "메시지",
    "내용", "сообщение", "текст",
)  # fmt: skip
TIME_COLUMNS = (
    "offset_s", "start_s", "start", "time", "timestamp", "offset", "created_at", "date",
    "datetime", "sent_at", "date_time", "time_stamp", "timestamp_utc", "start_time", "created",
    "sent", "message_time", "message_timestamp", "ts", "epoch", "unix_time", "timestamp_ms",
    "start_ms", "offset_ms", "zeitstempel", "zeitpunkt", "uhrzeit", "zeit", "datum", "horodatage",
    "heure", "date_heure", "fecha_hora", "fecha_y_hora", "hora", "fecha", "data_hora",
    "data_e_hora", "data", "ora", "data_ora", "tijdstip", "tijd", "czas", "data_i_godzina",
    "tidpunkt", "tidsstampel", "tid", "时间", "时间戳", "日期", "日時", "時刻", "시간", "일시",
    "время", "дата",
)  # fmt: skip
DAY_COLUMNS = (
    "date", "day", "datum", "tag", "fecha", "data", "jour", "日期", "日付", "날짜", "дата",
)  # fmt: skip
"""Beside a column with the time of day."""
USER_COLUMNS = (
    "user_id", "customer_id", "contact_id", "visitor_id", "kunden_id", "kundennummer",
    "id_client", "id_cliente", "id_usuario", "klant_id",
)  # fmt: skip


def plain_name(name: str) -> str:
    """`conversationId`, `Conversation ID` and `conversation-id` as `conversation_id`.

    Latin letters lose their accents: people leave them away in headers.
    """
    parted = _NO_WORD.sub("_", _HUMP.sub(r"\1_\2", name.strip())).strip("_").casefold()
    bare = "".join(
        each for each in unicodedata.normalize("NFD", parted) if not "\u0300" <= each <= "\u036f"
    )
    return unicodedata.normalize("NFC", bare) or name.strip()
