-- A field of a session that is there, and no session where there is none.
-- KEYS: the session; ARGV: field, value. The session's fields, or nothing.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if ARGV[1] == 'expiry' then
  redis.call('EXPIREAT', KEYS[1], ARGV[2])
end
return redis.call('HMGET', KEYS[1], 'is', 'expiry', 'position')
