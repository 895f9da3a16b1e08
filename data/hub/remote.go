package hub

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync/atomic"
)

// RemoteFile is an open file of a [Tree]. It implements io.ReaderAt, which is safe for
// concurrent use, and fs.File.
//
// Reads wait for the blocks that they need, which are requested in parallel. Blocks after
// those of a sequential read are requested ahead. A file whose blocks are all in the cache is
// compared with the checksum in the hub's list, if there is one.
type RemoteFile struct {
	s      *source
	at     int64 // of Read
	closed atomic.Bool
}

// Stat describes the file. Its time is unknown.
func (f *RemoteFile) Stat() (fs.FileInfo, error) {
	if f.shut() {
		return nil, fs.ErrClosed
	}
	return newInfo(f.s.name, f.s.size, false), nil
}

// Size returns the size in bytes.
func (f *RemoteFile) Size() int64 {
	if f == nil || f.s == nil {
		return 0
	}
	return f.s.size
}

// shut reports whether the file is closed or was never opened.
func (f *RemoteFile) shut() bool { return f == nil || f.s == nil || f.closed.Load() }

// Read reads the next bytes. It is not safe for concurrent use.
func (f *RemoteFile) Read(p []byte) (int, error) {
	if f.shut() {
		return 0, fs.ErrClosed
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := f.ReadAt(p, f.at)
	if errors.Is(err, io.EOF) && n > 0 {
		err = nil
	}
	f.at += int64(n)
	return n, err
}

// ReadAt reads the bytes at an offset; see io.ReaderAt. Errors name the address.
func (f *RemoteFile) ReadAt(p []byte, off int64) (int, error) {
	if f.shut() {
		return 0, fs.ErrClosed
	}
	if off < 0 {
		return 0, f.s.t.fault("read", f.s.name, errors.New("expected an offset of 0 or more"))
	}
	n := int(min(int64(len(p)), max(f.s.size-off, 0)))
	got, err := f.s.readAt(p[:n], off)
	if err != nil {
		return got, f.s.t.fault("read", f.s.name, err)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Prefetch waits until n bytes at an offset are in the cache, or the context ends. If the
// bytes follow those of an earlier call, as many bytes after them are requested ahead. Bytes
// outside of the file are ignored.
func (f *RemoteFile) Prefetch(ctx context.Context, off, n int64) error {
	if f.shut() {
		return fs.ErrClosed
	}
	end := f.s.size
	if n < end-off {
		end = off + n
	}
	if off = max(off, 0); off >= end {
		return nil
	}
	if err := f.s.prefetch(ctx, off, end); err != nil {
		return f.s.t.fault("read", f.s.name, err)
	}
	return nil
}

// Close closes the file.
func (f *RemoteFile) Close() error {
	if f.shut() || f.closed.Swap(true) {
		return fs.ErrClosed
	}
	return nil
}
