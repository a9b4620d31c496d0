-- Sends the requests of all tokens in turn; prints the result as one line of JSON.
-- Filled in before: tokens, host, path, body.

local ready, turn = {}, 0

function init(args)
  for i, token in ipairs(tokens) do
    local headers = {
      ["Host"] = host, ["User-Agent"] = agent, ["Accept"] = accept,
      ["Authorization"] = "Bearer " .. token,
    }
    if body then
      headers["Content-Type"] = accept
      ready[i] = wrk.format("POST", path, headers, body)
    else
      ready[i] = wrk.format("GET", path, headers)
    end
  end
end

function request()
  turn = turn % #ready + 1
  return ready[turn]
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"errors":%d,"took_us":%d,"p50_us":%d,"p99_us":%d,"p999_us":%d}\n',
    summary.requests, e.connect + e.read + e.write + e.status + e.timeout, summary.duration,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
