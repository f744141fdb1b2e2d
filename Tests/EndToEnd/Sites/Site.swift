import Foundation
import TestSupport

/// Apps as three production sites run them: a Next.js-like front end behind `npm start`, a Laravel-like API behind
/// `php artisan serve`, Express-like back ends that read a `.env` file of their own.
struct Site {
    let pm2: PM2Home
    let frontendPort: Int
    let backendPort: Int

    init(_ pm2: PM2Home) throws {
        self.pm2 = pm2
        frontendPort = try freePort()
        backendPort = try freePort()
    }

    /// `frontend/` with a server and an `npm` that runs it as its child, `backend/` with an `artisan`.
    func buildShop() throws {
        try pm2.write(Self.server, to: "frontend/server.js")
        try pm2.write(
            "#!/usr/bin/env node\n"
                + "const child = require('child_process').spawn('node', ['server.js'], {stdio: 'inherit'});\n"
                + "for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => child.kill(name));\n"
                + "child.on('exit', code => process.exit(code ?? 1));\n",
            to: "bin/npm", executable: true)
        try pm2.write(Self.artisan, to: "backend/artisan")
    }

    /// An Express-like back end in `DIRECTORY/index.js` with its port in `DIRECTORY/.env`.
    func buildBackend(_ directory: String, port: Int) throws {
        try pm2.write("PORT=\(port)\n", to: "\(directory)/.env")
        try pm2.write(
            "const env = require('fs').readFileSync('.env', 'utf8');\n"
                + "process.env.PORT = /PORT=(\\d+)/.exec(env)[1];\n" + Self.server, to: "\(directory)/index.js")
    }

    /// Waits until a URL of this machine answers 200.
    func answers(_ port: Int, _ path: String = "/") throws {
        try pm2.home.eventually("port \(port) answers 200") { try self.status(port, path) == "200" }
    }

    func status(_ port: Int, _ path: String = "/") throws -> String {
        try pm2.sh("curl -sS -o /dev/null -w '%{http_code}' http://127.0.0.1:\(port)\(path)").output
    }

    func body(_ port: Int) throws -> String { try pm2.sh("curl -sS http://127.0.0.1:\(port)/").output }

    /// Says on which port it listens and which NODE_ENV it has; writes an error line for the error log.
    private static let server = """
        const http = require('http');
        const port = Number(process.env.PORT);
        http.createServer((request, response) => {
          response.end(`${process.env.NODE_ENV || 'none'} ${process.pid}\\n`);
        }).listen(port, '127.0.0.1', () => {
          console.log(`listening on ${port}`);
          console.error(`no cache on ${port}`);
        });

        """

    /// `artisan serve --host=H --port=P`, which like Laravel's runs PHP's own server as its child.
    private static let artisan = """
        <?php
        foreach (array_slice($argv, 1) as $word) {
            if (preg_match('/^--(host|port)=(.+)$/', $word, $found)) { $options[$found[1]] = $found[2]; }
        }
        if (($argv[1] ?? '') !== 'serve') { fwrite(STDERR, "unknown command\\n"); exit(1); }
        file_put_contents('router.php', '<?php echo "ok\\n";');
        echo "Server running on {$options['host']}:{$options['port']}\\n";
        pcntl_exec(PHP_BINARY, ['-S', "{$options['host']}:{$options['port']}", 'router.php']);

        """
}
