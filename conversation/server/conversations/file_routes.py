"""Files that users hand in during a conversation, where the agent takes files."""

from pathlib import PurePath
from typing import Annotated

from fastapi import APIRouter, File, Request, UploadFile
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from conversation.agent.config import AgentConfig
from conversation.errors import UnknownConversationError
from conversation.server.context import Context, ServerContext, address_of
from conversation.server.conversations.admitting import admit_user
from conversation.server.errors import ApiError, not_found, not_supported
from conversation.server.incoming.names import cleaned_name
from conversation.server.library.held_files import MAX_FILE_BYTES, conversation_over
from conversation.transcript import Transcript
from kb.config import Limits, ParsingConfig
from kb.errors import DocumentError
from kb.ingest.load import parse_bytes
from kb.ingest.names import storable

router = APIRouter(prefix="/v1/convai/conversations/{conversation_id}", tags=["conversations"])
MAX_NAME_CHARS = 100
_QUICK_S = {"base_s": 5.0, "seconds_per_mebibyte": 0.5, "ocr_page_s": 10.0}
"""At most these of the sandbox's: documents of an operator may take longer."""
_RECOGNISED_PAGES = 20


class HandedInFile(BaseModel):
    """The file that was handed in or removed."""

    file_id: str = Field(examples=["file_6b1f0c8a92d47e35b0aa6b1f0c8a92d4"])


@router.post("/files", operation_id="hand_in_file")
async def hand_in(
    conversation_id: str,
    request: Request,
    context: Context,
    file: Annotated[UploadFile, File(description="Up to 10 MB of anything that can be read.")],
) -> HandedInFile:
    """Hand in a file for the next message, which names its id.

    Its text is read as documents are, and becomes part of the user's turn. No key is needed where
    users talk without one: who knows the id of a conversation that is being held is part of it.
    """
    agent = await run_in_threadpool(_agent, conversation_id, request, context)
    if (file.size or 0) > MAX_FILE_BYTES:
        raise ApiError(413, "file_too_large", f"A file may have {MAX_FILE_BYTES:,} bytes here.")
    own_name = PurePath((file.filename or "file").replace("\\", "/")).name
    name = cleaned_name(storable(own_name))[-MAX_NAME_CHARS:]
    parsing = agent.knowledge_base.parsing

    def text() -> str:
        return text_of_file(file.file.read(MAX_FILE_BYTES), name=name, parsing=parsing)

    file_id = await context.files.add(
        conversation_id,
        name,
        text,
        most=agent.access.files,
        address=address_of(request),
        mime_type=file.content_type,
    )
    return HandedInFile(file_id=file_id)


def text_of_file(data: bytes, *, name: str, parsing: ParsingConfig) -> str:
    """What a file of a conversation says.

    Raises:
        ApiError: 422; nothing can be read from it in the time that a stranger's file may take.
    """
    quick = _quick(parsing)
    try:
        return parse_bytes(data, name=name, limits=_limits(quick), config=quick).text.strip()
    except DocumentError as error:
        said = str(error)
        if error.reason == "timeout":  # what an operator could raise is not this
            said = f"Reading {name!r} takes longer than a file of a conversation may."
        raise ApiError(422, f"file_{error.reason}", said) from error


def _quick(parsing: ParsingConfig) -> ParsingConfig:
    """How documents are parsed, in the time that a user waits and a stranger may take."""
    sandbox = parsing.sandbox
    less = {name: min(getattr(sandbox, name), most) for name, most in _QUICK_S.items()}
    return parsing.model_copy(update={"sandbox": sandbox.model_copy(update=less), "render": False})


def _limits(parsing: ParsingConfig) -> Limits:
    return Limits(
        max_total_bytes=MAX_FILE_BYTES,
        max_document_chars=2_000_000,
        max_document_pages=_RECOGNISED_PAGES if parsing.ocr else 500,
    )


@router.delete("/files/{file_id}", operation_id="remove_file")
def remove(conversation_id: str, file_id: str, request: Request, context: Context) -> HandedInFile:
    """Take a file back that no message named."""
    _agent(conversation_id, request, context)
    context.files.remove(conversation_id, file_id)
    return HandedInFile(file_id=file_id)


@router.get("/files/{file_id}", operation_id="get_file")
def get_file(conversation_id: str, file_id: str, request: Request, context: Context) -> None:
    """Refuse: files are not kept."""
    _agent(conversation_id, request, context)
    raise not_supported(
        "Files are not kept: the text of one stands in the turn of the message that named it."
    )


def _agent(conversation_id: str, request: Request, context: ServerContext) -> AgentConfig:
    """The agent of a conversation that is being held, for whoever is part of it."""
    try:
        transcript: Transcript = context.store.transcript(conversation_id)
    except UnknownConversationError as error:
        raise not_found("conversation", conversation_id) from error
    admit_user(context, request, transcript)
    if transcript.status != "in_progress":
        raise conversation_over()
    agent = context.agents.agent(transcript.agent_id)
    if not agent.access.files:
        raise not_supported(
            "This agent takes no files. Its file may say how many it takes of a conversation: "
            "`access: {files: 3}`."
        )
    return agent
