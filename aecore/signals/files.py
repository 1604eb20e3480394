"""Files as people have them: WAV sounds, and CSV tables of numbers."""

from aecore.signals.sounds import MAX_SECONDS, MAX_SOUND_BYTES, Sound, read_sound, write_sound
from aecore.signals.tables import MAX_TABLE_BYTES, Table, read_table, write_table

__all__ = ["MAX_SECONDS", "MAX_SOUND_BYTES", "MAX_TABLE_BYTES", "Sound", "Table", "read_sound", "read_table", "write_sound", "write_table"]
