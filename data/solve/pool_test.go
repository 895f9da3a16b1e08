package solve

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

// trajectoryBytes returns the bytes of a fake trajectory with the given number of frames,
// including its constant field.
func trajectoryBytes(frames int) int64 { return int64(4 * 64 * (frames + 1)) }

// settle waits until the workers have nothing to do or no memory to do it.
func settle(t testing.TB, p *Pool, simulated int) {
	require.Eventually(t, func() bool { return p.Stats().Simulated >= simulated }, 10*time.Second, time.Millisecond)
	time.Sleep(20 * time.Millisecond)
}

// TestPoolMemory: trajectories that wait for their first reader stay in memory, finished
// trajectories are evicted first, and announced trajectories wait for room.
func TestPoolMemory(t *testing.T) {
	var started atomic.Int64
	var log bytes.Buffer
	p, s := newTestStream(t, PoolOptions{Workers: 1, Memory: 3 * trajectoryBytes(4), Log: slog.New(slog.NewTextHandler(&log, nil))},
		StreamOptions{System: fakeSystem(&started, nil), Frames: 4, Windows: 2})
	for i := range 6 {
		s.Prefetch(i)
		s.Prefetch(i)
	}
	settle(t, p, 3)
	require.Equal(t, 3, p.Stats().Simulated, "as many as there is room for")
	readWhole(t, s, 0)
	readWhole(t, s, 0) // finished: evicted to make room for 3
	settle(t, p, 4)
	require.Equal(t, 4, p.Stats().Simulated)
	require.LessOrEqual(t, p.bytes, 3*trajectoryBytes(4))
	for i := 1; i < 6; i++ {
		readWhole(t, s, i)
		readWhole(t, s, i)
	}
	require.Equal(t, int64(6), started.Load(), "each once")
	require.Zero(t, p.Stats().Again)
	require.Empty(t, log.String())

	// A resumed run reads some windows of 7 and continues with 8: 7 is evicted.
	readWhole(t, s, 7)
	readWhole(t, s, 8)
	readWhole(t, s, 8)
	for i := 9; i < 12; i++ {
		s.Prefetch(i)
	}
	settle(t, p, 11)
	require.Zero(t, p.Stats().Again)

	for i := 20; i < 24; i++ {
		readWhole(t, s, i) // one window of two
	}
	readWhole(t, s, 20)
	require.Positive(t, p.Stats().Again)
	require.Contains(t, log.String(), "the memory for simulations is too small")
}

// TestPoolUrgent: a trajectory for which a reader waits is simulated before the announced
// trajectories, even if it was announced last or memory has no room for it.
func TestPoolUrgent(t *testing.T) {
	var started atomic.Int64
	hold := make(chan struct{}, 100)
	p, s := newTestStream(t, PoolOptions{Workers: 1, Memory: trajectoryBytes(2)}, StreamOptions{System: fakeSystem(&started, func(int64, float64) error { <-hold; return nil }), Frames: 2})
	for i := range 5 {
		s.Prefetch(i)
	}
	for range 100 {
		hold <- struct{}{}
	}
	readWhole(t, s, 4)
	require.LessOrEqual(t, started.Load(), int64(2), "0, which was begun, and 4")
	readWhole(t, s, 9)
	require.LessOrEqual(t, p.bytes, trajectoryBytes(2))
}

func cachePool(t testing.TB, dir string, budget int64, log *bytes.Buffer) (*Pool, *Stream, *atomic.Int64) {
	var started atomic.Int64
	p, s := newTestStream(t, PoolOptions{Workers: 1, Memory: 1, CacheDir: dir, CacheBytes: budget, Log: slog.New(slog.NewTextHandler(log, nil))},
		StreamOptions{System: fakeSystem(&started, nil), Frames: 4, Windows: 1, Seed: 7})
	return p, s, &started
}

func cachedFiles(t testing.TB, dir string) (files []string, total int64) {
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	for _, f := range files {
		info, err := os.Stat(f)
		require.NoError(t, err)
		total += info.Size()
	}
	return files, total
}

// TestPoolCache: a second pool reads the trajectories of the first from the folder and
// returns the same windows. The budget always holds, and the oldest files are removed
// first.
func TestPoolCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "cache")
	var log bytes.Buffer
	_, s, _ := cachePool(t, dir, 1<<20, &log)
	want := readWhole(t, s, 0)
	_, one := cachedFiles(t, dir)
	for i := 1; i < 5; i++ {
		readWhole(t, s, i)
	}
	files, _ := cachedFiles(t, dir)
	require.Len(t, files, 5)

	p, s, started := cachePool(t, dir, 1<<20, &log)
	require.Equal(t, want, readWhole(t, s, 0))
	require.Zero(t, started.Load())
	require.Equal(t, PoolStats{Cached: 1}, withoutTime(p))

	budget := 3*one + 100 // the files' lengths differ by a few digits
	_, s, started = cachePool(t, dir, budget, &log)
	for i := range 12 {
		readWhole(t, s, i)
		_, total := cachedFiles(t, dir)
		require.LessOrEqual(t, total, budget)
	}
	files, _ = cachedFiles(t, dir)
	require.Len(t, files, 3)
	n := started.Load()
	readWhole(t, s, 11)
	require.Equal(t, n, started.Load(), "the newest is there")
	readWhole(t, s, 0)
	require.Equal(t, n+1, started.Load(), "the oldest is not")
	require.Empty(t, log.String())

	_, s, _ = cachePool(t, dir, 10, &log)
	files, _ = cachedFiles(t, dir)
	require.Empty(t, files, "a smaller budget holds from the start")
	readWhole(t, s, 0)
	readWhole(t, s, 1)
	require.Contains(t, log.String(), "expected at most 10 bytes, the budget")
}

// TestPoolCacheDamaged: if a file is damaged, the trajectory is simulated with the same
// result and the file rewritten.
func TestPoolCacheDamaged(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	_, s, _ := cachePool(t, dir, 1<<20, &log)
	want := readWhole(t, s, 3)
	files, _ := cachedFiles(t, dir)
	require.Len(t, files, 1)
	good, err := os.ReadFile(files[0])
	require.NoError(t, err)
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	for name, raw := range map[string][]byte{
		"empty": {}, "short": good[:7], "cut": good[:len(good)-4], "longer": append(bytes.Clone(good), 0), "flipped": flipped, "zeros": make([]byte, len(good)),
	} {
		require.NoError(t, os.WriteFile(files[0], raw, 0o666))
		log.Reset()
		_, s, started := cachePool(t, dir, 1<<20, &log)
		require.Equal(t, want, readWhole(t, s, 3), name)
		require.Equal(t, int64(1), started.Load(), name)
		require.Contains(t, log.String(), "cannot be used and is simulated again", name)
		again, err := os.ReadFile(files[0])
		require.NoError(t, err)
		require.Equal(t, good, again, name)
	}
	part := filepath.Join(dir, "x"+atomicfile.Suffix)
	require.NoError(t, os.WriteFile(part, good, 0o666))
	old := time.Now().Add(-2 * time.Hour)
	require.NoError(t, os.Chtimes(part, old, old))
	cachePool(t, dir, 1<<20, &log)
	require.NoFileExists(t, part, "left by a process that was killed")
}
