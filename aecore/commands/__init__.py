"""What ``python -m aecore`` offers for denoising."""
