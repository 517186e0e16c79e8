-- An index, kept with those that were used of late, within a number of bytes.
-- KEYS: the index, used (index -> when), sizes (index -> bytes)
-- ARGV: content, bytes that all may take, seconds it is kept unused
local time = redis.call('TIME')
local size, limit = #ARGV[1], tonumber(ARGV[2])
if size > limit then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
redis.call('ZADD', KEYS[2], time[1] .. '.' .. string.format('%06d', time[2]), KEYS[1])
redis.call('HSET', KEYS[3], KEYS[1], size)
local total = 0
for _, bytes in ipairs(redis.call('HVALS', KEYS[3])) do
  total = total + bytes
end
while total > limit do
  local oldest = redis.call('ZPOPMIN', KEYS[2])[1]
  total = total - (redis.call('HGET', KEYS[3], oldest) or 0)
  redis.call('HDEL', KEYS[3], oldest)
  redis.call('UNLINK', oldest)
end
redis.call('EXPIRE', KEYS[2], ARGV[3])
redis.call('EXPIRE', KEYS[3], ARGV[3])
return 1
