package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/gowalrus/gowalrus/walrus"
)

// problem is an error that is sent to the client.
type problem struct {
	status int
	// retry is the number of seconds for Retry-After, 0 for none.
	retry   int
	Code    string `json:"code"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

func (p *problem) Error() string { return p.Message }

// unreadable returns the problem of a request that is no JSON or no record.
func unreadable(format string, args ...any) *problem {
	return &problem{status: http.StatusBadRequest, Code: "unreadable", Message: fmt.Sprintf(format, args...)}
}

// invalid returns the problem of a request whose field has an unexpected value.
func invalid(field, format string, args ...any) *problem {
	return &problem{status: http.StatusUnprocessableEntity, Code: "invalid", Field: field, Message: field + ": " + fmt.Sprintf(format, args...)}
}

// Reasons why a forecast ends early; the causes of its context.
var (
	errTimeout  = errors.New("time is up")
	errShutdown = errors.New("the server is shutting down")
	errLeft     = errors.New("the client has left")
)

// explain converts any error of a forecast to a problem and the label under which
// metrics count it.
func explain(ctx context.Context, err error) (*problem, string) {
	var p *problem
	errors.As(err, &p)
	switch cause := context.Cause(ctx); {
	case p != nil && p.status == http.StatusRequestTimeout: // net/http treats it as a client that left
		return p, "invalid"
	case errors.Is(cause, errTimeout):
		return &problem{status: http.StatusGatewayTimeout, Code: "timeout", Message: "expected an end of the forecast in time, got none: ask for fewer steps or a smaller grid"}, "timeout"
	case errors.Is(cause, errShutdown):
		return &problem{status: http.StatusServiceUnavailable, retry: 5, Code: "shutdown", Message: errShutdown.Error()}, "shutdown"
	case cause != nil, errors.Is(err, errLeft):
		// The client has left and does not read this.
		return &problem{status: 499, Code: "left", Message: errLeft.Error()}, "client"
	case p != nil:
		return p, "invalid"
	case errors.Is(err, walrus.ErrDiverged):
		return &problem{status: http.StatusUnprocessableEntity, Code: "diverged", Message: err.Error()}, "invalid"
	}
	return &problem{status: http.StatusInternalServerError, Code: "failed", Message: "the forecast failed: " + err.Error()}, "failed"
}

// write answers with a problem.
func (p *problem) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retry))
	}
	w.WriteHeader(p.status)
	_ = json.NewEncoder(w).Encode(map[string]*problem{"error": p}) // the client may be gone
}
