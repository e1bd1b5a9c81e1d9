"""Knowledge bases and agent files that several machines have in common."""
