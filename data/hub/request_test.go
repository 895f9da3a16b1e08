package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRefusals: permanent errors are returned at once and explained.
func TestRefusals(t *testing.T) {
	s := newServer(t)
	for _, tt := range []struct {
		code  int
		token string
		said  string
		want  string
	}{
		{401, "", "", "401 Unauthorized: no such repository, or it needs a token"},
		{401, "t", "", "401 Unauthorized: the token is not valid"},
		{403, "", "", "403 Forbidden: it needs a token"},
		{403, "t", "Access is restricted.", `403 Forbidden: the token may not read it, or the terms on its page are not accepted yet ("Access is restricted.")`},
		{404, "t", "", "404 Not Found: no such repository, revision or file"},
		{410, "", "", "410 Gone"},
	} {
		s.spoil(func(_ int, w http.ResponseWriter, _ *http.Request, _ []byte) bool {
			if tt.said != "" {
				w.Header().Set("X-Error-Message", tt.said)
			}
			w.WriteHeader(tt.code)
			return true
		})
		c := s.client(t)
		c.Token = tt.token
		err := s.big(t, c)
		assert.EqualError(t, err, "hub: datasets/polymathic-ai/flow@main: data/train/a.hdf5: "+strings.TrimPrefix(s.URL, "http://")+" answers "+tt.want)
		requests, _ := s.counts()
		assert.Equal(t, 1, requests)
	}
}

// TestBusy: requests that a busy or failing hub refuses are repeated Tries times.
func TestBusy(t *testing.T) {
	s := newServer(t)
	busy := func(n int, w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		if n <= 5 {
			w.WriteHeader([]int{429, 500, 502, 503, 408}[n-1])
		}
		return n <= 5
	}
	s.spoil(busy)
	require.NoError(t, s.big(t, s.client(t)))
	c := s.client(t)
	c.Tries = 4
	s.spoil(busy)
	assert.ErrorContains(t, s.big(t, c), "gave up after 4 attempts in a row without progress: ")
	requests, _ := s.counts()
	assert.Equal(t, 4, requests)
}

// TestRetryAfter: the client waits for the time that the hub requests.
func TestRetryAfter(t *testing.T) {
	s := newServer(t)
	s.spoil(func(n int, w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		w.Header().Set("Retry-After", "1")
		if n == 1 {
			w.WriteHeader(http.StatusTooManyRequests)
		}
		return n == 1
	})
	begin := time.Now()
	require.NoError(t, s.big(t, s.client(t)))
	assert.GreaterOrEqual(t, time.Since(begin), time.Second)

	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "-3": 0, "7": 7 * time.Second, "soon": 0, "1.5": 0,
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute, "Fri, 02 Jan 2026 03:03:05 GMT": 0,
	} {
		assert.Equal(t, want, retryAfter(header, now), header)
	}
}

// TestCancelWhileWaiting: cancelling the context ends a pause.
func TestCancelWhileWaiting(t *testing.T) {
	s := newServer(t)
	s.spoil(func(_ int, w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	c := s.client(t)
	c.Wait = time.Hour
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := c.Fetch(ctx, flow, "data/train/a.hdf5")
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

// TestTokenStaysAtHub: the token is sent to the hub but not after a redirect to another
// host or to another port of the same host, where net/http would send it.
func TestTokenStaysAtHub(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "localhost"} {
		s, other := newServer(t), newServer(t)
		s.spoil(func(_ int, w http.ResponseWriter, r *http.Request, _ []byte) bool {
			http.Redirect(w, r, strings.Replace(other.URL, "127.0.0.1", host, 1)+r.URL.EscapedPath(), http.StatusFound)
			return true
		})
		cut := func(n int, w http.ResponseWriter, r *http.Request, body []byte) bool {
			if n == 1 {
				other.cutAfter(1000, true, w, r, body)
			}
			return false
		}
		other.spoil(cut)
		c := s.client(t)
		c.Token = "secret"
		require.NoError(t, s.big(t, c))
		for _, token := range s.tokens {
			assert.Equal(t, "Bearer secret", token)
		}
		assert.Equal(t, []string{"", ""}, other.tokens)
		_, sent := other.counts()
		assert.Equal(t, bigSize, sent, "ranges outlive the redirect")
	}
}

// TestRedirects: redirects within the hub keep the token, a cycle is an error, and the
// caller's CheckRedirect applies, too.
func TestRedirects(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	c.Token, c.Tries = "secret", 2
	s.spoil(func(_ int, w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.URL.RawQuery == "" {
			http.Redirect(w, r, r.URL.EscapedPath()+"?moved", http.StatusTemporaryRedirect)
		}
		return r.URL.RawQuery == ""
	})
	require.NoError(t, s.big(t, c))
	assert.NotContains(t, s.tokens, "")

	c = s.client(t)
	c.Tries = 2
	s.spoil(func(_ int, w http.ResponseWriter, r *http.Request, _ []byte) bool {
		http.Redirect(w, r, r.URL.EscapedPath()+"?"+r.URL.RawQuery+"x", http.StatusFound)
		return true
	})
	assert.ErrorContains(t, s.big(t, c), "stopped after 10 redirects")
	c.HTTP = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("not here") }}
	assert.ErrorContains(t, s.big(t, c), "not here")
}

// TestStorageRefuses: if a redirect's signature has expired, the client asks the hub again.
func TestStorageRefuses(t *testing.T) {
	s, storage := newServer(t), newServer(t)
	s.spoil(func(_ int, w http.ResponseWriter, r *http.Request, _ []byte) bool {
		http.Redirect(w, r, storage.URL+r.URL.EscapedPath(), http.StatusFound)
		return true
	})
	storage.spoil(func(n int, w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		if n == 1 {
			w.WriteHeader(http.StatusForbidden)
		}
		return n == 1
	})
	require.NoError(t, s.big(t, s.client(t)))
}

func TestExplain(t *testing.T) {
	err := explain(context.Background(), fmt.Errorf("x: %w", &url.Error{Op: "Get", URL: "https://storage.example/a?signature=s", Err: errors.New("reset")}))
	assert.EqualError(t, err, "storage.example: reset", "signatures do not get into logs")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(&stalled{time.Second})
	assert.EqualError(t, explain(ctx, context.Canceled), "no data for 1s")
}

func TestFinal(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{&os.PathError{Op: "write", Path: "x.part", Err: syscall.ENOSPC}, true},
		{&os.LinkError{Op: "rename", Err: syscall.EXDEV}, true},
		{&lasting{errors.New("x")}, true},
		{&refusal{final: true}, true},
		{&refusal{}, false},
		{&stalled{}, false},
		{syscall.ECONNRESET, false},
	} {
		assert.Equal(t, tt.want, final(fmt.Errorf("wrapped: %w", tt.err)), tt.err)
	}
}
