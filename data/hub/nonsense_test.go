package hub_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gowalrus/gowalrus/data/hub"
	"github.com/gowalrus/gowalrus/internal/sweep"
)

// nowhere answers every request with 404 but that of one file, so that nothing leaves the
// machine.
type nowhere struct{}

func (nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/a.hdf5" {
		w := httptest.NewRecorder()
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader("the content"))
		response := w.Result()
		response.Request = r
		return response, nil
	}
	return &http.Response{StatusCode: http.StatusNotFound, Status: "404 Not Found", Body: http.NoBody, Request: r}, nil
}

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	transport := http.DefaultTransport
	http.DefaultTransport = nowhere{}
	defer func() { http.DefaultTransport = transport }()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	client := &hub.Client{Cache: t.TempDir(), Tries: 1, Wait: time.Nanosecond}
	tree, name, err := client.Open(t.Context(), "http://h/a.hdf5")
	if err != nil {
		t.Fatal(err)
	}
	file, err := tree.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	sweep.Run(t, sweep.Package{
		Funcs:   []any{hub.Dataset, hub.FromEnvironment, hub.IsAddress, hub.Peer, hub.Peers, hub.Weights},
		Types:   []any{new(hub.Client), new(hub.Repo)},
		Made:    []any{(*hub.Tree)(nil), (*hub.RemoteFile)(nil)},
		Values:  []any{client, tree, file, hub.Dataset("rain"), hub.Weights()},
		Strings: []string{"owner/name", "main", "data/train/a.hdf5", "a.hdf5", "http://h/a.hdf5", "hf://datasets/owner/name"},
		Calls:   100,
	})
}
