package hub

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"sync"
)

// source reads the blocks of one file: from memory, from the cache or by requests.
type source struct {
	t       *Tree
	name    string
	address string // of requests
	file    File   // in the hub's list; without checksum for a file of another server
	size    int64
	key     string   // of the blocks, which depends on the content
	whole   *os.File // the downloaded file, if the cache has it

	mu      sync.Mutex
	tag     string // identifies the version that the server sends, empty if unknown
	moved   string // the address to which the server redirects, empty if unknown
	waiting map[int64]*waiting
	ahead   map[int64]batch    // blocks that trigger a batch when they are read
	ends    map[int64]struct{} // blocks after the ends of prefetched ranges
	seen    []uint64           // bit set of the blocks that were in the cache; nil if not counted
	left    int64              // blocks that were not
	err     error              // of all later reads: the content is wrong, or the tree is closed
}

// waiting is a block that is being read.
type waiting struct {
	number int64
	done   chan struct{} // closed when data or err is set
	data   []byte
	err    error
}

// batch is a range of blocks to request ahead.
type batch struct{ first, n int64 }

const (
	// runBlocks is the largest number of blocks of one request.
	runBlocks = 4
	// windowBlocks is the number of blocks that one read requests before it waits for the
	// first.
	windowBlocks = 8
	// maxAhead bounds the blocks that are requested ahead of a sequential read.
	maxAhead = 16
	// maxMarks bounds the places in a file that are remembered as parts of sequential reads.
	maxMarks = 64
	// verified is the number of the block that says that the whole file was verified.
	verified = math.MaxInt64
)

// source returns the source of a file.
func (t *Tree) source(name string) (*source, error) {
	t.mu.Lock()
	s := t.opened[name]
	t.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, err := t.newSource(name)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if first := t.opened[name]; first != nil {
		return first, s.close()
	}
	t.opened[name] = s
	return s, nil
}

func (t *Tree) newSource(name string) (*source, error) {
	s := &source{t: t, name: name, waiting: map[int64]*waiting{}, ahead: map[int64]batch{}, ends: map[int64]struct{}{}}
	var version string
	if t.files != nil {
		endpoint, err := t.c.endpoint()
		if err != nil {
			return nil, err
		}
		s.file = t.files[name]
		s.size, s.address = s.file.Size, t.repo.fileURL(endpoint, name)
		version = "sha256 " + cmp.Or(s.file.SHA256, "blob "+s.file.Blob)
		if slot := newSlot(t.folder, name); slot.has(s.file) {
			if s.whole, err = os.Open(slot.path); err != nil {
				return nil, err
			}
		}
	} else {
		if t.query != "" && name != t.location.name {
			return nil, fmt.Errorf("the address of %s has a query, which is for that file alone: %w", t.address(t.location.name), os.ErrNotExist)
		}
		s.address = t.url(name, false)
		if err := s.probe(); err != nil {
			return nil, err
		}
		version = s.address + " " + cmp.Or(s.tag, rand.Text()) // without a tag no later program uses the blocks
	}
	s.key = fmt.Sprintf("%s, %d bytes in blocks of %d", version, s.size, t.block)
	if sum, _ := s.file.checksum(); sum != "" && s.whole == nil && !t.store.Has(s.key, verified) {
		s.left = s.blocks()
		s.seen = make([]uint64, (s.left+63)/64)
	}
	return s, nil
}

// stop makes later reads fail.
func (s *source) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = cmp.Or(s.err, fs.ErrClosed)
}

func (s *source) close() error {
	if s.whole == nil {
		return nil
	}
	return s.whole.Close()
}

// blocks returns the number of blocks.
func (s *source) blocks() int64 { return (s.size + s.t.block - 1) / s.t.block }

// length returns the size of a block in bytes.
func (s *source) length(number int64) int64 { return min(s.t.block, s.size-number*s.t.block) }

// readAt fills p from an offset. The bytes are inside the file.
func (s *source) readAt(p []byte, off int64) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	if s.whole != nil {
		n, err = s.whole.ReadAt(p, off)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return n, err
	}
	err = s.each(context.Background(), off, off+int64(len(p)), true, func(w *waiting) {
		from := max(off-w.number*s.t.block, 0)
		n += copy(p[n:], w.data[from:])
	})
	return n, err
}

// prefetch waits for the bytes [off, end).
func (s *source) prefetch(ctx context.Context, off, end int64) error {
	if s.whole != nil {
		return nil
	}
	first, last := off/s.t.block, (end-1)/s.t.block
	s.mu.Lock()
	_, follows := s.ends[first]
	if _, shared := s.ends[first+1]; shared { // the first block was the last one of the range before
		follows = true
	}
	trim(s.ends)
	s.ends[last+1] = struct{}{}
	s.mu.Unlock()
	if follows {
		s.claim(first, min(last-first+1, windowBlocks)) // before those that may be needed
		s.request(last+1, min(last-first+1, maxAhead))
	}
	return s.each(ctx, off, end, false, func(*waiting) {})
}

// each calls do for the blocks of the bytes [off, end), in order. direct says that a caller
// reads the bytes now, so that sequential reads are recognised by them.
func (s *source) each(ctx context.Context, off, end int64, direct bool, do func(*waiting)) error {
	first, last := off/s.t.block, (end-1)/s.t.block
	var window []*waiting
	next := first
	for number := first; number <= last; number++ {
		if n := min(number+windowBlocks, last+1) - next; n > 0 && (next == number || n >= windowBlocks/2 || next+n > last) {
			window = append(window, s.claim(next, n)...)
			next += n
		}
		if direct {
			s.reached(number)
		}
		w := window[0]
		window[0], window = nil, window[1:]
		select {
		case <-w.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if w.err != nil {
			return w.err
		}
		do(w)
	}
	return nil
}

// claim returns n blocks that were read or are being read. It starts to read those that are
// not.
func (s *source) claim(first, n int64) []*waiting {
	out := make([]*waiting, n)
	var fresh []*waiting
	s.mu.Lock()
	defer s.mu.Unlock() // after the start of the work: Tree.Close waits for it
	for i := range out {
		number := first + int64(i)
		if w := s.waiting[number]; w != nil {
			out[i] = w
			continue
		}
		w := &waiting{number: number, done: make(chan struct{})}
		out[i] = w
		if s.err != nil {
			w.err = s.err
			close(w.done)
		} else if data, ok := memory.Get(blockKey{s.key, number}); ok {
			w.data = data
			close(w.done)
		} else {
			s.waiting[number] = w
			fresh = append(fresh, w)
		}
	}
	for len(fresh) > 0 {
		n := 1
		for n < min(len(fresh), runBlocks) && fresh[n].number == fresh[0].number+int64(n) {
			n++
		}
		run := fresh[:n]
		fresh = fresh[n:]
		s.t.queued.Add(1)
		s.t.work.Go(func() {
			defer s.t.queued.Add(-1)
			s.run(run)
		})
	}
	return out
}

// request starts to read n blocks that may be needed, unless many others wait.
func (s *source) request(first, n int64) {
	n = min(n, s.blocks()-first)
	if n > 0 && s.t.ctx.Err() == nil && s.t.queued.Load() < int64(2*cap(s.t.slots)) {
		s.claim(first, n)
	}
}

// reached requests blocks ahead if a caller reads a block in sequence. The first batch
// follows two neighbouring blocks; when the first block of a batch is read, the next batch is
// requested, twice as large.
func (s *source) reached(number int64) {
	s.mu.Lock()
	b, marked := s.ahead[number]
	delete(s.ahead, number)
	trim(s.ahead)
	if marked {
		s.ahead[b.first] = batch{b.first + b.n, min(2*b.n, maxAhead)}
	} else if _, loading := s.waiting[number]; loading && number > 0 && memory.Has(blockKey{s.key, number - 1}) {
		b, marked = batch{number + 1, 2}, true
		s.ahead[number+1] = batch{number + 3, 4}
	}
	s.mu.Unlock()
	if marked {
		s.request(b.first, b.n)
	}
}

// trim bounds the size of a map by removing an arbitrary entry.
func trim[V any](m map[int64]V) {
	for k := range m {
		if len(m) < maxMarks {
			return
		}
		delete(m, k)
	}
}

// run reads neighbouring blocks from the cache, or else downloads them.
func (s *source) run(run []*waiting) {
	var absent []*waiting
	download := func() {
		if len(absent) > 0 {
			s.download(absent)
			absent = nil
		}
	}
	for _, w := range run {
		data, ok := s.t.store.Get(s.key, w.number)
		if ok && int64(len(data)) == s.length(w.number) {
			download()
			s.finish(w, data, nil)
			continue
		}
		absent = append(absent, w)
	}
	download()
}

// finish ends the reading of a block.
func (s *source) finish(w *waiting, data []byte, err error) {
	if err == nil {
		memory.Drop(blockKey{s.key, w.number})
		memory.Put(blockKey{s.key, w.number}, data, int64(len(data)))
		err = s.verify(w.number)
	}
	s.mu.Lock()
	delete(s.waiting, w.number)
	s.mu.Unlock()
	if w.err = err; err == nil {
		w.data = data
	}
	close(w.done)
}

// verify compares the whole file with its checksum once all blocks are in the cache. A cache
// that has lost some of them ends the comparison.
func (s *source) verify(number int64) error {
	s.mu.Lock()
	if s.seen == nil {
		defer s.mu.Unlock()
		return s.err
	}
	if bit := uint64(1) << (number % 64); s.seen[number/64]&bit == 0 {
		s.seen[number/64] |= bit
		s.left--
	}
	complete := s.left == 0
	if complete {
		s.seen = nil
	}
	s.mu.Unlock()
	if !complete {
		return nil
	}
	want, sum := s.file.checksum()
	for i := range s.blocks() {
		data, ok := memory.Get(blockKey{s.key, i})
		if !ok {
			data, ok = s.t.store.Get(s.key, i)
		}
		if !ok {
			return nil
		}
		sum.Write(data)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		err := fmt.Errorf("checksum: expected %s, as in the hub's list, got %s: the blocks were removed, open the file again", want, got)
		err = errors.Join(err, s.t.store.Drop(s.key))
		for i := range s.blocks() {
			memory.Drop(blockKey{s.key, i})
		}
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
		return err
	}
	s.keep(verified, nil)
	return nil
}

// keep stores a block. Without room or rights the file can be read all the same, but its
// blocks are requested again, so the log says it once.
func (s *source) keep(number int64, data []byte) {
	err := s.t.store.Put(s.key, number, data)
	if err != nil && s.t.c.Log != nil {
		s.t.warned.Do(func() {
			s.t.c.Log.Warn("hub: blocks cannot be kept and are requested again when they are needed", "error", err)
		})
	}
}
