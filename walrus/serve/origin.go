package serve

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// checkNames checks the lists of hosts and origins.
func (o Options) checkNames() error {
	for _, h := range o.Hosts {
		if h == "" || strings.ContainsAny(h, "/:") {
			return fmt.Errorf("serve: options: Hosts: expected names without port, got %q", h)
		}
	}
	for _, origin := range o.Origins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != origin {
			return fmt.Errorf(`serve: options: Origins: expected origins such as "https://example.org", got %q`, origin)
		}
	}
	return nil
}

// named refuses requests to other names than the server's, and requests of web pages of
// other origins.
func (s *Server) named(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.o.knowsHost(r.Host) {
			(&problem{status: http.StatusMisdirectedRequest, Code: "host", Field: "Host",
				Message: fmt.Sprintf("Host: expected an IP address, localhost or a name that the server's options list, got %q", r.Host)}).write(w)
			return
		}
		origin := r.Header.Get("Origin")
		trusted := slices.Contains(s.o.Origins, origin)
		if origin != "" && !trusted && !sameOrigin(origin, r.Host) {
			(&problem{status: http.StatusForbidden, Code: "origin", Field: "Origin",
				Message: fmt.Sprintf("Origin: expected the server's page or an origin that the server's options list, got %q", origin)}).write(w)
			return
		}
		if trusted {
			h := w.Header()
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", "Retry-After")
			h.Add("Vary", "Origin")
			if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
				h.Set("Access-Control-Allow-Methods", "GET, POST")
				h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
				h.Set("Access-Control-Max-Age", "600")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// knowsHost reports whether a Host header names the server.
func (o Options) knowsHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"), "."))
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	return slices.ContainsFunc(o.Hosts, func(h string) bool { return h == "*" || strings.EqualFold(h, name) })
}

// sameOrigin reports whether an origin is that of the page of the server at host. The
// scheme is not compared, since a proxy may add encryption.
func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}
