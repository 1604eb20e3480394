"""Pictures to small files and back."""
