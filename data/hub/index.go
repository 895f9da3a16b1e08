package hub

import (
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// maxIndex bounds the size of a page that lists a folder, in bytes.
const maxIndex = 16 << 20

// link matches the address of a link in a page.
var link = regexp.MustCompile(`(?i)<a\s[^>]*href\s*=\s*(?:"([^"]*)"|'([^']*)')`)

// index returns the entries of a folder of a server: the links in the folder's page that lead
// to files and folders directly below it, as in the pages of Apache, nginx and
// net/http.FileServer.
func (t *Tree) index(name string) (list []fs.DirEntry, err error) {
	err = t.c.again(t.ctx, t.address(name), func() (bool, error) {
		response, err := t.c.get(t.ctx, t.url(name, true), nil)
		if err != nil {
			return false, err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return false, t.c.refused(response)
		}
		if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/html") {
			return false, &lasting{fmt.Errorf("expected a page of type text/html, got %q", kind)}
		}
		page, err := io.ReadAll(io.LimitReader(response.Body, maxIndex))
		if err != nil {
			return false, err
		}
		list = t.links(name, response.Request.URL, string(page))
		return false, nil
	})
	if err != nil && t.ctx.Err() == nil {
		err = fmt.Errorf("%w: a folder can be read if the server has a page that lists its files: else give the address of a file", err)
	}
	return list, err
}

// links returns the entries of a folder's page, whose address is base.
func (t *Tree) links(name string, base *url.URL, page string) []fs.DirEntry {
	folder := base.Path
	if !strings.HasSuffix(folder, "/") {
		folder += "/"
	}
	var list []fs.DirEntry
	for _, m := range link.FindAllStringSubmatch(page, -1) {
		u, err := base.Parse(html.UnescapeString(m[1] + m[2]))
		if err != nil || u.Host != base.Host || u.RawQuery != "" || strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") {
			continue
		}
		rest, below := strings.CutPrefix(u.Path, folder)
		entry, dir := strings.CutSuffix(rest, "/")
		if !below || entry == "" || strings.Contains(entry, "/") || !fs.ValidPath(entry) {
			continue
		}
		i := newInfo(entry, 0, dir)
		if !dir {
			file := path.Join(name, entry)
			i.stat = func() (fs.FileInfo, error) { return t.stat("stat", file) }
		}
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return slices.CompactFunc(list, func(a, b fs.DirEntry) bool { return a.Name() == b.Name() })
}
