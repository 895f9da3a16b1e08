package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// download downloads one file.
type download struct {
	c       *Client
	f       File
	slot    slot
	address string
	tally   *tally
	most    int64 // largest size of the part so far, in bytes
	bad     bool  // a checksum has failed before
}

// run downloads the file into its slot. A lock keeps other processes from writing the same
// part. The lock file is never removed: between removal and creation, two processes could
// hold different lock files.
func (d *download) run(ctx context.Context) error {
	if d.slot.has(d.f) {
		d.tally.report(d.f, d.f.Size)
		return nil
	}
	for _, path := range []string{d.slot.path, d.slot.guard} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
	}
	lock := flock.New(d.slot.guard)
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return fmt.Errorf("lock %s: %w", d.slot.guard, err)
	}
	defer lock.Unlock()
	if has, err := d.slot.adopt(ctx, d.f); err != nil {
		return err
	} else if has { // downloaded by another process, or copied by hand
		d.tally.report(d.f, d.f.Size)
		return nil
	}
	if d.slot.state().File != d.f {
		if err := d.slot.drop(); err != nil {
			return err
		}
	}
	d.most = d.slot.have()
	return d.c.again(ctx, d.f.Path, func() (bool, error) { return d.attempt(ctx) })
}

// damaged is the error for a file that does not match the hub's list.
type damaged struct{ text string }

func (d *damaged) Error() string { return d.text }

// attempt makes one attempt. A damaged file is downloaded once more. The hub may have
// replaced the file since it was listed, so the error after that asks for a new list.
func (d *download) attempt(ctx context.Context) (progress bool, err error) {
	if err = d.transfer(ctx); err == nil {
		err = d.finish(ctx)
	}
	var bad *damaged
	if errors.As(err, &bad) {
		if d.bad {
			return false, &lasting{fmt.Errorf("%w, twice; if the file has just changed on the hub, list it again", err)}
		}
		d.bad, d.most = true, 0
		return false, err
	}
	have := d.slot.have()
	progress = have > d.most
	d.most = max(d.most, have)
	return progress, err
}

// transfer requests the bytes that the part lacks and appends them.
func (d *download) transfer(ctx context.Context) error {
	at := d.slot.have()
	if at == d.f.Size && at > 0 {
		return nil
	}
	response, err := d.c.get(ctx, d.address, d.slot.state().request(at))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if at, err = d.answered(response, at); err != nil {
		return err
	}
	part, err := os.OpenFile(d.slot.part, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer part.Close()
	// Truncate first: the note must not name a version while the part holds bytes of another.
	if err := part.Truncate(at); err != nil {
		return err
	}
	if err := writeJSON(d.slot.note, state{File: d.f, ETag: response.Header.Get("ETag")}); err != nil {
		return err
	}
	if _, err := part.Seek(at, io.SeekStart); err != nil {
		return err
	}
	if err := d.write(part, response.Body, at); err != nil {
		return err
	}
	return part.Sync()
}

// request returns the headers that request the file from offset at. The part must
// belong to the checksum in the current list. If the server identified the version by an
// ETag, the request is conditional: the server sends the whole file if the version has
// changed.
func (s state) request(at int64) http.Header {
	header := http.Header{"Accept-Encoding": {"identity"}}
	if at > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", at))
		if s.ETag != "" && !strings.HasPrefix(s.ETag, "W/") { // weak ETags do not apply to ranges
			header.Set("If-Range", s.ETag)
		}
	}
	return header
}

// answered checks the header of an answer and returns the offset of its body in the file.
func (d *download) answered(response *http.Response, at int64) (int64, error) {
	switch response.StatusCode {
	case http.StatusOK:
		if n := response.ContentLength; n >= 0 && n != d.f.Size {
			return 0, &damaged{fmt.Sprintf("size: expected %d bytes, got %d", d.f.Size, n)}
		}
		return 0, nil // the whole file
	case http.StatusPartialContent:
		var first, last, size int64
		got := response.Header.Get("Content-Range")
		if _, err := fmt.Sscanf(got, "bytes %d-%d/%d", &first, &last, &size); err != nil || first != at || size != d.f.Size {
			return 0, errors.Join(d.slot.drop(), &damaged{fmt.Sprintf("range: expected bytes %d-%d/%d, got %q", at, d.f.Size-1, d.f.Size, got)})
		}
		return at, nil
	case http.StatusRequestedRangeNotSatisfiable:
		if at > 0 {
			return 0, errors.Join(d.slot.drop(), &damaged{fmt.Sprintf("size: expected %d bytes, got at most the %d of the part", d.f.Size, at)})
		}
	}
	return 0, d.c.refused(response)
}

// write appends the body to the part, which has at bytes.
func (d *download) write(part io.Writer, in io.Reader, at int64) error {
	d.tally.report(d.f, at)
	buffer := make([]byte, 1<<18)
	in = io.LimitReader(in, d.f.Size-at+1) // one byte more than expected reveals a body that is too long
	for {
		n, err := in.Read(buffer)
		if n > 0 {
			if _, err := part.Write(buffer[:n]); err != nil {
				return err
			}
			at += int64(n)
			d.tally.report(d.f, min(at, d.f.Size))
		}
		if err == io.EOF && at >= d.f.Size {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the connection broke off after %d of %d bytes: %w", at, d.f.Size, err)
		}
	}
}

// finish verifies the part and renames it. It removes a damaged part.
func (d *download) finish(ctx context.Context) error {
	err := d.f.verify(ctx, d.slot.part)
	var bad *damaged
	if errors.As(err, &bad) {
		return errors.Join(d.slot.drop(), err)
	}
	if err != nil {
		return err
	}
	if err := os.Rename(d.slot.part, d.slot.path); err != nil {
		return err
	}
	return writeJSON(d.slot.note, state{File: d.f, Whole: true})
}
