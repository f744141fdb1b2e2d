"""What a scenario is given: options, a scratch directory, the app to supervise, the managers to compare."""

import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Context:
    def __init__(self, binaries, cache, quick, say):
        self.binaries = binaries
        self.cache = cache
        self.quick = quick
        self.say = say
        # Short: the path of a socket has room for 107 bytes.
        self.scratch = tempfile.mkdtemp(prefix="hearth-bench-")
        self._homes = 0
        self.app, self.compiler = self._app()

    def close(self):
        shutil.rmtree(self.scratch, ignore_errors=True)

    def directory(self, name):
        """A fresh directory."""
        self._homes += 1
        path = os.path.join(self.scratch, f"{self._homes}-{name}")
        os.mkdir(path, 0o700)
        return path

    @property
    def output(self):
        return os.path.join(self.scratch, "output")

    def pick(self, full, quick):
        return quick if self.quick else full

    def _app(self):
        """The command of the app, and what it was compiled with; Python where there is no compiler."""
        source = os.path.join(HERE, "programs", "app.c")
        target = os.path.join(self.scratch, "app")
        compiler = next((path for path in map(shutil.which, ("cc", "gcc", "clang")) if path), None)
        # Static where libc.a is there: then the app's own start is as short and as even as can be.
        for flags in ([["-static"], []] if compiler else []):
            command = [compiler, "-O2", *flags, "-o", target, source]
            if subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0:
                return [target], f"{os.path.basename(compiler)} {' '.join(flags)}".strip()
        return [sys.executable, "-I", "-S", os.path.join(HERE, "programs", "app.py")], None
