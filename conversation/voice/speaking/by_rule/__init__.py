"""Languages of embedded voices that are pronounced by rule, without a dictionary: Spanish."""
