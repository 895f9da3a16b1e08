package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
)

// minToken is the least length of a token.
const minToken = 16

// checkToken checks that the token can be sent in a header and is hard to guess.
func (o Options) checkToken() error {
	if o.Token == "" {
		return nil
	}
	if len(o.Token) < minToken {
		return fmt.Errorf("serve: options: Token: expected at least %d characters, got %d", minToken, len(o.Token))
	}
	for _, c := range []byte(o.Token) {
		if c <= ' ' || c > '~' {
			return fmt.Errorf("serve: options: Token: expected printable ASCII without spaces, got the byte %#x", c)
		}
	}
	return nil
}

// authorized refuses requests to the API and to the metrics that lack the token. The page,
// its documents and the probes of health stay open.
func (s *Server) authorized(next http.Handler) http.Handler {
	if s.o.Token == "" {
		return next
	}
	want := sha256.Sum256([]byte(s.o.Token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/v1/") && r.URL.Path != "/metrics" {
			next.ServeHTTP(w, r)
			return
		}
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(token))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="walrus"`)
			(&problem{status: http.StatusUnauthorized, Code: "token", Field: "Authorization",
				Message: `Authorization: expected "Bearer " and the server's token, got another or none`}).write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}
