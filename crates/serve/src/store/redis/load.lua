-- How much there is to do.
local totals = redis.call('HMGET', P .. 'totals', 'open.rows', 'open.octets')
local first = redis.call('ZRANGEBYLEX', P .. 'state:queued', '-', '+', 'LIMIT', 0, 1)[1]
local oldest = 0
if first then oldest = math.max(0, now - redis.call('HGET', job_key(first), 'created')) end
return {redis.call('ZCARD', P .. 'state:queued'), redis.call('ZCARD', P .. 'state:running'),
  redis.call('ZCARD', P .. 'state:dead'), tonumber(totals[1] or 0), tonumber(totals[2] or 0), oldest}
