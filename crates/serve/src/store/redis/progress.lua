-- Says how far a part is.
local id, number, fence, progress = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
permit()
local part, wish = held(id, number, fence)
if not part then return {false} end
touch(id, 'progress', progress)
return {wish, redis.call('GET', P .. 'revision')}
