-- A place among an account's streams: taken, or kept by whoever has it.
-- KEYS: streams (session -> when last heard of), about (session -> what the others are shown),
--       sessions (session -> expiry)
-- ARGV: session, limit, seconds after which a silent stream has lost its place, about, expiry,
--       how many streams to show
-- 1, or what is shown of the streams that take all places.
local now = tonumber(redis.call('TIME')[1])
local session, limit, quiet = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
for _, silent in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - quiet)) do
  redis.call('ZREM', KEYS[1], silent)
  redis.call('HDEL', KEYS[2], silent)
end
if not redis.call('ZSCORE', KEYS[1], session) and redis.call('ZCARD', KEYS[1]) >= limit then
  local shown = redis.call('ZREVRANGE', KEYS[1], 0, tonumber(ARGV[6]) - 1)
  return #shown > 0 and redis.call('HMGET', KEYS[2], unpack(shown)) or {}
end
redis.call('ZADD', KEYS[1], now, session)
redis.call('EXPIRE', KEYS[1], quiet * 2)
redis.call('HSET', KEYS[2], session, ARGV[4])
redis.call('EXPIRE', KEYS[2], quiet * 2)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
redis.call('ZADD', KEYS[3], ARGV[5], session)
redis.call('EXPIREAT', KEYS[3], math.floor(tonumber(redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2])))
return 1
