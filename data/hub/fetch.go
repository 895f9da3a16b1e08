package hub

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"strings"
	"sync"
)

// Fetch downloads a file of a repository, unless the cache has it, and returns its local
// path. It requests the list of files first; use [Client.FetchAll] for many files.
func (c *Client) Fetch(ctx context.Context, r Repo, path string) (string, error) {
	files, err := c.List(ctx, r)
	if err != nil {
		return "", err
	}
	for _, f := range files {
		if f.Path == path {
			dir, err := c.fetch(ctx, r, []File{f})
			if err != nil {
				return "", err
			}
			return newSlot(dir, path).path, nil
		}
	}
	return "", fmt.Errorf("hub: %s: expected file %q, got %d files with other names", r, path, len(files))
}

// FetchAll downloads the files that match any of the patterns, or all files without
// patterns, and returns the folder of the repository. Patterns are those of path.Match and
// apply to the whole path; a pattern that ends in a slash matches all files below that
// folder. A pattern without matches is an error. If one file fails, the other downloads
// stop and keep their parts.
// others stop and leave what they have.
//
// Files that were removed from the hub stay in the folder.
func (c *Client) FetchAll(ctx context.Context, r Repo, patterns ...string) (string, error) {
	files, err := c.List(ctx, r)
	if err != nil {
		return "", err
	}
	wanted, err := match(files, patterns)
	if err != nil {
		return "", fmt.Errorf("hub: %s: %w", r, err)
	}
	return c.fetch(ctx, r, wanted)
}

// match returns the files that match any of the patterns, in order.
func match(files []File, patterns []string) ([]File, error) {
	if len(patterns) == 0 {
		return files, nil
	}
	wanted := make([]bool, len(files))
	for _, pattern := range patterns {
		found := false
		for i, f := range files {
			ok := strings.HasSuffix(pattern, "/") && strings.HasPrefix(f.Path, pattern)
			if !ok {
				var err error
				if ok, err = path.Match(pattern, f.Path); err != nil {
					return nil, fmt.Errorf("pattern %q: %w", pattern, err)
				}
			}
			wanted[i] = wanted[i] || ok
			found = found || ok
		}
		if !found {
			return nil, fmt.Errorf("expected files that match %q, got none among %d", pattern, len(files))
		}
	}
	var out []File
	for i, f := range files {
		if wanted[i] {
			out = append(out, f)
		}
	}
	return out, nil
}

// fetch downloads files in parallel and returns their folder.
func (c *Client) fetch(ctx context.Context, r Repo, files []File) (string, error) {
	dir, err := c.folder(r)
	if err != nil {
		return "", err
	}
	if c.Offline {
		return dir, c.lacking(ctx, r, dir, files)
	}
	endpoint, err := c.endpoint()
	if err != nil {
		return "", err
	}
	parent := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	progress := newTally(c.Progress, files)
	queue := make(chan File)
	var workers sync.WaitGroup
	for range min(len(files), max(1, cmp.Or(c.Parallel, 4))) {
		workers.Go(func() {
			for f := range queue {
				d := download{c: c, f: f, slot: newSlot(dir, f.Path), address: r.fileURL(endpoint, f.Path), tally: progress}
				if err := d.run(ctx); err != nil {
					cancel(fmt.Errorf("hub: %s: %s: %w", r, f.Path, err)) // cancel keeps the first cause
				}
			}
		})
	}
	for _, f := range files {
		select {
		case queue <- f:
		case <-ctx.Done():
		}
	}
	close(queue)
	workers.Wait()
	if err := parent.Err(); err != nil {
		return "", fmt.Errorf("hub: %s: %w", r, err)
	}
	return dir, context.Cause(ctx)
}

// lacking returns an error that names the files that the cache lacks.
func (c *Client) lacking(ctx context.Context, r Repo, dir string, files []File) error {
	progress := newTally(c.Progress, files)
	var names []string
	for _, f := range files {
		has, err := newSlot(dir, f.Path).adopt(ctx, f)
		if err != nil {
			return fmt.Errorf("hub: %s: %s: %w", r, f.Path, err)
		}
		if !has {
			names = append(names, f.Path)
			continue
		}
		progress.report(f, f.Size)
	}
	if len(names) == 0 {
		return nil
	}
	const most = 5
	text := strings.Join(names[:min(most, len(names))], ", ")
	if len(names) > most {
		text += ", …"
	}
	return fmt.Errorf("hub: %s: offline, and the cache lacks %d of %d files: %s", r, len(names), len(files), text)
}
