"""The command `vivavoce`: one module for each group of commands.

What a command needs is imported when it runs, so that `--help` answers at once.
"""
