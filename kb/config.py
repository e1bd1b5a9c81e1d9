"""Configuration of a knowledge base. Frozen; unknown keys are refused."""

from typing import Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
)

MEBIBYTE = 2**20


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Section):
    """How much one knowledge base may hold. None lifts a limit."""

    max_documents: PositiveInt | None = 5
    """Files, links and texts together."""
    max_total_bytes: PositiveInt | None = 20 * MEBIBYTE
    """Sum of the sources' sizes as received."""
    max_document_chars: PositiveInt | None = 10_000_000
    """Of one document's stored text."""
    max_document_pages: PositiveInt | None = 5_000
    """Of one paged document."""


class ChunkingConfig(_Section):
    """How documents are cut."""

    max_tokens: PositiveInt = 200
    """Upper bound of a chunk with its heading path, in the embedder's own tokens.

    all-MiniLM-L6-v2 reads 256 and silently drops the rest.
    """
    target_chars: PositiveInt = 400
    """Where a chunk is closed at the next block or sentence border."""


class EmbeddingConfig(_Section):
    """Which model turns text into vectors."""

    model: str = "all-MiniLM-L6-v2"
    """A name in the weights catalog, several of them with `+` between (their cosines count alike),
    a sentence-transformers name or path, or `litellm/PROVIDER/MODEL`."""
    runtime: Literal["onnx_int8", "onnx_fp32", "torch"] = "onnx_int8"
    """How a local model runs; ignored for `litellm/...`."""
    threads: PositiveInt | None = None
    """Of the runtime; None lets it take every core."""
    api_base: str | None = None
    """Address of an embedding server, for `litellm/...`; None takes the provider's own."""
    api_key_variable: str | None = Field(
        default=None,
        pattern=r"^[A-Z][A-Z0-9_]*_(?:KEY|TOKEN)$",
        validation_alias=AliasChoices("api_key_variable", "api_key_env"),
    )
    """Environment variable with its key; None takes the provider's usual one."""
    query_prefix: str = ""
    """What the model wants before a query, e.g. `query: ` for the E5 family. Models that
    sentence-transformers loads often bring theirs along."""
    document_prefix: str = ""
    """What it wants before a text of a document, e.g. `passage: `."""


class LinkConfig(_Section):
    """How links are fetched."""

    allowed_cidrs: tuple[str, ...] = ()
    """Private address ranges that links may point to, e.g. `10.1.0.0/16`."""
    connect_timeout_s: PositiveFloat = 10.0
    total_timeout_s: PositiveFloat = 60.0
    max_bytes: PositiveInt = 20 * MEBIBYTE
    """Of one response, after decompression."""
    max_redirects: NonNegativeInt = 5
    max_retries: NonNegativeInt = 2
    """After 429 and 5xx answers, with growing pauses or the one that the server asks for."""
    respect_robots_txt: bool = True
    user_agent: str = "vivavoce/0.1 (document fetcher of a self-hosted support agent)"
    """What precedes the slash is the name that robots.txt files know this fetcher by."""
    crawl_pause_s: NonNegativeFloat = 0.2
    """Between two pages of one site, unless its robots.txt asks for more."""
    ca_file: str | None = None
    """Certificates to trust besides the public ones, e.g. of an intranet; PEM."""


class RerankerConfig(_Section):
    """A model that reads query and passage together and puts the best candidates in order anew."""

    model: str
    """A cross-encoder: a name in the weights catalog, a folder, or the name by which
    sentence-transformers loads it, e.g. `cross-encoder/ms-marco-MiniLM-L6-v2`."""
    candidates: PositiveInt = Field(default=30, le=50)
    """The best so many are read."""
    batch_size: PositiveInt = 8
    """Read at once; the clock is looked at in between."""
    deadline_s: PositiveFloat = 1.0
    """What was not read by then keeps its order behind the others."""
    max_tokens: PositiveInt = 256
    """Of query and passage together; the passage's end is cut."""
    weight: float = Field(default=0.7, ge=0.0, le=1.0)
    """Share of the reranker's score in the new order; the rest is the score it had before."""


class RetrievalConfig(_Section):
    """How passages are found. Constants were chosen on the dev halves of the bench's data."""

    candidates: PositiveInt = 50
    """Depth of each ranking before its chunks are scored."""
    dense_weight: PositiveFloat = 0.55
    """Share of meaning in a chunk's score; the rest is words."""
    last_turn_share: PositiveFloat = 0.5
    """Of the meaning: what the query alone says; the rest is query and turns before it."""
    context_user_turns: int = 2
    """The user's turns before the query that are embedded together with it."""
    turn_decay: PositiveFloat = 0.5
    """Weight of a word said one turn of the user earlier."""
    agent_turn_weight: PositiveFloat = 0.3
    """Weight of a word that the agent said and not the user."""
    name_weight: PositiveFloat = 0.4
    """What a chunk gains when the conversation named the document or heading it stands under."""
    name_decay: PositiveFloat = 0.9
    """Weight of a name said one turn of the user earlier."""
    exact_weight: NonNegativeFloat = 0.15
    """What a chunk gains when it holds the identifiers and names of the query that few chunks
    hold, such as an article number. Whatever the weight, one of them is among the first two."""
    heading_weight: PositiveFloat = 0.3
    """What a word counts more when it is in the chunk's heading."""
    stretch_share: float = Field(default=0.2, ge=0.0, le=1.0)
    """Of the meaning of a chunk, what that of the stretch around it is, up to 16 chunks of its
    document; the rest is its own."""
    beside_weight: NonNegativeFloat = 0.05
    """What a chunk gains when the two before and after it say the words that it lacks."""
    start_weight: NonNegativeFloat = 0.02
    """What a chunk loses the later it stands among the first ten of its document."""
    document_weight: NonNegativeFloat = 0.02
    """What a chunk gains by the best other chunk of its document: one that answers a turn seldom
    stands alone."""
    neighbour_weight: NonNegativeFloat = 0.1
    """What a chunk gains by the better one of the chunks right beside it: an answer often goes on
    over a border."""
    repeat_weight: NonNegativeFloat = 0.01
    """What a chunk loses for each chunk of its document that stands before it, so that of equally
    good ones those of other documents are seen too."""
    unheard_share: NonNegativeFloat = 0.5
    """What a word that no chunk has counts towards a full match, as a share of the rarest one."""
    max_terms: PositiveInt = 24
    """Words of one lexical query; the most telling are kept."""
    history_turns: PositiveInt = 24
    """Turns before the query that are looked at."""
    merge_chars: PositiveInt = 1_200
    """Neighbouring chunks that are both found become one passage up to this length."""
    duplicate_overlap: PositiveFloat = 0.95
    """Passages that share more than this part of their words are shown once."""
    search: Literal["auto", "exact", "approximate"] = "auto"
    """How the nearest vectors are found: compared with all of them in memory, or through the
    index. `auto` compares all up to `exact_up_to_chunks`."""
    exact_up_to_chunks: NonNegativeInt = 10_000
    """Needs 1.5 KB of memory a chunk for vectors of 384 numbers."""
    ef_search: PositiveInt = 1_000
    """Breadth of the approximate search. At 100,000 chunks it finds .957 of the ten nearest with
    400, .996 with 800 and all with 1,200, in 1.2, 1.8 and 2.4 ms of processor time."""
    reranker: RerankerConfig | None = None
    """A second look at the best candidates; off by default."""


class IndexConfig(_Section):
    """Where vectors are kept, and when the vector index is built anew."""

    chroma_url: str | None = None
    """A Chroma server, e.g. `http://chroma.internal:8000`; None embeds Chroma in the process."""
    collection_prefix: str = "chunks"
    """Start of the collections' names; on a shared server every knowledge base needs its own."""
    rebuild_deleted_share: PositiveFloat = 0.3
    """A collection of which more than this share was deleted is built anew."""
    self_recall_samples: PositiveInt = 20
    """Vectors that are searched for themselves after each publish."""
    self_recall_floor: PositiveFloat = 0.95
    """Share of them that must be found, or the collection is built anew."""
    writer_timeout_s: PositiveFloat = 60.0
    """How long a writer waits for another one."""


class SandboxConfig(_Section):
    """What a parser may use. One document is stopped at these limits, nothing else is."""

    memory_bytes: PositiveInt = 1024 * MEBIBYTE
    """Address space of a parser process, where the system can bound it."""
    base_s: PositiveFloat = 8.0
    """Time for any document, of the processor and of the clock."""
    seconds_per_mebibyte: PositiveFloat = 4.0
    """Time on top of it, by size."""
    idle_workers: NonNegativeInt = 2
    """Parser processes kept for the next documents."""
    documents_per_worker: PositiveInt = 200
    """A parser process is replaced after this many, so that nothing piles up in it."""
    ocr_memory_bytes: PositiveInt = 2048 * MEBIBYTE
    """Address space on top where `parsing.ocr` is on: models of text recognition need it."""
    ocr_page_s: PositiveFloat = 60.0
    """Time for each page that is recognised; most take a tenth of it."""
    render_s: PositiveFloat = 20.0
    """Time for a page that is rendered, everything that its scripts ask for included."""
    render_memory_bytes: PositiveInt = 1024 * MEBIBYTE
    """Memory of the browser that renders it, all of its processes together (on Linux)."""


class ParsingConfig(_Section):
    """How sources are turned to text."""

    html_focus: Literal["precision", "balanced", "recall", "everything"] = "balanced"
    """How much of a web page is its text: from the surest part of the article only, to every
    visible word with menus and banners."""
    html_keep_hidden: bool = False
    """Keep text that a web page hides by its own styles. Needed for pages whose closed sections
    are hidden that way; but what is hidden can also be meant to steer the agent."""
    html_link_targets: bool = False
    """Write where a link of a web page leads after its text. An agent can then tell callers, and
    passages get longer."""
    ocr: bool = False
    """Read pages of PDFs that are pictures, as a scanner makes them, by text recognition. Takes
    seconds a page and the extra libraries of `pip install 'vivavoce[ocr]'`."""
    render: bool = False
    """Open linked pages that hold nothing before their scripts ran in an installed Chromium, a few
    seconds each. What the scripts ask for has to pass the same guard as links."""
    sandbox: SandboxConfig = SandboxConfig()


class KnowledgeBaseConfig(_Section):
    """Everything a knowledge base can be told."""

    limits: Limits = Limits()
    chunking: ChunkingConfig = ChunkingConfig()
    embedding: EmbeddingConfig = EmbeddingConfig()
    links: LinkConfig = LinkConfig()
    parsing: ParsingConfig = ParsingConfig()
    retrieval: RetrievalConfig = RetrievalConfig()
    index: IndexConfig = IndexConfig()
    query_languages: tuple[str, ...] = ("en",)
    """Languages that questions come in, as tags such as `de` or `pt-BR`. Where `embedding` names
    no model, they choose it when the first document is read."""
