"""The numbers of CTA-5007 and of CWT (RFC 8392) that are enforced here."""

from __future__ import annotations

ISS, SUB, AUD, EXP, NBF, IAT, CTI = 1, 2, 3, 4, 5, 6, 7
CATREPLAY = 308
CATV = 310
CATNIP = 311
CATU = 312
CATM = 313
CATALPN = 314
CATH = 315
CATGEOISO3166 = 316
CATIF = 322
CATR = 323

SCHEME, HOST, PORT, PATH, QUERY, PARENT_PATH, FILENAME, STEM, EXTENSION = range(9)
"""Parts of a URI in ``catu``."""

EXACT, PREFIX, SUFFIX, CONTAINS, REGEX = range(5)
SHA256, SHA512_256 = -1, -2
"""Ways to match in ``catu`` and ``cath``."""

AUTOMATIC, BY_COOKIE, BY_HEADER, BY_REDIRECT = range(4)
"""How ``catr`` renews."""
