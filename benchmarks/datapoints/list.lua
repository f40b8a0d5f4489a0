-- Asks for the latest hundred datapoints.
function request()
    return wrk.format("GET", "/datapoints?number=100")
end
dofile(os.getenv("BENCH_REPORT"))
