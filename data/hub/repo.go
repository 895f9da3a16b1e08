package hub

import (
	"cmp"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
)

// Kind is the kind of a repository.
type Kind string

// The kinds of repositories.
const (
	DatasetKind Kind = "datasets"
	ModelKind   Kind = "models"
)

// Repo is a repository of the hub.
type Repo struct {
	Kind Kind
	// Name is the owner and the name: "polymathic-ai/shear_flow".
	Name string
	// Revision is a branch, tag or commit. Empty means "main".
	Revision string
}

// owner is the publisher of The Well and of the Walrus weights.
const owner = "polymathic-ai/"

// Dataset returns the repository of a data set of The Well: an entry of data.Catalog() with
// source The Well, or another one of The Well's data sets (MHD_256,
// supernova_explosion_64).
func Dataset(name string) Repo { return Repo{Kind: DatasetKind, Name: owner + name} }

// Weights returns the repository of the released weights.
func Weights() Repo { return Repo{Kind: ModelKind, Name: owner + "walrus"} }

func (r Repo) revision() string { return cmp.Or(r.Revision, "main") }

// String returns the name for messages: "datasets/polymathic-ai/shear_flow@main".
func (r Repo) String() string { return fmt.Sprintf("%s/%s@%s", r.Kind, r.Name, r.revision()) }

// repoName matches an owner and a name. Neither starts with a dot, so the path stays in the
// cache and out of its hidden folders.
var repoName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*/[A-Za-z0-9_-][A-Za-z0-9._-]*$`)

// Validate returns an error if no repository can have this kind, name and revision.
func (r Repo) Validate() error {
	switch {
	case r.Kind != DatasetKind && r.Kind != ModelKind:
		return fmt.Errorf("hub: repository %s: expected kind %q or %q, got %q", r, DatasetKind, ModelKind, r.Kind)
	case !repoName.MatchString(r.Name):
		return fmt.Errorf("hub: repository %s: expected a name such as polymathic-ai/shear_flow, got %q", r, r.Name)
	case !local(r.revision()):
		return fmt.Errorf("hub: repository %s: expected a branch, tag or commit, got %q", r, r.Revision)
	}
	return nil
}

// local reports whether a path, joined to a repository's folder, stays below that folder on
// every operating system and outside its inner folder.
func local(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return filepath.IsLocal(filepath.FromSlash(path)) && path != "." && path == cleaned(path) &&
		!strings.ContainsAny(path, "\\\x00") && !strings.EqualFold(first, inner)
}

// cleaned returns the shortest form of a path with slashes.
func cleaned(path string) string { return filepath.ToSlash(filepath.Clean(filepath.FromSlash(path))) }

// listURL returns the address of the list of files.
func (r Repo) listURL(endpoint string) string {
	return fmt.Sprintf("%s/api/%s/%s/tree/%s?recursive=true", endpoint, r.Kind, r.Name, url.PathEscape(r.revision()))
}

// fileURL returns the address of a file. Addresses of models have no prefix for their kind.
func (r Repo) fileURL(endpoint, path string) string {
	prefix := string(r.Kind) + "/"
	if r.Kind == ModelKind {
		prefix = ""
	}
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return fmt.Sprintf("%s/%s%s/resolve/%s/%s", endpoint, prefix, r.Name, url.PathEscape(r.revision()), strings.Join(parts, "/"))
}
