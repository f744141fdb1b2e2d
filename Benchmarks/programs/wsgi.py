"""A WSGI application that answers with its pid."""

import os


def app(environ, start):
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"pid %d\n" % os.getpid()]
