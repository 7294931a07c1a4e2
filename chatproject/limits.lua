-- GCRA (generic cell rate algorithm): KEYS[1] holds the theoretical arrival time in microseconds.
-- ARGV[1] period in microseconds, ARGV[2] how many a period allows.
-- Returns {1 or 0, how many remain, microseconds until full again, microseconds until the next may pass}.
-- One script is one step in Redis, and its clock is the only one: nodes cannot race or disagree.
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local period = tonumber(ARGV[1])
local interval = math.floor(period / tonumber(ARGV[2]))
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local following = arrival + interval
if following - now > period then
  return {0, 0, arrival - now, following - period - now}
end
-- '%.0f': the default number format would round to 14 digits.
redis.call('SET', KEYS[1], string.format('%.0f', following), 'PX', math.ceil((following - now) / 1000))
return {1, math.floor((period - (following - now)) / interval), following - now, 0}
