package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// get makes a request. If no data arrives for Client.Stall, the context and the body of the
// answer end with an error. The caller closes the body.
func (c *Client) get(ctx context.Context, address string, header http.Header) (*http.Response, error) {
	endpoint, err := c.endpoint()
	if err != nil {
		return nil, &lasting{err}
	}
	stall := cmp.Or(c.Stall, 30*time.Second)
	ctx, cancel := context.WithCancelCause(ctx)
	watch := time.AfterFunc(stall, func() { cancel(&stalled{stall}) })
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		watch.Stop()
		cancel(nil)
		return nil, &lasting{err}
	}
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("User-Agent", "gowalrus")
	if c.Token != "" && sameOrigin(request.URL, endpoint) {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	response, err := c.transport(endpoint).Do(request)
	watch.Stop()
	if err != nil {
		err = explain(ctx, err)
		cancel(nil)
		return nil, err
	}
	response.Body = &body{ReadCloser: response.Body, ctx: ctx, cancel: cancel, watch: watch, stall: stall}
	return response, nil
}

// transport returns the client that makes the requests. It drops the token when a redirect
// leads to another host or port. net/http would keep it for subdomains and other ports, but
// the hub redirects downloads to storage servers that must not receive it.
func (c *Client) transport(endpoint string) *http.Client {
	client := http.Client{}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	check := client.CheckRedirect
	client.CheckRedirect = func(request *http.Request, via []*http.Request) error {
		if !sameOrigin(request.URL, endpoint) {
			request.Header.Del("Authorization")
		}
		if check != nil {
			return check(request, via)
		}
		if len(via) >= 10 {
			return errors.New("stopped after 10 redirects")
		}
		return nil
	}
	return &client
}

// sameOrigin reports whether an address has the scheme, host and port of the endpoint.
func sameOrigin(u *url.URL, endpoint string) bool {
	e, err := url.Parse(endpoint)
	return err == nil && u.Scheme == e.Scheme && strings.EqualFold(u.Host, e.Host)
}

// stalled is the error of a connection that has received no data for a while.
type stalled struct{ after time.Duration }

func (s *stalled) Error() string { return fmt.Sprintf("no data for %v", s.after) }

// explain replaces "canceled" by the cause of the cancellation, and the full addresses in
// errors of net/http, which may contain signatures, by the host.
func explain(ctx context.Context, err error) error {
	var s *stalled
	if errors.As(context.Cause(ctx), &s) {
		return s
	}
	var u *url.Error
	if errors.As(err, &u) {
		if at, parsed := url.Parse(u.URL); parsed == nil {
			return fmt.Errorf("%s: %w", at.Host, u.Err)
		}
	}
	return err
}

// body is the body of an answer with a timer that detects stalls.
type body struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	watch  *time.Timer
	stall  time.Duration
}

// Read runs the timer only while it waits for the connection, not while the caller works.
func (b *body) Read(p []byte) (int, error) {
	b.watch.Reset(b.stall)
	n, err := b.ReadCloser.Read(p)
	b.watch.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		err = explain(b.ctx, err)
	}
	return n, err
}

// Close closes the connection if the body was not read to the end.
func (b *body) Close() error {
	b.watch.Stop()
	b.cancel(nil)
	return b.ReadCloser.Close()
}
