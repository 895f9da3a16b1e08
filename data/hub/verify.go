package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
)

// verify compares the file at path with its size and checksum. It returns a damaged error
// only if they differ.
func (f File) verify(ctx context.Context, path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if info.Size() != f.Size {
		return &damaged{fmt.Sprintf("size: expected %d bytes, got %d", f.Size, info.Size())}
	}
	want, sum := f.checksum()
	if _, err := io.Copy(sum, &cancellable{ctx, in}); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return &damaged{fmt.Sprintf("checksum: expected %s, got %s", want, got)}
	}
	return nil
}

// checksum returns the expected checksum and its hash function.
func (f File) checksum() (string, hash.Hash) {
	if f.SHA256 != "" {
		return f.SHA256, sha256.New()
	}
	sum := sha1.New()
	fmt.Fprintf(sum, "blob %d\x00", f.Size)
	return f.Blob, sum
}

// cancellable is a reader that fails when its context ends.
type cancellable struct {
	ctx context.Context
	in  io.Reader
}

func (c *cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.in.Read(p)
}
