package hub

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// DefaultEndpoint is the address of the hub.
const DefaultEndpoint = "https://huggingface.co"

// Kind is the kind of a repository.
type Kind string

// The kinds of repositories that are read.
const (
	DatasetKind Kind = "datasets"
	ModelKind   Kind = "models"
)

// Repo is a repository of the hub.
type Repo struct {
	Kind Kind
	// Name is owner and name: "polymathic-ai/shear_flow".
	Name string
	// Revision is a branch, tag or commit; empty is "main".
	Revision string
}

// Dataset returns the repository of a data set of The Well.
func Dataset(name string) Repo { return Repo{Kind: DatasetKind, Name: "polymathic-ai/" + name} }

// Weights returns the repository of the released weights.
func Weights() Repo { return Repo{Kind: ModelKind, Name: "polymathic-ai/walrus"} }

func (r Repo) revision() string { return cmp.Or(r.Revision, "main") }

// String names the repository in messages.
func (r Repo) String() string { return fmt.Sprintf("%s/%s@%s", r.Kind, r.Name, r.revision()) }

// Client downloads from the hub. The zero value works.
type Client struct {
	// Endpoint is the address of the hub; empty is DefaultEndpoint.
	Endpoint string
	// Cache is the folder of downloads; empty is gowalrus in the user's cache
	// folder.
	Cache string
	// Token gives access to what is not public. It is sent to the endpoint only,
	// not to where that redirects.
	Token string
	// Offline uses the cache and asks nobody.
	Offline bool
	// HTTP makes the requests; nil is a client with no limit of time as a whole.
	HTTP *http.Client
	// Stall is the time after which a connection that sends nothing is given up;
	// 0 stands for 30 seconds.
	Stall time.Duration
	// Tries is how often a file is tried before giving up; 0 stands for 8. Tries
	// that brought bytes do not count. Wait is the pause before the second one,
	// doubled each time; 0 stands for a second.
	Tries int
	Wait  time.Duration
	// Progress, if not nil, is told how much of a file is there.
	Progress func(path string, done, total int64)
}

// File is a file of a repository.
type File struct {
	// Path is the path in the repository, with slashes.
	Path string `json:"path"`
	Size int64  `json:"size"`
	// SHA256 is the checksum of large files, Blob the one by which git knows small
	// ones; one of them is empty.
	SHA256 string `json:"sha256,omitempty"`
	Blob   string `json:"blob,omitempty"`
}

// entry is a line of the hub's list of files.
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

// folder returns where the files of a repository are kept.
func (c *Client) folder(r Repo) (string, error) {
	root := c.Cache
	if root == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("hub: %w", err)
		}
		root = filepath.Join(base, "gowalrus")
	}
	for _, part := range []string{string(r.Kind), r.Name, r.revision()} {
		if !filepath.IsLocal(filepath.FromSlash(part)) || strings.Contains(part, `\`) {
			return "", fmt.Errorf("hub: %s: expected a kind, a name and a revision that stay inside the cache", r)
		}
	}
	return filepath.Join(root, string(r.Kind), filepath.FromSlash(r.Name), filepath.FromSlash(r.revision())), nil
}

// listing is the name under which the list of files is kept for offline use.
const listing = ".files.json"

// List lists the files of a repository.
func (c *Client) List(ctx context.Context, r Repo) ([]File, error) {
	dir, err := c.folder(r)
	if err != nil {
		return nil, err
	}
	if c.Offline {
		return readListing(r, filepath.Join(dir, listing))
	}
	address := fmt.Sprintf("%s/api/%s/%s/tree/%s?recursive=true", c.endpoint(), r.Kind, r.Name, url.PathEscape(r.revision()))
	var out []File
	for address != "" {
		var entries []entry
		next, err := c.page(ctx, address, &entries)
		if err != nil {
			return nil, fmt.Errorf("hub: list of %s: %w", r, err)
		}
		for _, e := range entries {
			if e.Type != "file" {
				continue
			}
			f := File{Path: e.Path, Size: e.Size, Blob: e.OID}
			if e.LFS != nil {
				f = File{Path: e.Path, Size: e.LFS.Size, SHA256: e.LFS.OID}
			}
			if !filepath.IsLocal(filepath.FromSlash(f.Path)) || strings.Contains(f.Path, `\`) {
				return nil, fmt.Errorf("hub: list of %s: the path %q leads out of the repository", r, f.Path)
			}
			out = append(out, f)
		}
		address = next
	}
	return out, c.keepListing(dir, out)
}

func (c *Client) endpoint() string {
	return strings.TrimSuffix(cmp.Or(c.Endpoint, DefaultEndpoint), "/")
}

func readListing(r Repo, path string) (out []File, err error) {
	raw, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		return nil, fmt.Errorf("hub: %s: offline, and the cache has no list of its files: %w", r, err)
	}
	return out, nil
}

func (c *Client) keepListing(dir string, files []File) error {
	raw, err := json.MarshalIndent(files, "", " ")
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, listing), raw, 0o644)
	}
	if err != nil {
		return fmt.Errorf("hub: %w", err)
	}
	return nil
}

// maxPage bounds the bytes of a list of files.
const maxPage = 64 << 20

// page reads one page of a list and returns the address of the next.
func (c *Client) page(ctx context.Context, address string, into any) (next string, err error) {
	err = c.again(ctx, func() (bool, error) {
		response, err := c.get(ctx, address, nil)
		if err != nil {
			return false, err
		}
		defer response.Body.Close()
		if err := status(response, http.StatusOK); err != nil {
			return false, err
		}
		next = nextPage(response.Header.Get("Link"))
		return false, json.NewDecoder(io.LimitReader(response.Body, maxPage)).Decode(into)
	})
	return next, err
}

// nextPage finds the address in a header Link: <…>; rel="next".
func nextPage(header string) string {
	for _, part := range strings.Split(header, ",") {
		if address, rel, ok := strings.Cut(part, ";"); ok && strings.Contains(rel, `rel="next"`) {
			return strings.Trim(strings.TrimSpace(address), "<>")
		}
	}
	return ""
}

// get makes a request.
func (c *Client) get(ctx context.Context, address string, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	for k, v := range header {
		request.Header[k] = v
	}
	// The token goes to the hub alone, whatever a list of pages may say.
	if c.Token != "" && strings.HasPrefix(address, c.endpoint()+"/") {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := c.HTTP
	if client == nil {
		client = &http.Client{}
	}
	return client.Do(request)
}

// refusal is an answer other than the expected one.
type refusal struct {
	code  int
	text  string
	after time.Duration
}

func (r *refusal) Error() string { return r.text }

// status turns an answer that is not one of the expected into an error.
func status(response *http.Response, expected ...int) error {
	for _, code := range expected {
		if response.StatusCode == code {
			return nil
		}
	}
	r := &refusal{code: response.StatusCode, text: "the hub answers " + response.Status}
	switch response.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		r.text += ": it may need a token, or terms to be accepted on its page"
	case http.StatusNotFound:
		r.text += ": no such repository, revision or file, or a private one"
	}
	if s, err := time.ParseDuration(response.Header.Get("Retry-After") + "s"); err == nil {
		r.after = s
	}
	return r
}

// hopeless is an error that another try would not mend.
type hopeless struct{ error }

func (h *hopeless) Unwrap() error { return h.error }

// lasting reports whether trying again is of no use.
func lasting(err error) bool {
	var r *refusal
	if errors.As(err, &r) {
		return r.code < 500 && r.code != http.StatusTooManyRequests && r.code != http.StatusRequestTimeout
	}
	var h *hopeless
	var p *os.PathError // the disk, not the network
	return errors.As(err, &h) || errors.As(err, &p)
}

// maxPause bounds the time between two tries.
const maxPause = 2 * time.Minute

// again calls try until it succeeds, fails for good, or has failed too often
// without having made progress.
func (c *Client) again(ctx context.Context, try func() (progress bool, err error)) error {
	pause, failures := cmp.Or(c.Wait, time.Second), 0
	for {
		progress, err := try()
		if err == nil || ctx.Err() != nil || lasting(err) {
			return errors.Join(err, ctx.Err())
		}
		if failures++; progress {
			pause, failures = cmp.Or(c.Wait, time.Second), 1
		}
		if failures >= cmp.Or(c.Tries, 8) {
			return fmt.Errorf("given up after %d tries: %w", failures, err)
		}
		wait := pause
		var r *refusal
		if errors.As(err, &r) && r.after > 0 {
			wait = min(r.after, maxPause)
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(wait):
		}
		pause = min(2*pause, maxPause)
	}
}
