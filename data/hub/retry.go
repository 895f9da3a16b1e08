package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// refusal is the error for an answer with an unexpected status.
type refusal struct {
	text  string
	code  int
	final bool          // repeating the request is useless
	after time.Duration // the pause that the hub requests, 0 if none
}

func (r *refusal) Error() string { return r.text }

// Is makes an answer 404 an [fs.ErrNotExist].
func (r *refusal) Is(target error) bool {
	return target == fs.ErrNotExist && r.code == http.StatusNotFound
}

// refused explains the status of an answer. Without a token, the hub answers 401 for
// repositories that do not exist, too.
func (c *Client) refused(response *http.Response) error {
	endpoint, _ := c.endpoint()
	code := response.StatusCode
	r := &refusal{code: code, text: fmt.Sprintf("%s answers %s", response.Request.URL.Host, response.Status), after: retryAfter(response.Header.Get("Retry-After"), time.Now())}
	r.final = code < 500 && code != http.StatusTooManyRequests && code != http.StatusRequestTimeout
	if redirected := response.Request.Response != nil; redirected && !sameOrigin(response.Request.URL, endpoint) && code == http.StatusForbidden {
		r.final = false // the signature of the storage's address has expired; the hub makes a new one
		return r
	}
	switch {
	case !sameOrigin(response.Request.URL, endpoint):
		if code == http.StatusNotFound {
			r.text += ": no such file or folder"
		}
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

// retryAfter parses a Retry-After header: seconds or a date.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(max(0, min(seconds, 1<<30))) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}

// lasting wraps an error that another attempt would not fix.
type lasting struct{ error }

func (l *lasting) Unwrap() error { return l.error }

// final reports whether another attempt is useless. Errors of the file system, such as a
// full disk, are final.
func final(err error) bool {
	var r *refusal
	var l *lasting
	var path *os.PathError
	var link *os.LinkError
	return errors.As(err, &r) && r.final || errors.As(err, &l) || errors.As(err, &path) || errors.As(err, &link)
}

// Bounds of the pause between two attempts: for the doubling pauses and for the hub's
// requests.
const (
	maxPause = 2 * time.Minute
	maxAfter = 10 * time.Minute
)

// again calls try until it succeeds, fails with a final error, or has failed Client.Tries
// times in a row without progress. Log messages use what as the name of
// the operation.
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
			return fmt.Errorf("gave up after %d attempts in a row without progress: %w", failures, err)
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
