-- Asks for the hundred datapoints of one label.
function request()
    return wrk.format("POST", "/datapoints/query", { ["Content-Type"] = "application/json" }, '{"label":"label-' .. math.random(0, 99) .. '"}')
end
dofile(os.getenv("BENCH_REPORT"))
