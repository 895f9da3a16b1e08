package hub

import (
	"cmp"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Fetch downloads a file of a repository, unless the cache has it, and returns its
// local path.
func (c *Client) Fetch(ctx context.Context, r Repo, f File) (string, error) {
	dir, err := c.folder(r)
	if err != nil {
		return "", err
	}
	if !filepath.IsLocal(filepath.FromSlash(f.Path)) || strings.Contains(f.Path, `\`) {
		return "", fmt.Errorf("hub: %s: the path %q leads out of the repository", r, f.Path)
	}
	path := filepath.Join(dir, filepath.FromSlash(f.Path))
	if info, err := os.Stat(path); err == nil && info.Size() == f.Size {
		c.report(f, f.Size)
		return path, nil
	}
	if c.Offline {
		return "", fmt.Errorf("hub: %s: offline, and the cache has no %s", r, f.Path)
	}
	d := download{c: c, f: f, path: path, part: path + ".part",
		address: fmt.Sprintf("%s/%s/resolve/%s/%s", c.endpoint(), strings.TrimPrefix(string(r.Kind)+"/", "models/")+r.Name, url.PathEscape(r.revision()), escape(f.Path))}
	if err := d.run(ctx); err != nil {
		return "", fmt.Errorf("hub: %s: %s: %w", r, f.Path, err)
	}
	return path, nil
}

// escape escapes the parts of a path.
func escape(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

func (c *Client) report(f File, done int64) {
	if c.Progress != nil {
		c.Progress(f.Path, done, f.Size)
	}
}

// FetchAll downloads the files that match, all if match is nil, and returns the
// folder they are in.
func (c *Client) FetchAll(ctx context.Context, r Repo, match func(path string) bool) (string, error) {
	files, err := c.List(ctx, r)
	if err != nil {
		return "", err
	}
	found := 0
	for _, f := range files {
		if match != nil && !match(f.Path) {
			continue
		}
		found++
		if _, err := c.Fetch(ctx, r, f); err != nil {
			return "", err
		}
	}
	if found == 0 {
		return "", fmt.Errorf("hub: %s: expected files that match, got none of %d", r, len(files))
	}
	return c.folder(r)
}

// WellDataset downloads splits of a data set of The Well, all if none is named, with
// its statistics, and returns the folder for well.Open.
func (c *Client) WellDataset(ctx context.Context, name string, splits ...string) (string, error) {
	return c.FetchAll(ctx, Dataset(name), func(path string) bool {
		if path == "stats.yaml" {
			return true
		}
		split, _, inside := strings.Cut(strings.TrimPrefix(path, "data/"), "/")
		if !inside || !strings.HasPrefix(path, "data/") {
			return false
		}
		for _, s := range splits {
			if s == split {
				return true
			}
		}
		return len(splits) == 0
	})
}

// Walrus downloads the released weights and their configuration and returns the
// folder for walrus.Load.
func (c *Client) Walrus(ctx context.Context) (string, error) {
	return c.FetchAll(ctx, Weights(), func(path string) bool {
		return path == "walrus.pt" || path == "extended_config.yaml"
	})
}

// download is a file on its way.
type download struct {
	c             *Client
	f             File
	address       string
	path, part    string
	damagedBefore bool
}

// run downloads, checks and names the file. A lock keeps other processes from
// writing the same part.
func (d *download) run(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Dir(d.path), 0o755); err != nil {
		return err
	}
	lock := flock.New(d.part + ".lock")
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return fmt.Errorf("waiting for another download of this file: %w", err)
	}
	defer lock.Unlock() // the file of the lock stays: removing it would let two in
	if info, err := os.Stat(d.path); err == nil && info.Size() == d.f.Size {
		return nil // the other process has done it
	}
	return d.c.again(ctx, func() (bool, error) {
		before := d.have()
		if err := d.continueFrom(ctx, before); err != nil {
			return d.have() > before, err
		}
		return false, d.finish()
	})
}

// have returns the bytes that are there.
func (d *download) have() int64 {
	info, err := os.Stat(d.part)
	if err != nil {
		return 0
	}
	return info.Size()
}

// tagFile holds the ETag of the version that a part belongs to.
func (d *download) tagFile() string { return d.part + ".etag" }

// continueFrom asks for what is missing and appends it.
func (d *download) continueFrom(ctx context.Context, at int64) error {
	if at > d.f.Size {
		at = 0
	}
	if at == d.f.Size && at > 0 {
		return nil
	}
	header := http.Header{}
	tag, _ := os.ReadFile(d.tagFile())
	if at > 0 && len(tag) > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", at))
		header.Set("If-Range", string(tag))
	} else {
		at = 0
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := cmp.Or(d.c.Stall, 30*time.Second)
	watch := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing came for %v", stall)) })
	defer watch.Stop()
	response, err := d.c.get(ctx, d.address, header)
	if err != nil {
		return because(ctx, err)
	}
	defer response.Body.Close()
	if err := status(response, http.StatusOK, http.StatusPartialContent); err != nil {
		return err
	}
	if response.StatusCode == http.StatusOK {
		at = 0 // the server sends the whole file
	} else if want := fmt.Sprintf("bytes %d-", at); !strings.HasPrefix(response.Header.Get("Content-Range"), want) {
		return fmt.Errorf("expected %s…, got Content-Range %q", want, response.Header.Get("Content-Range"))
	}
	if err := os.WriteFile(d.tagFile(), []byte(response.Header.Get("ETag")), 0o644); err != nil {
		return err
	}
	return because(ctx, d.write(response.Body, at, func() { watch.Reset(stall) }))
}

// because replaces "canceled" by the reason.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil && errors.Is(err, context.Canceled) {
		return cause
	}
	return err
}

// write writes the body to the part from an offset on.
func (d *download) write(body io.Reader, at int64, alive func()) error {
	f, err := os.OpenFile(d.part, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(at); err != nil {
		return err
	}
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		return err
	}
	// One byte more than expected is enough to see that it is too long.
	buffer := make([]byte, 1<<16)
	in := io.LimitReader(body, d.f.Size-at+1)
	for {
		n, err := in.Read(buffer)
		if n > 0 {
			alive()
			if _, err := f.Write(buffer[:n]); err != nil {
				return err
			}
			at += int64(n)
			d.c.report(d.f, min(at, d.f.Size))
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if at < d.f.Size {
		return fmt.Errorf("the connection broke off after %d of %d bytes", at, d.f.Size)
	}
	return f.Sync()
}

// damaged is the error of a file that is not what the hub says it is.
type damaged struct{ text string }

func (d *damaged) Error() string { return d.text }

// finish checks the part and gives it its name. A damaged one is removed; the first
// time it is fetched again, then it is an error for good.
func (d *download) finish() error {
	err := d.verify()
	var bad *damaged
	if errors.As(err, &bad) {
		os.Remove(d.part)
		os.Remove(d.tagFile())
		if d.damagedBefore {
			return &hopeless{fmt.Errorf("%w, twice", err)}
		}
		d.damagedBefore = true
		return err
	}
	if err != nil {
		return err
	}
	if err := os.Rename(d.part, d.path); err != nil {
		return err
	}
	os.Remove(d.tagFile())
	return nil
}

// verify compares size and checksum.
func (d *download) verify() error {
	f, err := os.Open(d.part)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != d.f.Size {
		return &damaged{fmt.Sprintf("expected %d bytes, got %d", d.f.Size, info.Size())}
	}
	var sum hash.Hash
	want := d.f.SHA256
	switch {
	case want != "":
		sum = sha256.New()
	case d.f.Blob != "":
		want, sum = d.f.Blob, sha1.New()
		fmt.Fprintf(sum, "blob %d\x00", d.f.Size)
	default:
		return fmt.Errorf("the hub gives no checksum")
	}
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); !strings.EqualFold(got, want) {
		return &damaged{fmt.Sprintf("checksum: expected %s, got %s", want, got)}
	}
	return nil
}
