"""Tables of PDF pages: found by rules or by place, written as one over pages."""
