-- What every script begins with: the clock, the names of keys, and jobs, parts and tickets as they are kept.
--
-- KEYS[1] tells a cluster which node is meant; ARGV[1] is what all names of keys begin with, the same hash tag in each.
-- A script's own arguments begin at ARGV[2].
local P = ARGV[1]
local GROUP, CONSUMER = 'flowgait', 'worker'
-- What had begun (redelivered, given back, due again, a join) goes before what had not.
local FIRST, WORK = 'first', 'work'
-- States of parts: waiting with a ticket, waiting for a time, with a worker, done, a join before its chunks.
local WAITS, LATER, RUNS, DONE, PENDING = 'w', 'l', 'r', 'd', 'p'
local FIELDS = {'kind', 'order', 'owner', 'state', 'wish', 'rows', 'octets', 'created', 'started', 'ended', 'attempt',
  'parts_done', 'parts', 'progress', 'result', 'reason', 'worker', 'revision'}
-- Whose rows and octets are added up, and under which name.
local ADDED_UP = {queued = 'open', running = 'open', paused = 'paused'}

local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = math.floor(micros / 1000)

-- A whole number below 2^53 as a text; Lua's own way would round it.
local function whole(n) return string.format('%.0f', n) end
local function job_key(id) return P .. 'job:' .. id end
local function parts_key(id) return P .. 'parts:' .. id end

-- Lets a script run when Redis is full: it refuses a script's first write when that needs memory, and no later one, so as not to
-- stop half-way. What frees memory or ends a job must go on; only what takes a job in does without this.
local function permit() redis.call('HDEL', P .. 'meta', '') end

-- A job as Rust reads it.
local function row(id)
  local found = redis.call('HMGET', job_key(id), unpack(FIELDS))
  table.insert(found, 1, id)
  return found
end

-- Gives a job a new revision, and writes these fields with it.
-- It follows the clock, so that revisions grow even when a power cut took the last second of them.
local function touch(id, ...)
  local revision = whole(math.max((tonumber(redis.call('GET', P .. 'revision') or 0)) + 1, micros))
  redis.call('SET', P .. 'revision', revision)
  redis.call('ZADD', P .. 'changes', revision, id)
  redis.call('HSET', job_key(id), 'revision', revision, ...)
end

-- Moves a job from one state to another.
local function move(id, from, to)
  if from == to then return end
  redis.call('ZREM', P .. 'state:' .. from, id)
  redis.call('ZADD', P .. 'state:' .. to, 0, id)
  redis.call('HSET', job_key(id), 'state', to)
  local old, new = ADDED_UP[from], ADDED_UP[to]
  if old == new then return end
  local size = redis.call('HMGET', job_key(id), 'rows', 'octets')
  for at, what in ipairs({'.rows', '.octets'}) do
    -- Redis does not read '-0'.
    if size[at] ~= '0' then
      if old then redis.call('HINCRBY', P .. 'totals', old .. what, '-' .. size[at]) end
      if new then redis.call('HINCRBY', P .. 'totals', new .. what, size[at]) end
    end
  end
end

local function part_of(text)
  if not text then return nil end
  local state, fence, lost, ticket = string.match(text, '^(%a) (%d+) (%d+) (%S*)$')
  return {state = state, fence = tonumber(fence), lost = tonumber(lost), ticket = ticket}
end
local function read_part(id, number) return part_of(redis.call('HGET', parts_key(id), number)) end
local function part_text(part)
  return part.state .. ' ' .. whole(part.fence) .. ' ' .. whole(part.lost) .. ' ' .. part.ticket
end
local function write_part(id, number, part) redis.call('HSET', parts_key(id), number, part_text(part)) end

-- A ticket is an entry of a stream, and named by both.
local function add_ticket(stream, id, number)
  return stream .. ':' .. redis.call('XADD', P .. stream, '*', 'job', id, 'part', number)
end
local function split_ticket(ticket)
  local stream, entry = string.match(ticket, '^(%a+):(.+)$')
  return stream, entry
end
-- Drops a ticket that was delivered.
local function drop_ticket(ticket)
  local stream, entry = split_ticket(ticket)
  if not stream then return end
  redis.call('XACK', P .. stream, GROUP, entry)
  redis.call('XDEL', P .. stream, entry)
end

-- A part waits for a worker.
local function wait(id, number, part, stream)
  part.state, part.ticket = WAITS, add_ticket(stream, id, number)
  write_part(id, number, part)
end

-- The consumer group, made anew where it is missing; from the beginning, since a ticket read twice does no harm and one never read would.
local function ensure_groups()
  for _, stream in ipairs({FIRST, WORK}) do
    redis.pcall('XGROUP', 'CREATE', P .. stream, GROUP, '0', 'MKSTREAM')
  end
end
-- A command on a group.
local function grouped(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then
    if not string.find(answer.err, 'NOGROUP', 1, true) then error(answer.err, 0) end
    ensure_groups()
    answer = redis.call(...)
  end
  return answer
end

-- Parts whose time has come get their tickets.
local function due()
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', P .. 'delayed', '-inf', whole(now), 'LIMIT', 0, 100)) do
    redis.call('ZREM', P .. 'delayed', member)
    local id, number = string.match(member, '^(%S+) (%d+)$')
    local part = read_part(id, number)
    -- Of a job that is paused or has ended they stay as they are until it goes on.
    local state = redis.call('HGET', job_key(id), 'state')
    if part and part.state == LATER and (state == 'queued' or state == 'running') then
      wait(id, number, part, FIRST)
    end
  end
end
