// Node's own cluster with its default, round robin: two workers that run server.js.
'use strict';

const cluster = require('cluster');
const path = require('path');

cluster.setupPrimary({ exec: path.join(__dirname, 'server.js') });
for (let index = 0; index < 2; index++) cluster.fork();
