-- What every load prints when it is done: one line of JSON.
function done(summary, latency, requests)
    local wrong = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
    print(string.format('{"rate": %.1f, "p50_ms": %.3f, "p99_ms": %.3f, "requests": %d, "errors": %d}',
        summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.requests, wrong))
end
