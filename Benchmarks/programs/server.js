// An ordinary HTTP server; answers after 5 to 25 ms where DELAY is set. Nothing here knows of any process manager,
// but for `ready`, which is said if the file READY is there.
'use strict';

const fs = require('fs');

const answer = (response) => response.end(`pid ${process.pid}\n`);
const server = require('http').createServer((request, response) => {
    if (process.env.DELAY) setTimeout(answer, 5 + 20 * Math.random(), response);
    else answer(response);
});

server.listen(Number(process.env.PORT), '127.0.0.1', () => {
    if (process.env.READY && fs.existsSync(process.env.READY)) process.send('ready');
});
