package hub_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/gowalrus/gowalrus/data/hub"
	"github.com/gowalrus/gowalrus/internal/sweep"
)

// nowhere answers every request with 404, so that nothing leaves the machine.
type nowhere struct{}

func (nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusNotFound, Status: "404 Not Found", Body: http.NoBody, Request: r}, nil
}

// TestNonsense: no function panics on bad input.
func TestNonsense(t *testing.T) {
	transport := http.DefaultTransport
	http.DefaultTransport = nowhere{}
	defer func() { http.DefaultTransport = transport }()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	sweep.Run(t, sweep.Package{
		Funcs:   []any{hub.Dataset, hub.FromEnvironment, hub.Peer, hub.Peers, hub.Weights},
		Types:   []any{new(hub.Client), new(hub.Repo)},
		Values:  []any{&hub.Client{Cache: t.TempDir(), Tries: 1, Wait: time.Nanosecond}, hub.Dataset("rain"), hub.Weights()},
		Strings: []string{"owner/name", "main", "data/train/a.hdf5"},
		Calls:   100,
	})
}
