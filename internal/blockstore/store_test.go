package blockstore_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/blockstore"
)

func TestMain(m *testing.M) {
	if runtime.GOOS == "js" {
		fmt.Println("skipped: the store needs file locks, which js/wasm does not have")
		return
	}
	if dir := os.Getenv("BLOCKSTORE_DIR"); dir != "" {
		writeMany(dir)
		return
	}
	os.Exit(m.Run())
}

// block returns the content of block number.
func block(number int64) []byte { return bytes.Repeat([]byte{byte(number), byte(number >> 8)}, 500) }

// blocks returns the paths of the blocks of a folder and their size.
func blocks(t *testing.T, dir string) (paths []string, size int64) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "lock" {
			return err
		}
		info, err := d.Info()
		paths, size = append(paths, path), size+info.Size()
		return err
	}))
	return paths, size
}

func open(t *testing.T, dir string, bound int64) *blockstore.Store {
	t.Helper()
	s, err := blockstore.Open(dir, bound)
	require.NoError(t, err)
	return s
}

// TestStore: blocks are there again after a restart, by key and number.
func TestStore(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	require.NoError(t, s.Put("a", 1, block(1)))
	require.NoError(t, s.Put("a", 2, nil))
	require.NoError(t, s.Put("b", 1, block(7)))
	s = open(t, dir, 1<<20)
	for _, tt := range []struct {
		key    string
		number int64
		want   []byte
	}{{"a", 1, block(1)}, {"a", 2, []byte{}}, {"b", 1, block(7)}} {
		got, ok := s.Get(tt.key, tt.number)
		assert.True(t, ok && bytes.Equal(tt.want, got) && s.Has(tt.key, tt.number), tt.key)
	}
	_, ok := s.Get("b", 2)
	assert.False(t, ok)
	require.NoError(t, s.Drop("a"))
	_, ok = s.Get("a", 1)
	assert.False(t, ok)
	_, ok = s.Get("b", 1)
	assert.True(t, ok)
}

// TestBound: the blocks that were not used for the longest time are removed, also those of
// an earlier process, and the folder never exceeds its bound.
func TestBound(t *testing.T) {
	dir := t.TempDir()
	const bound = 20 * 1060 // 20 blocks
	s := open(t, dir, bound)
	for i := range int64(18) {
		require.NoError(t, s.Put("a", i, block(i)))
	}
	paths, _ := blocks(t, dir)
	require.Len(t, paths, 18)
	for i, path := range paths { // in the order of their numbers
		old := time.Now().Add(time.Duration(i-100) * time.Minute)
		require.NoError(t, os.Chtimes(path, old, old))
	}
	_, ok := s.Get("a", 0) // the oldest one is used
	require.True(t, ok)
	s = open(t, dir, bound)
	for i := int64(18); i < 28; i++ {
		require.NoError(t, s.Put("b", i, block(i)))
		_, size := blocks(t, dir)
		require.LessOrEqual(t, size, int64(bound))
	}
	assert.True(t, s.Has("a", 0), "used last")
	assert.False(t, s.Has("a", 1))
	assert.True(t, s.Has("b", 27))
	s = open(t, dir, bound/4) // a smaller bound
	_, size := blocks(t, dir)
	assert.LessOrEqual(t, size, int64(bound/4))
	require.NoError(t, s.Put("c", 1, make([]byte, bound))) // larger than the bound
	assert.False(t, s.Has("c", 1))
	_, err := blockstore.Open(dir, 0)
	assert.ErrorContains(t, err, "expected a bound of 1 byte or more, got 0")
}

// TestDamage: every change of a block's file is noticed, and the block can be stored again.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	require.NoError(t, s.Put("a", 1, block(1)))
	paths, _ := blocks(t, dir)
	path := paths[0]
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, s.Put("b", 1, block(1)))
	require.NoError(t, s.Put("a", 2, block(1)))
	paths, _ = blocks(t, dir)
	require.Len(t, paths, 3)
	damaged := [][]byte{nil, whole[:10], whole[:len(whole)-1], append(bytes.Clone(whole), 0), []byte("a foreign file")}
	for at := range whole {
		if at < 80 || at%97 == 0 {
			b := bytes.Clone(whole)
			b[at] ^= 1 << (at % 8)
			damaged = append(damaged, b)
		}
	}
	for _, other := range paths {
		if b, err := os.ReadFile(other); other != path && assert.NoError(t, err) {
			damaged = append(damaged, b) // another block under this name
		}
	}
	for _, b := range damaged {
		require.NoError(t, os.WriteFile(path, b, 0o644))
		_, ok := s.Get("a", 1)
		require.False(t, ok)
		require.NoFileExists(t, path)
	}
	require.NoError(t, s.Put("a", 1, block(1)))
	got, ok := s.Get("a", 1)
	assert.True(t, ok && bytes.Equal(block(1), got))
}

// TestStrangers: files that are no blocks stay, abandoned temporary files do not.
func TestStrangers(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	require.NoError(t, s.Put("a", 1, block(1)))
	paths, _ := blocks(t, dir)
	inner := filepath.Dir(paths[0])
	for _, name := range []string{filepath.Join(dir, "notes.txt"), filepath.Join(inner, "notes.txt"), filepath.Join(inner, "new-1"), filepath.Join(inner, "new-2")} {
		require.NoError(t, os.WriteFile(name, make([]byte, 4000), 0o644))
	}
	old := time.Now().Add(-2 * time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(inner, "new-2"), old, old))
	open(t, dir, 5000) // less than the block and the other temporary file
	assert.FileExists(t, filepath.Join(dir, "notes.txt"))
	assert.FileExists(t, filepath.Join(inner, "notes.txt"))
	assert.FileExists(t, filepath.Join(inner, "new-1"))
	assert.NoFileExists(t, filepath.Join(inner, "new-2"))
	assert.NoFileExists(t, paths[0])
}

// processBound is the bound of the stores of writeMany: 30 blocks.
const processBound = 30 * 1060

// writeMany writes and reads blocks from several goroutines. It prints blocks with a wrong
// content.
func writeMany(dir string) {
	s, err := blockstore.Open(dir, processBound)
	if err != nil {
		fmt.Println(err)
		return
	}
	var all sync.WaitGroup
	for g := range int64(4) {
		all.Go(func() {
			for i := range int64(100) {
				number := (i*7 + g*13) % 60
				key := fmt.Sprint("key ", number%3)
				if got, ok := s.Get(key, number); ok && !bytes.Equal(got, block(number)) {
					fmt.Println("wrong content of block", number)
				}
				if err := s.Put(key, number, block(number)); err != nil {
					fmt.Println(err)
				}
			}
		})
	}
	all.Wait()
}

// TestProcesses: several processes use one folder.
func TestProcesses(t *testing.T) {
	dir := t.TempDir()
	const processes = 3
	var all sync.WaitGroup
	for range processes {
		all.Go(func() {
			c := exec.CommandContext(t.Context(), os.Args[0])
			c.Env = append(os.Environ(), "BLOCKSTORE_DIR="+dir)
			out, err := c.CombinedOutput()
			assert.NoError(t, err)
			assert.Empty(t, string(out))
		})
	}
	all.Wait()
	_, size := blocks(t, dir)
	assert.LessOrEqual(t, size, int64(processBound*(16+processes)/16))
	assert.Positive(t, size)
	open(t, dir, processBound)
	_, size = blocks(t, dir)
	assert.LessOrEqual(t, size, int64(processBound))
}
