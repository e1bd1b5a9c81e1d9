"""What judges and reports do not get to see: detection, redaction, masked stores."""
