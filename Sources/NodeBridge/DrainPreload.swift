/// A script that Node loads before the app (`node -r`), so that a worker that is asked to disconnect loses no request.
///
/// Node by itself closes idle keep-alive connections at once, on which a request may be under way, and keeps busy ones
/// alive for as long as their clients like. With it, a draining worker answers what still comes and closes each
/// connection behind the answer; connections without a request are closed after the grace (`HEARTH_DRAIN_GRACE`, ms).
package enum DrainPreload {
    package static let variable = "HEARTH_DRAIN_GRACE"
    package static let fileName = "drain.cjs"

    package static let text = #"""
        // Of Hearth: lets a cluster worker that is asked to disconnect end without losing a request.
        // Switched off by `drain: false` in the app's file.
        'use strict';
        (() => {
            const given = Number(process.env.HEARTH_DRAIN_GRACE);
            const grace = Number.isFinite(given) && given >= 0 ? given : 300;
            delete process.env.HEARTH_DRAIN_GRACE;
            if (!require('cluster').isWorker || !process.send) return;
            try {
                let draining = false;
                // Before Node's own listener, which closes the servers at once.
                process.prependListener('internalMessage', message => {
                    if (message && message.cmd === 'NODE_CLUSTER' && message.act === 'disconnect') draining = true;
                });
                require('diagnostics_channel').subscribe('http.server.request.start', ({ response }) => {
                    if (draining) response.shouldKeepAlive = false;
                });
                const { Server } = require('http');
                const closeIdle = Server.prototype.closeIdleConnections;
                if (typeof closeIdle !== 'function') return;
                Server.prototype.closeIdleConnections = function () {
                    if (!draining) return closeIdle.call(this);
                    // Open connections keep the process alive, these timers do not.
                    const again = () => {
                        closeIdle.call(this);
                        this.getConnections((error, count) => { if (count) setTimeout(again, 100).unref(); });
                    };
                    setTimeout(again, grace).unref();
                };
            } catch { /* A Node that has none of it drains as it does by itself. */ }
        })();

        """#
}
