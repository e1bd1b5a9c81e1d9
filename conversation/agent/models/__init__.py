"""Which language models an agent uses, and where each is reached: to answer, and to judge."""
