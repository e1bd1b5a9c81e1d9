"""Every published table and view, column by column."""
