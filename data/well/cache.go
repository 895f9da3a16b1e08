package well

// cacheKey identifies the constants of one trajectory of a file. The trajectory is -1 if
// all trajectories of the file share them.
type cacheKey struct{ file, trajectory int }

// defaultCacheBytes bounds the arrays of constant fields in memory.
const defaultCacheBytes = 64 << 20
