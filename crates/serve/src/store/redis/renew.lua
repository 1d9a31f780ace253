-- Makes leases last anew; of each what a person wants of its job, or nothing where the claim does not hold.
permit()
local standings = {}
for at = 2, #ARGV, 3 do
  local id, number, fence = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local part, wish = held(id, number, fence)
  if part then renew(id, number, part) end
  table.insert(standings, wish or false)
end
return standings
