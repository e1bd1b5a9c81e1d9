"""A conversation on a terminal: lines in, streamed turns out, and commands beside them."""

import sys
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass

from analysis.printable import printable_lines
from conversation.session.driver import SessionDriver
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.transcript import Turn
from orchestration.terminal.explaining import turn_explanation
from orchestration.terminal.line_reader import LineReader
from orchestration.terminal.progress import ProgressDisplay
from orchestration.terminal.reply import show_reply

PROMPT = "\nyou: "
HELP = """\
/why       what the last answer was made from: passages, sources, tokens
/retry     ask the last question again; the answer so far counts as unheard
/history   the conversation up to now
/note TEXT tell the agent something without saying it, e.g. which page is open
/help      these commands
/quit      end the conversation; so does Ctrl-D
Ctrl-C stops an answer, empties a line, and on an empty line ends the conversation.
A line that begins with // is said with one slash."""


@dataclass(frozen=True, slots=True)
class ChatStyle:
    """How text stands out on this terminal."""

    name: str = "{}"
    note: str = "{}"
    clear_line: str = "\n"

    @classmethod
    def of_terminal(cls, *, may_style: bool) -> "ChatStyle":
        """Bold and dim where escape sequences may be written."""
        if not may_style:
            return cls()
        return cls(name="\x1b[1m{}\x1b[0m", note="\x1b[2m{}\x1b[0m", clear_line="\r\x1b[K")


class TerminalChat:
    """Talks until one side ends the conversation."""

    def __init__(
        self,
        session: Session,
        store: ConversationStore,
        *,
        name: str,
        style: ChatStyle,
        driver: SessionDriver | None = None,
    ) -> None:
        """Show `session`, which is kept in `store`, as a talk with `name`."""
        self._session = session
        self._store = store
        self._name = style.name.format(name)
        self._style = style
        self._driver = driver or SessionDriver(session)
        self._progress = ProgressDisplay(sys.stdout)
        self._reader = LineReader(self._driver, clear_line=style.clear_line, show=self._show_said)
        self._commands: dict[str, Callable[[str], object]] = {
            "/why": lambda _: self._why(),
            "/retry": lambda _: self._retry(),
            "/history": lambda _: self._history(),
            "/note": self._note,
            "/help": lambda _: self._say(HELP),
        }

    def run(self) -> None:
        """Hold the conversation; it is ended and stored when this returns."""
        if self._session.first_message:
            self._show_said(self._session.first_message)
        self._say(self._style.note.format("(/help lists the commands; Ctrl-D ends)"))
        # Whoever presses Ctrl-C again while an answer is being stopped wants to go.
        with suppress(KeyboardInterrupt):
            while (line := self._next_line()) is not None:
                self._do(line)
        if self._session.is_over:
            reason = self._session.transcript.end_reason or "ended"
            self._say(self._style.note.format(f"The conversation is over ({reason})."))
        else:
            self._say()
            self._driver.end()

    def _next_line(self) -> str | None:
        try:
            line = self._reader.read(PROMPT)
        except KeyboardInterrupt:
            return None
        return None if line is None or line.strip() == "/quit" else line.strip()

    def _do(self, line: str) -> None:
        if not line:
            return
        command, _, rest = line.partition(" ")
        if line.startswith("//"):
            self._ask(line[1:])
        elif not line.startswith("/"):
            self._ask(line)
        elif command in self._commands:
            self._commands[command](rest.strip())
        else:
            self._say(f"There is no command {printable_lines(command)}.\n{HELP}")

    def _ask(self, text: str) -> None:
        """Say `text` and show the agent's turn; Ctrl-C stops it where it is."""
        try:
            with closing(self._driver.reply(text)) as events:
                show_reply(self._name, events, self._progress, note=self._style.note)
        except KeyboardInterrupt:
            self._session.interrupt()
            self._say()
            self._say(self._style.note.format("  [stopped; what stands above counts as said]"))

    def _retry(self) -> None:
        asked = [turn.text for turn in self._session.transcript.turns if turn.role == "user"]
        if not asked:
            self._say("Nothing was asked yet.")
            return
        self._session.interrupt(heard_chars=0)
        self._say(f"you: {printable_lines(asked[-1])}")
        self._ask(asked[-1])

    def _why(self) -> None:
        answer = self._last_answer()
        if answer is None:
            self._say("The agent has not answered yet.")
            return
        retrieved = self._store.retrievals(self._session.conversation_id)
        own = [found for found in retrieved if found.turn_id == answer.turn_id]
        self._say(turn_explanation(answer, own))

    def _last_answer(self) -> Turn | None:
        """The agent's last turn that a question of the user came before."""
        asked = False
        last: Turn | None = None
        for turn in self._session.transcript.turns:
            asked = asked or turn.role == "user"
            last = turn if asked and turn.role == "agent" else last
        return last

    def _history(self) -> None:
        for turn in self._session.transcript.turns:
            speaker = self._name if turn.role == "agent" else "you"
            cut = " ..." if turn.interrupted else ""
            said = printable_lines(turn.text)
            self._say(f"{turn.offset_s or 0.0:7.1f} s  {speaker}: {said}{cut}")

    def _note(self, text: str) -> None:
        if not text:
            self._say("Write what the agent should know after /note.")
            return
        self._session.note(text)
        self._say("Noted; the agent knows it from its next answer on.")

    def _show_said(self, text: str) -> None:
        self._say(f"{self._name}: {printable_lines(text)}")

    def _say(self, text: str = "") -> None:
        self._progress.say(text)
