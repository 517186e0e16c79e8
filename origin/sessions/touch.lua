-- An index, which is used now; or nothing, and nothing said of it any more.
-- KEYS: the index, used (index -> when), sizes (index -> bytes); ARGV: seconds it is kept unused
local data = redis.call('GET', KEYS[1])
if data then
  local time = redis.call('TIME')
  local now = time[1] .. '.' .. string.format('%06d', time[2])
  redis.call('ZADD', KEYS[2], 'XX', now, KEYS[1])
  for at = 1, 3 do
    redis.call('EXPIRE', KEYS[at], ARGV[1])
  end
else
  redis.call('ZREM', KEYS[2], KEYS[1])
  redis.call('HDEL', KEYS[3], KEYS[1])
end
return data
