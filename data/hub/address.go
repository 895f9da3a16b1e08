package hub

import (
	"fmt"
	"net/url"
	"path"
	"strings"
)

// IsAddress reports whether a path is an address that [Client.Open] reads: it begins with
// http://, https:// or hf://.
func IsAddress(path string) bool {
	scheme, _, ok := strings.Cut(path, "://")
	return ok && (scheme == "http" || scheme == "https" || scheme == "hf")
}

// location is a parsed address.
type location struct {
	repo Repo    // of an address hf://, else zero
	site url.URL // of an address http:// or https://: scheme, user and host
	// base is the address of the repository or server for messages, without user, and name
	// the path below it, "." for the root.
	base, name string
	query      string // of the one file that can be read, empty if there is none
}

// forms describes the addresses for messages.
const forms = "hf://datasets/OWNER/NAME[@REVISION][/PATH], or http:// or https:// with the path of a file or a folder"

// parseAddress parses an address.
func parseAddress(address string) (location, error) {
	if rest, ok := strings.CutPrefix(address, "hf://"); ok {
		return parseRepo(address, rest)
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Fragment != "" ||
		strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") {
		text, _, _ := strings.Cut(address, "?") // queries may contain signatures
		return location{}, fmt.Errorf("hub: expected an address such as %s, got %q", forms, text)
	}
	name := strings.TrimPrefix(path.Clean("/"+u.Path), "/")
	if name == "" {
		name = "."
	}
	return location{
		site: url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host}, query: u.RawQuery,
		base: u.Scheme + "://" + u.Host, name: name,
	}, nil
}

// parseRepo parses an address whose part after hf:// is rest. A slash in the revision is
// written %2F.
func parseRepo(address, rest string) (location, error) {
	parts := strings.SplitN(strings.TrimRight(rest, "/"), "/", 4)
	if len(parts) < 3 || Kind(parts[0]) != DatasetKind {
		return location{}, fmt.Errorf("hub: expected an address such as %s, got %q", forms, address)
	}
	repo, revision, _ := strings.Cut(parts[2], "@")
	revision, err := url.PathUnescape(revision)
	l := location{repo: Repo{DatasetKind, parts[1] + "/" + repo, revision}, base: "hf://" + strings.Join(parts[:3], "/"), name: "."}
	if err == nil {
		err = l.repo.Validate()
	}
	if err != nil {
		return location{}, fmt.Errorf("hub: %s: %w", address, err)
	}
	if len(parts) == 4 {
		l.name = parts[3]
		if !local(l.name) {
			return location{}, fmt.Errorf("hub: %s: expected the path of a file or a folder, got %q", address, l.name)
		}
	}
	return l, nil
}

// address returns the address of a name, without query and user.
func (l location) address(name string) string {
	switch {
	case name == ".":
		return l.base
	case l.repo.Name != "":
		return l.base + "/" + name
	}
	return l.base + (&url.URL{Path: "/" + name}).EscapedPath()
}

// url returns the address that requests of a name of a server use. Folders end in a slash.
func (l location) url(name string, folder bool) string {
	u := l.site
	u.Path = "/" + strings.TrimPrefix(name, ".")
	if folder && !strings.HasSuffix(u.Path, "/") {
		u.Path += "/"
	}
	u.RawQuery = l.query
	return u.String()
}
