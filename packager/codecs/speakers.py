"""Loudspeaker layouts as ChannelConfiguration values (ISO/IEC 23091-3 Table 2)."""

from __future__ import annotations

# ChannelConfiguration -> channels that it feeds. 8 is two monos; 22.2 is 13.
CHANNELS = {
    1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 8: 2, 9: 3, 10: 4, 11: 7, 12: 8, 13: 24,
    14: 8, 15: 12, 16: 10, 17: 12, 18: 14, 19: 12, 20: 14,
}  # fmt: skip

# Channel count -> layout in Vorbis' order, which Opus and FLAC share (RFC 7845 5.1.1.2).
XIPH = {1: 1, 2: 2, 3: 3, 4: 10, 5: 5, 6: 6, 7: 11, 8: 12}
