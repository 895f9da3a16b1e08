package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// File is a file of a repository.
type File struct {
	// Path is the path in the repository, separated by slashes.
	Path string `json:"path"`
	// Size is the size in bytes.
	Size int64 `json:"size"`
	// SHA256 is the checksum of a large file. Blob is git's checksum of a small one, the
	// SHA-1 of "blob <size>\0" and the content. Both are hexadecimal; one of them is empty.
	SHA256 string `json:"sha256,omitempty"`
	Blob   string `json:"blob,omitempty"`
}

// entry is an element of the hub's list of files.
type entry struct {
	Type string `json:"type"`
	OID  string `json:"oid"`
	Size int64  `json:"size"`
	Path string `json:"path"`
	LFS  *struct {
		OID  string `json:"oid"`
		Size int64  `json:"size"`
	} `json:"lfs"`
}

// file checks an entry and converts it to a File.
func (e entry) file() (File, error) {
	f := File{Path: e.Path, Size: e.Size, Blob: strings.ToLower(e.OID)}
	if e.LFS != nil {
		f = File{Path: e.Path, Size: e.LFS.Size, SHA256: strings.ToLower(e.LFS.OID)}
	}
	if !local(f.Path) {
		return f, fmt.Errorf("the path %q leads out of the repository's folder", f.Path)
	}
	sum, length := f.SHA256, 64
	if e.LFS == nil {
		sum, length = f.Blob, 40
	}
	if f.Size < 0 || len(sum) != length || strings.Trim(sum, "0123456789abcdef") != "" {
		return f, fmt.Errorf("%s: expected a size and a checksum of %d hexadecimal digits, got %d and %q", f.Path, length, f.Size, sum)
	}
	return f, nil
}

// List returns the files of a repository in the hub's order and stores the list for offline
// use. Offline it returns the stored list.
func (c *Client) List(ctx context.Context, r Repo) ([]File, error) {
	dir, err := c.folder(r)
	if err != nil {
		return nil, err
	}
	kept := filepath.Join(dir, inner, "files.json")
	if c.Offline {
		return readList(r, kept)
	}
	files, err := c.pages(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("hub: list of %s: %w", r, err)
	}
	if err := writeJSON(kept, files); err != nil {
		return nil, fmt.Errorf("hub: list of %s: %w", r, err)
	}
	return files, nil
}

func readList(r Repo, path string) (files []File, err error) {
	raw, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(raw, &files)
	}
	if err != nil {
		return nil, fmt.Errorf("hub: %s: offline, and the cache has no list of its files: %w", r, err)
	}
	for _, f := range files {
		if !local(f.Path) {
			return nil, fmt.Errorf("hub: %s: %s: the path %q leads out of the repository's folder", r, path, f.Path)
		}
	}
	return files, nil
}

// pages reads all pages of a list.
func (c *Client) pages(ctx context.Context, r Repo) ([]File, error) {
	endpoint, err := c.endpoint()
	if err != nil {
		return nil, err
	}
	files := []File{}
	seen := map[string]bool{}
	for address := r.listURL(endpoint); address != ""; {
		if seen[address] {
			return nil, fmt.Errorf("the hub sends page %s again", address)
		}
		seen[address] = true
		var entries []entry
		if address, err = c.page(ctx, address, &entries); err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.Type != "file" {
				continue
			}
			f, err := e.file()
			if err != nil {
				return nil, err
			}
			files = append(files, f)
		}
	}
	return files, nil
}

// maxPage bounds the size of a page in bytes.
const maxPage = 64 << 20

// page reads one page of a list and returns the address of the next.
func (c *Client) page(ctx context.Context, address string, into any) (next string, err error) {
	err = c.again(ctx, "list", func() (bool, error) {
		response, err := c.get(ctx, address, nil)
		if err != nil {
			return false, err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return false, c.refused(response)
		}
		raw, err := io.ReadAll(io.LimitReader(response.Body, maxPage))
		if err != nil {
			return false, err
		}
		next = nextPage(response)
		if err := json.Unmarshal(raw, into); err != nil {
			return false, &lasting{fmt.Errorf("expected a list in JSON from %s, got %d bytes of something else: %w", address, len(raw), err)}
		}
		return false, nil
	})
	return next, err
}

// nextPage returns the address in a header Link: <…>; rel="next", resolved against the
// page's address.
func nextPage(response *http.Response) string {
	for _, part := range strings.Split(response.Header.Get("Link"), ",") {
		address, rel, ok := strings.Cut(part, ";")
		if !ok || !strings.Contains(rel, `rel="next"`) {
			continue
		}
		if u, err := response.Request.URL.Parse(strings.Trim(strings.TrimSpace(address), "<>")); err == nil {
			return u.String()
		}
	}
	return ""
}
