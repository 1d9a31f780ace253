-- What the chunks of a job came to, in their order.
local id, results = ARGV[2], {}
if redis.call('EXISTS', parts_key(id)) == 0 then return results end
for number = 1, redis.call('HGET', job_key(id), 'parts') - 2 do
  table.insert(results, redis.call('HGET', parts_key(id), 'r' .. whole(number)))
end
return results
