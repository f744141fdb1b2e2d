// A plain HTTP server: what `hearth start server.js` runs without any change.
'use strict';
const http = require('node:http');

const port = Number(process.env.PORT || 48101);
const started = Date.now();

const server = http.createServer((request, response) => {
  if (request.url === '/health') {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ ok: true, pid: process.pid, uptimeMs: Date.now() - started }) + '\n');
    return;
  }
  console.log(`${request.method} ${request.url}`);
  response.writeHead(200, { 'Content-Type': 'text/plain' });
  response.end(`Hello from Node ${process.version}, pid ${process.pid}\n`);
});

server.listen(port, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${port}`));

// `hearth stop` sends SIGTERM: finish what is being answered, then leave.
process.on('SIGTERM', () => {
  console.log('SIGTERM: closing');
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
