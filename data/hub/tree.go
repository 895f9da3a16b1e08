package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gowalrus/gowalrus/internal/blockstore"
)

// Defaults of the client's fields for files at addresses.
const (
	defaultBlockCache = 8 << 30
	defaultBlock      = 1 << 20
	defaultRequests   = 8
)

// maxRequests bounds the requests for blocks at the same time.
const maxRequests = 256

// Tree is a repository of the hub or a server as a file system. Files are read in blocks,
// by range requests, when the values are needed. Their type is [*RemoteFile]. A Tree
// implements fs.ReadDirFS and fs.StatFS and is safe for concurrent use.
type Tree struct {
	location
	c     *Client
	store *blockstore.Store
	block int64 // size of a block in bytes
	// files and folder are those of a repository: its files by name, and its folder in the
	// cache.
	files  map[string]File
	folder string

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup // downloads
	slots  chan struct{}  // requests at the same time
	queued atomic.Int64   // downloads that run or wait for a slot
	warned sync.Once      // that blocks cannot be stored

	mu     sync.Mutex
	opened map[string]*source       // files by name
	lists  map[string][]fs.DirEntry // folders by name
}

// Open returns the repository or the server of an address (see [IsAddress]) and the name of
// the file or folder at the address. It downloads the list of a repository's files, but no
// file:
//
//	hf://datasets/OWNER/NAME[@REVISION][/PATH]  a data set on the hub
//	https://HOST/PATH                           a file, or a folder whose page lists its files
//
// Blocks of files are kept in the folder blocks of the cache, up to Client.BlockCache bytes,
// and downloaded once. A file that [Client.FetchAll] has downloaded is read from the cache.
// The caller closes the tree.
func (c *Client) Open(ctx context.Context, address string) (tree *Tree, name string, err error) {
	l, err := parseAddress(address)
	if err != nil {
		return nil, "", err
	}
	if c.BlockCache < 0 || c.Block < 0 {
		return nil, "", fmt.Errorf("hub: expected BlockCache and Block of 0 bytes for the defaults, or more, got %d and %d (the environment variable %s holds a size such as 50GiB)", c.BlockCache, c.Block, blockCacheVariable)
	}
	if c.Offline && l.repo.Name == "" {
		return nil, "", fmt.Errorf("hub: %s: offline, and only repositories of the hub can be read from the cache alone", l.address(l.name))
	}
	root, err := c.root()
	if err != nil {
		return nil, "", err
	}
	t := &Tree{
		location: l, c: c, block: cmp.Or(c.Block, defaultBlock), slots: make(chan struct{}, min(max(1, cmp.Or(c.Parallel, defaultRequests)), maxRequests)),
		opened: map[string]*source{}, lists: map[string][]fs.DirEntry{},
	}
	if l.repo.Name != "" {
		if err := t.listRepo(ctx); err != nil {
			return nil, "", err
		}
	}
	if t.store, err = blockstore.Open(filepath.Join(root, "blocks"), cmp.Or(c.BlockCache, defaultBlockCache)); err != nil {
		return nil, "", fmt.Errorf("hub: %w", err)
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t, l.name, nil
}

// listRepo sets the files and folders of a repository.
func (t *Tree) listRepo(ctx context.Context) error {
	files, err := t.c.List(ctx, t.repo)
	if err != nil {
		return err
	}
	if t.folder, err = t.c.folder(t.repo); err != nil {
		return err
	}
	t.files = map[string]File{}
	t.lists["."] = nil
	for _, f := range files {
		t.files[f.Path] = f
		t.lists[path.Dir(f.Path)] = append(t.lists[path.Dir(f.Path)], newInfo(f.Path, f.Size, false))
		for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
			up := path.Dir(dir)
			if slices.ContainsFunc(t.lists[up], func(e fs.DirEntry) bool { return e.Name() == path.Base(dir) }) {
				break
			}
			t.lists[up] = append(t.lists[up], newInfo(dir, 0, true))
		}
	}
	for _, list := range t.lists {
		slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
	return nil
}

// Close ends all requests. Files cannot be read afterwards.
func (t *Tree) Close() error {
	t.cancel()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.opened {
		s.stop()
	}
	t.work.Wait()
	var all error
	for _, s := range t.opened {
		all = errors.Join(all, s.close())
	}
	return all
}

// Address returns the address of a file or folder for messages: without user and query.
func (t *Tree) Address(name string) string { return t.address(name) }

// Open opens a file or a folder.
func (t *Tree) Open(name string) (fs.File, error) {
	info, err := t.stat("open", name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		list, err := t.ReadDir(name)
		return &openFolder{info: info, list: list}, err
	}
	s, err := t.source(name)
	if err != nil {
		return nil, t.fault("open", name, err)
	}
	return &RemoteFile{s: s}, nil
}

// Stat describes a file or a folder. Of the times and permissions of files nothing is known.
func (t *Tree) Stat(name string) (fs.FileInfo, error) { return t.stat("stat", name) }

func (t *Tree) stat(op, name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	if f, ok := t.files[name]; ok {
		return newInfo(name, f.Size, false), nil
	}
	if t.isFile(name) {
		s, err := t.source(name)
		if err != nil {
			return nil, t.fault(op, name, err)
		}
		return newInfo(name, s.size, false), nil
	}
	if _, err := t.list(name); err != nil {
		return nil, t.fault(op, name, err)
	}
	return newInfo(name, 0, true), nil
}

// isFile reports whether a name of a server is that of a file: according to the list of its
// folder if that was read, else to its ending.
func (t *Tree) isFile(name string) bool {
	if t.files != nil {
		return false
	}
	t.mu.Lock()
	list := t.lists[path.Dir(name)]
	t.mu.Unlock()
	for _, e := range list {
		if e.Name() == path.Base(name) {
			return !e.IsDir()
		}
	}
	switch path.Ext(name) {
	case ".hdf5", ".h5", ".yaml":
		return true
	}
	return false
}

// ReadDir lists a folder, sorted by name.
func (t *Tree) ReadDir(name string) ([]fs.DirEntry, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	list, err := t.list(name)
	if err != nil {
		return nil, t.fault("readdir", name, err)
	}
	return slices.Clone(list), nil
}

// list returns the entries of a folder.
func (t *Tree) list(name string) ([]fs.DirEntry, error) {
	t.mu.Lock()
	list, known := t.lists[name]
	t.mu.Unlock()
	switch {
	case known:
		return list, nil
	case t.files != nil:
		return nil, fmt.Errorf("no such file or folder in %s: %w", t.repo, fs.ErrNotExist)
	case t.query != "":
		return nil, fmt.Errorf("expected the address of a file, as it has a query: %w", fs.ErrNotExist)
	}
	list, err := t.index(name)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lists[name] = list
	return list, nil
}

// fault names the address in an error.
func (t *Tree) fault(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: t.address(name), Err: err}
}

// info describes a file or a folder. It implements fs.FileInfo and fs.DirEntry.
type info struct {
	name string
	size int64
	dir  bool
	stat func() (fs.FileInfo, error) // nil if size is known
}

func newInfo(name string, size int64, dir bool) *info {
	return &info{name: path.Base(name), size: size, dir: dir}
}

func (i *info) Name() string       { return i.name }
func (i *info) Size() int64        { return i.size }
func (i *info) IsDir() bool        { return i.dir }
func (i *info) ModTime() time.Time { return time.Time{} }
func (i *info) Sys() any           { return nil }
func (i *info) Type() fs.FileMode  { return i.Mode().Type() }

func (i *info) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

func (i *info) Info() (fs.FileInfo, error) {
	if i.stat != nil {
		return i.stat()
	}
	return i, nil
}

// String returns the entry as package fs formats it.
func (i *info) String() string { return fs.FormatDirEntry(i) }

// openFolder is an open folder. It implements fs.ReadDirFile.
type openFolder struct {
	info fs.FileInfo
	list []fs.DirEntry
}

func (f *openFolder) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFolder) Close() error               { return nil }

func (f *openFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.info.Name(), Err: errors.New("it is a folder")}
}

func (f *openFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(f.list)
	} else if len(f.list) == 0 {
		return nil, io.EOF
	}
	out := f.list[:min(n, len(f.list))]
	f.list = f.list[len(out):]
	return out, nil
}
