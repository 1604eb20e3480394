"""Encoder and decoder stacks that the variants are made of."""
