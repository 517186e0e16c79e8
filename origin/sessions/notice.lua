-- Something all workers are to know: told to those who listen, and kept for those who ask.
-- KEYS: where it is kept (what -> when); ARGV: channel, kind, for how many seconds, "once" to leave
-- what is there already or "again", what, what, ...
local time = redis.call('TIME')
local now = time[1] .. '.' .. string.format('%06d', time[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', time[1] - ARGV[3])
for at = 5, #ARGV do
  if ARGV[4] == 'again' or not redis.call('ZSCORE', KEYS[1], ARGV[at]) then
    redis.call('ZADD', KEYS[1], now, ARGV[at])
    redis.call('PUBLISH', ARGV[1], ARGV[2] .. ' ' .. now .. ' ' .. ARGV[at])
  end
end
return now
