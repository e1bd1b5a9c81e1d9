"""What conversations are about: clusters and their names."""
