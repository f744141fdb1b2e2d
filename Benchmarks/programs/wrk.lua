-- One line for support/load.py: microseconds, answered requests, and wrk's counts of errors.
done = function(summary)
    local errors = summary.errors
    io.write(string.format("\ntally %d %d %d %d %d %d %d\n", summary.duration, summary.requests,
        errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
