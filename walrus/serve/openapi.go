package serve

import (
	_ "embed"
	"encoding/json"
	"net/http"
)

// openAPIText is the description of the endpoints in OpenAPI 3.0. Tests compare it with the
// endpoints and with their answers.
//
//go:embed openapi.json
var openAPIText []byte

// openAPI returns the handler of the description. Only that of a server with a token
// demands one.
func (s *Server) openAPI() http.HandlerFunc {
	text := openAPIText
	if s.o.Token == "" {
		var document map[string]any
		err := json.Unmarshal(text, &document)
		delete(document, "security")
		if err == nil {
			text, err = json.Marshal(document)
		}
		if err != nil {
			panic(err) // the embedded text is JSON
		}
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(text) // the client may be gone
	}
}
