"""What pages share; never a page itself."""
