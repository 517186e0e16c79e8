"""The load test: viewers that behave like players, against any HLS or DASH origin or CDN.

Everything but ``locustfile.py`` is plain code over sockets and a clock. Under Locust those become
gevent's, for ``import locust`` replaces them; in a test they are the real ones. So the viewer that
is tested is the viewer that makes the load.

It speaks HTTP only and knows no module of the origin. Of the packager it takes the reading of
boxes.
"""
