package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// refusal is an answer other than the expected one.
type refusal struct {
	text  string
	final bool          // asking again is of no use
	after time.Duration // when the hub wants to be asked again, 0 if it does not say
}

func (r *refusal) Error() string { return r.text }

// refused says in words what an answer means. The hub answers 401 for repositories
// that do not exist, too, as long as no token is given.
func (c *Client) refused(response *http.Response) error {
	endpoint, _ := c.endpoint()
	code := response.StatusCode
	r := &refusal{text: fmt.Sprintf("%s answers %s", response.Request.URL.Host, response.Status), after: retryAfter(response.Header.Get("Retry-After"), time.Now())}
	r.final = code < 500 && code != http.StatusTooManyRequests && code != http.StatusRequestTimeout
	if !sameOrigin(response.Request.URL, endpoint) && code == http.StatusForbidden {
		r.final = false // the storage's signature of the address is old; the hub makes a new one
		return r
	}
	switch {
	case code == http.StatusUnauthorized && c.Token == "":
		r.text += ": no such repository, or it needs a token"
	case code == http.StatusUnauthorized:
		r.text += ": the token is not valid"
	case code == http.StatusForbidden && c.Token == "":
		r.text += ": it needs a token"
	case code == http.StatusForbidden:
		r.text += ": the token may not read it, or the terms on its page are not accepted yet"
	case code == http.StatusNotFound:
		r.text += ": no such repository, revision or file"
	}
	if said := response.Header.Get("X-Error-Message"); said != "" {
		r.text += fmt.Sprintf(" (%.200q)", strings.TrimSpace(said))
	}
	return r
}

// retryAfter reads the header of that name: seconds or a date.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(max(0, min(seconds, 1<<30))) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}

// lasting is an error that another try would not mend.
type lasting struct{ error }

func (l *lasting) Unwrap() error { return l.error }

// final reports whether trying again is of no use. What the disk refuses, because
// it is full say, it will refuse again.
func final(err error) bool {
	var r *refusal
	var l *lasting
	var path *os.PathError
	var link *os.LinkError
	return errors.As(err, &r) && r.final || errors.As(err, &l) || errors.As(err, &path) || errors.As(err, &link)
}

// Bounds of the time between two tries: as we double it, and as the hub asks.
const (
	maxPause = 2 * time.Minute
	maxAfter = 10 * time.Minute
)

// again calls try until it succeeds, fails for good, or has failed Client.Tries
// times in a row without progress. what names it in the log.
func (c *Client) again(ctx context.Context, what string, try func() (progress bool, err error)) error {
	pause, failures := cmp.Or(c.Wait, time.Second), 0
	for {
		progress, err := try()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case final(err):
			return err
		}
		failures++
		if progress {
			pause, failures = cmp.Or(c.Wait, time.Second), 0
		}
		if tries := max(1, cmp.Or(c.Tries, 8)); failures >= tries {
			return fmt.Errorf("given up after %d tries in a row that brought nothing: %w", failures, err)
		}
		wait := pause
		var r *refusal
		if errors.As(err, &r) && r.after > 0 {
			wait = min(r.after, maxAfter)
		}
		if c.Log != nil {
			c.Log.Warn("hub: trying again", "what", what, "in", wait, "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		pause = min(2*pause, maxPause)
	}
}
