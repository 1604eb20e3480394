"""Sentences, words and what recurrent networks make of them."""
