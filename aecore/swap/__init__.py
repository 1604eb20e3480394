"""One person's face with another's expression: autoencoders that share a code, joined and scored against the truth."""
