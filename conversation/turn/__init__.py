"""One turn: prepared, planned, carried out, said, and finished as a record.

What is known of a turn while it lasts is one record, `SpeakingTurn`. The session opens it with the
user's turn, the plan decides what comes next (tools, search, answer), `carry_out` waits for models
and tools in between, and the session closes it once and has `finished_turn` write what is kept.
In this order, and nobody else, they change it by:

    session     own_s                   the user's turn is stored, the agent's is opened
    plan        calls                   what summing up earlier turns took
    plan        begin_tool, end_tool    a tool that was decided on runs
    plan        events                  what the tool changed, for the store
    plan        forget_searches         another agent took over
    plan        found                   passages of a search
    plan        prompt                  what the model gets to read
    carry_out   ask, take, take_failure, own_s   the model writes, or fails
    plan        quote, own_s            documents in place of an answer that they refute
    plan        say                     words of the agent's own
    plan        error, has_failed, is_complete   how it went
    waiting     when_over               what to stop when the user interrupts
    session     close, own_time, outcome   it is over: kept, and told
    likeness    own_s                   less what the embedder took
"""
