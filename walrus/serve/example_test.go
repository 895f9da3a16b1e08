package serve_test

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/serve"
)

// The example forecasts diffusion and compares it with the solution of the equations.
func Example() {
	b, err := serve.OpenBackend(false)
	if err != nil {
		log.Fatal(err)
	}
	model, err := serve.OpenModel("nano", walrus.EmulatorOptions{Backend: b, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	s, err := serve.New(model, serve.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	h := httptest.NewServer(s)
	defer h.Close()

	answer, err := http.Post(h.URL+"/v1/simulate", "application/json", strings.NewReader(`{"system": "diffusion", "grid": [16, 16], "steps": 2}`))
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	var forecast struct {
		Channels []string
		Frames   []struct {
			Step  int
			VRMSE []float64
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&forecast); err != nil {
		log.Fatal(err)
	}
	for _, f := range forecast.Frames {
		fmt.Println(forecast.Channels, f.Step, f.VRMSE[0] < 0.3)
	}
	// Output:
	// [concentration] 1 true
	// [concentration] 2 true
}
