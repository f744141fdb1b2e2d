// A plain Node server. With `instances` it becomes a cluster: nothing here knows of it.
'use strict';

const http = require('http');

// A setting that is checked at the start, as real apps have them: a wrong one must not take the running version down.
if (process.env.MODE === 'broken') throw new Error("MODE is 'broken'");

const version = process.env.VERSION || '1';
const server = http.createServer((request, response) => {
    response.end(`version ${version}, pid ${process.pid}\n`);
});

server.listen(Number(process.env.PORT) || 48104, '127.0.0.1');
