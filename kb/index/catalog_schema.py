"""Tables of the catalog, and how an older file becomes a newer one."""

SCHEMA_VERSION = 7

_TABLES = """
create table meta (key text primary key, value text not null) without rowid;
create table documents (
    document_id text primary key,
    kind text not null,
    source text not null,
    name text not null,
    media_type text not null,
    status text not null,
    reason text,
    detail text,
    version integer not null,
    bytes integer not null,
    chars integer not null,
    chunk_count integer not null,
    content_sha256 text,
    title text,
    hidden_chars_dropped integer not null,
    language text,
    etag text,
    last_modified text,
    signature text not null,
    updated_at text not null,
    unique (kind, source)
);
create table document_versions (
    document_id text not null,
    version integer not null,
    text text not null,
    record text not null,
    created_at text not null,
    primary key (document_id, version)
);
create table chunks (
    row_id integer primary key,
    chunk_id text not null unique,
    document_id text not null,
    ordinal integer not null,
    start_char integer not null,
    end_char integer not null,
    heading_path text not null,
    page text,
    headings text not null,
    body text not null,
    text_key text not null,
    live integer not null
);
create index chunks_of_document on chunks (document_id, live, ordinal);
create table version_chunks (
    document_id text not null,
    version integer not null,
    chunk_id text not null,
    primary key (document_id, version, chunk_id)
) without rowid;
create virtual table chunk_search using fts5 (
    headings, body, content='chunks', content_rowid='row_id', tokenize='porter unicode61'
);
create virtual table chunk_terms using fts5vocab (chunk_search, row);
create table live_spans (
    document_id text not null,
    version integer not null,
    from_index integer not null,
    to_index integer,
    primary key (document_id, from_index, version)
) without rowid;
create table pending_vectors (
    chunk_id text primary key,
    operation text not null check (operation in ('add', 'delete'))
) without rowid;
"""
_NAMES = """
create table names (name_id integer primary key, name text not null unique);
create virtual table name_search using fts5 (
    name, content='names', content_rowid='name_id', tokenize='porter unicode61'
);
alter table chunks add column name_id integer;
create index chunks_of_name on chunks (name_id, live);
"""

_LEFT_OUT = """
alter table documents add column left_out text not null default '{}'
"""

_PLACES = """
alter table chunks add column places text not null default '[]'
"""

_WORDS = """
drop table chunk_terms;
drop table chunk_search;
drop table name_search;
create table chunk_words (
    row_id integer primary key,
    language text not null,
    headings text not null,
    body text not null,
    extra text not null,
    own_headings integer not null
);
create virtual table chunk_search using fts5 (
    headings, body, extra, content='chunk_words', content_rowid='row_id', tokenize='ascii'
);
create virtual table chunk_terms using fts5vocab (chunk_search, row);
create table name_words (name_id integer primary key, terms text not null);
create virtual table name_search using fts5 (
    terms, content='name_words', content_rowid='name_id', tokenize='ascii'
);
create table known_words (
    word text not null,
    term text not null,
    backwards text not null,
    seen integer not null,
    primary key (word, term)
) without rowid;
create index known_words_backwards on known_words (backwards);
create index known_words_of_term on known_words (term);
"""

_WORDS_ANEW = """
insert into chunk_search (chunk_search) values ('delete-all');
insert into name_search (name_search) values ('delete-all');
delete from chunk_words;
delete from name_words;
delete from known_words
"""

STEPS = (_TABLES, _NAMES, _LEFT_OUT, _PLACES, _WORDS, _WORDS_ANEW, _WORDS_ANEW)
"""Scripts that lead from each version to the next, from an empty file on."""
WORDS_VERSION = 7
"""From here on the terms of chunks and names are those that `kb.words` makes today; files from
before have to be gone through once."""
