-- The generic cell rate algorithm: a bucket is when its last request would have come, had all come
-- evenly. KEYS: the bucket; ARGV: microseconds between two, microseconds that may be owed.
-- Microseconds to wait: 0 where the request may be.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local apart, owed = tonumber(ARGV[1]), tonumber(ARGV[2])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
if due - now > owed then
  return due - now - owed
end
redis.call('SET', KEYS[1], string.format('%d', due + apart), 'PX', math.ceil((due + apart - now) / 1000))
return 0
