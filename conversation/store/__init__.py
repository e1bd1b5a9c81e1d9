"""The durable store of conversations: tables, migrations, reading, writing."""
