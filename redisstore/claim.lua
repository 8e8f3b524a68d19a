-- ARGV: token, lease, retention, note. Returns status, now, expires, first, lapsed, and note or value.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function text(n) return string.format('%.0f', n) end
local h = redis.call('HMGET', KEYS[1], 's', 't', 'e', 'f', 'l', 'n', 'v')
if h[1] == 'c' then
  return {'c', text(now), '', '', '', h[7] or ''}
end
if h[1] == 'h' and h[2] == ARGV[1] then -- this script ran before, and its reply was lost
  local note = ''
  if h[5] ~= '' then note = h[6] or '' end
  return {'g', text(now), h[3], h[4], h[5], note}
end
if h[1] == 'h' and tonumber(h[3]) > now then
  return {'h', text(now), h[3], '', '', h[6] or ''}
end
local expires, first, lapsed, note = text(now + ARGV[2]), text(now), '', ''
if h[1] == 'h' then -- it lapsed: its note remains until it is renewed
  first, lapsed, note = h[4], h[3], h[6] or ''
else
  redis.call('HSET', KEYS[1], 'n', ARGV[4])
end
redis.call('HSET', KEYS[1], 's', 'h', 't', ARGV[1], 'e', expires, 'f', first, 'l', lapsed, 'r', ARGV[3])
redis.call('PEXPIRE', KEYS[1], math.ceil((ARGV[2] + ARGV[3]) / 1000))
return {'g', text(now), expires, first, lapsed, note}
