"""The composition root: the only place that builds things and joins them.

A worker is one process with one event loop: storage, catalogue, service, the control application,
and the data plane on the listening socket that the supervisor opened.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket

from aiohttp import web

from catalog.library import LibraryCatalogue
from origin import workers
from origin.control.app import control_app
from origin.delivery.server import serve
from origin.errors import describe
from origin.service import Origin
from origin.settings import BadSetting, Settings
from origin.storage import open_storage

MIB = 1 << 20

log = logging.getLogger(__name__)
