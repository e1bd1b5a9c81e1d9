"""Who speaks when: a pure state machine over time, without sound and without a clock."""
