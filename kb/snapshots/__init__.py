"""One knowledge base on many machines: immutable snapshots, and a pointer to the live one.

`taking` makes a snapshot of a folder, `copies` brings snapshots to this machine, `objects` keeps
their pieces at any address that fsspec knows, `pointers` is what a store of rows has to offer,
`changing` changes one machine's folder under a lease, and `shared_folder` answers meanwhile.
"""
