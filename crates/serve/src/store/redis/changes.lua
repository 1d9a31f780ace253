-- Jobs that changed after a revision, in order.
local jobs = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'changes', '(' .. ARGV[2], '+inf', 'LIMIT', 0, ARGV[3])) do
  table.insert(jobs, row(id))
end
return jobs
