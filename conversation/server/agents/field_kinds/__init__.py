"""What kind of value each field of an agent has in the network protocol, ours and the kept ones."""
