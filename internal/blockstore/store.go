// Package blockstore keeps blocks of files in a folder of bounded size. Several processes
// may use one folder at the same time.
//
// Each block is a separate file with a header that names the block and holds a checksum
// of the content. It is written under a temporary name and renamed. A block that is
// damaged, cut off or belongs to another file is removed when it is read, and counts as
// missing. The time of modification of a block is that of its last use, to within
// [touchAfter]; the least recently used blocks are removed first.
package blockstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// Store is an open folder. It is safe for concurrent use.
type Store struct {
	dir   string
	bound int64

	mu      sync.Mutex
	used    int64 // bytes of all blocks at the last scan and of those written since
	fresh   int64 // bytes written since the last scan
	writing int64 // bytes of the blocks that are being written
}

// temporary is the beginning of the names of this process's temporary files.
var temporary = fmt.Sprintf("new-%d-", os.Getpid())

const (
	// touchAfter is the age of the recorded last use from which on a use is recorded.
	touchAfter = 10 * time.Second
	// abandoned is the age from which on a temporary file is left from a process that ended.
	abandoned = time.Hour
	// scanShare is the share of the bound that one process writes between two scans: n
	// processes may exceed the bound by n-1 shares until the next scan.
	scanShare = 16
)

// headerSize is the size of the header in bytes: magic, SHA-256 of the key, number, length
// and CRC-32C of all of these and the content.
const headerSize = 8 + sha256.Size + 8 + 4 + 4

var (
	magic = []byte("gwblock1")
	table = crc32.MakeTable(crc32.Castagnoli)
)

// Open opens a folder, and creates it if it is missing. bound is the size of all blocks in
// bytes.
func Open(dir string, bound int64) (*Store, error) {
	if bound < 1 {
		return nil, fmt.Errorf("block cache %s: expected a bound of 1 byte or more, got %d", dir, bound)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("block cache: %w", err)
	}
	s := &Store{dir: dir, bound: bound}
	if err := s.makeRoom(0); err != nil {
		return nil, fmt.Errorf("block cache: %w", err)
	}
	return s, nil
}

// folder returns the folder of a key.
func (s *Store) folder(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(s.dir, fmt.Sprintf("%x", sum[:16]))
}

func (s *Store) path(key string, number int64) string {
	return filepath.Join(s.folder(key), fmt.Sprintf("%016x", number))
}

// blockName matches the names of blocks.
var blockName = regexp.MustCompile(`^[0-9a-f]{16}$`)

// header returns the header of a block's file.
func header(key string, number int64, data []byte) []byte {
	sum := sha256.Sum256([]byte(key))
	b := append(slices.Clone(magic), sum[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(number))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	return binary.LittleEndian.AppendUint32(b, crc32.Update(crc32.Checksum(b, table), table, data))
}

// Has reports whether there is a file for a block. It does not verify it.
func (s *Store) Has(key string, number int64) bool {
	_, err := os.Stat(s.path(key, number))
	return err == nil
}

// Get returns the content of a block, or false if it is missing or damaged. A damaged block
// is removed.
func (s *Store) Get(key string, number int64) ([]byte, bool) {
	path := s.path(key, number)
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, false
	}
	if len(raw) < headerSize || !bytes.Equal(raw[:headerSize], header(key, number, raw[headerSize:])) {
		s.remove(path, int64(len(raw)))
		return nil, false
	}
	if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > touchAfter {
		now := time.Now()
		_ = os.Chtimes(path, now, now) // only the order of removal depends on it
	}
	return raw[headerSize:], true
}

// remove removes a file of the given size, if it is still there.
func (s *Store) remove(path string, size int64) {
	if os.Remove(path) == nil {
		s.mu.Lock()
		s.used -= size
		s.mu.Unlock()
	}
}

// Put stores a block, and removes others to make room. It does not store a block that is
// larger than the bound.
func (s *Store) Put(key string, number int64, data []byte) error {
	size := int64(headerSize + len(data))
	if size > s.bound {
		return nil
	}
	if err := s.reserve(size); err != nil {
		return fmt.Errorf("block cache: %w", err)
	}
	err := s.write(s.folder(key), s.path(key, number), header(key, number, data), data)
	s.mu.Lock()
	s.writing -= size
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("block cache: %w", err)
	}
	return nil
}

// write writes a file under a temporary name and renames it. It does not flush the file to
// disk: after a crash of the machine the checksum tells.
func (s *Store) write(dir, path string, parts ...[]byte) error {
	f, err := os.CreateTemp(dir, temporary+"*")
	for tries := 0; errors.Is(err, fs.ErrNotExist) && tries < 8; tries++ {
		// Another process may remove the empty folder between the two calls.
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		f, err = os.CreateTemp(dir, temporary+"*")
	}
	if err != nil {
		return err
	}
	for _, part := range parts {
		if err == nil {
			_, err = f.Write(part)
		}
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// Drop removes all blocks of a key.
func (s *Store) Drop(key string) error {
	if err := os.RemoveAll(s.folder(key)); err != nil {
		return fmt.Errorf("block cache: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fresh = s.bound // scan before the next write
	return nil
}

// reserve counts bytes that will be written, and makes room for them.
func (s *Store) reserve(size int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used+size > s.bound || s.fresh+size > max(s.bound/scanShare, size) {
		if err := s.makeRoom(size); err != nil {
			return err
		}
	}
	s.used += size
	s.fresh += size
	s.writing += size
	return nil
}

// file is a file in a key's folder.
type file struct {
	path string
	size int64
	used time.Time
}

// makeRoom measures the folder and removes blocks if they and size more bytes exceed the
// bound. A lock keeps other processes from removing more at the same time. The caller holds
// s.mu, or is the only user.
func (s *Store) makeRoom(size int64) error {
	lock := flock.New(filepath.Join(s.dir, "lock"))
	if err := lock.Lock(); err != nil {
		return err
	}
	defer lock.Unlock()
	files, sum, err := s.scan()
	if err != nil {
		return err
	}
	sum += s.writing
	for _, f := range files {
		sum += f.size
	}
	if sum+size > s.bound {
		slices.SortFunc(files, func(a, b file) int { return a.used.Compare(b.used) })
		for _, f := range files {
			if sum+size <= s.bound-s.bound/scanShare {
				break
			}
			if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			_ = os.Remove(filepath.Dir(f.path)) // fails unless the folder is empty
			sum -= f.size
		}
	}
	s.used, s.fresh = sum, 0
	return nil
}

// scan lists the blocks and returns the size of other processes' temporary files. It removes
// abandoned temporary files, and ignores files with other names.
func (s *Store) scan() (files []file, unfinished int64, err error) {
	folders, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, 0, err
	}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		dir := filepath.Join(s.dir, folder.Name())
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, 0, err
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			info, err := e.Info()
			switch {
			case err != nil: // removed by another process
			case blockName.MatchString(e.Name()):
				files = append(files, file{path, info.Size(), info.ModTime()})
			case !strings.HasPrefix(e.Name(), "new-") || strings.HasPrefix(e.Name(), temporary):
			case time.Since(info.ModTime()) > abandoned:
				_ = os.Remove(path)
			default:
				unfinished += info.Size()
			}
		}
	}
	return files, unfinished, nil
}
