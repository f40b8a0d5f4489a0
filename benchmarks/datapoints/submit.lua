-- Submits one small value a request, each with an id of its own, as the clients do.
local threads = 0
function setup(thread)
    thread:set("name", threads)
    threads = threads + 1
end
local number = 0
function request()
    number = number + 1
    local record = string.format(
        '%%7B%%22label%%22%%3A%%22load%%22%%2C%%22ownership_info%%22%%3A%%7B%%7D%%2C%%22data_type%%22%%3A%%22json%%22%%2C%%22datapoint_id%%22%%3A%%22L%s-%d-%d%%22' ..
        '%%2C%%22data_timestamp%%22%%3A%%222026-11-20T13%%3A13%%3A43.575470%%22%%2C%%22value%%22%%3A%%7B%%22temperature%%22%%3A23.5%%2C%%22unit%%22%%3A%%22C%%22%%7D%%7D',
        os.getenv("BENCH_RUN"), name, number)
    return wrk.format("POST", "/datapoint", { ["Content-Type"] = "application/x-www-form-urlencoded" }, "datapoint=" .. record)
end
dofile(os.getenv("BENCH_REPORT"))
