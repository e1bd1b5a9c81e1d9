"""What comes in before any route sees it: heads of requests, and JSON that can be kept."""
