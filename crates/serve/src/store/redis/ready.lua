-- Whether Redis writes; when it is only full it is ready all the same, for jobs end.
permit()
redis.call('SET', P .. 'ready', whole(now))
return 1
