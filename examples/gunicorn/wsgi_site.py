"""A WSGI application that answers with the pid of its worker."""
import os


def app(environ, start):
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"pid %d\n" % os.getpid()]
