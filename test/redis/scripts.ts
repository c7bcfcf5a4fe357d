/** Adds ARGV[1] to a number and tells the sum. */
export const INCREMENT = { name: 'increment', lua: "return redis.call('INCRBY', KEYS[1], ARGV[1])" };
