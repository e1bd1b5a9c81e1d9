-- Beside the conversations: Dagster's records, and the catalog of the lake.
CREATE DATABASE dagster;
CREATE DATABASE lake;
