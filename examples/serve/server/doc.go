// Package server answers requests for forecasts over HTTP: it is what command serve
// runs, and it can be mounted in another program:
//
//	model, err := server.OpenModel("nano", walrus.EmulatorOptions{Backend: b})
//	…
//	s, err := server.New(server.Options{})
//	…
//	s.Ready(model)
//	http.ListenAndServe("127.0.0.1:8080", s)
//
// # Endpoints
//
//	GET  /             the page
//	GET  /api          the formats below, with examples
//	GET  /v1/model     the network, its fields, the limits
//	GET  /v1/systems   systems with a solver
//	POST /v1/start     an initial state of a system
//	POST /v1/simulate  forecast of a system from a simulated or given state, beside the truth
//	POST /v1/forecast  forecast of a window of the client's
//	GET  /metrics      for Prometheus
//	GET  /healthz      200 while the process lives
//	GET  /readyz       200 while new forecasts are accepted, else 503
//
// # Requests
//
// A request is JSON (Content-Type: application/json), a key that is not known is an
// error. The keys of /v1/forecast:
//
//	fields      [{"name": "velocity", "order": 1, "constant": false}, …]
//	grid        points along each of 1 to 3 axes, [32, 64]
//	boundaries  one for each axis: "periodic", "wall", "open", or low/high: "wall/open"
//	frames      the history: for each frame its channels, one after the other, row
//	            major over the grid: an array of numbers, or base64 of little-endian float32
//	constants   the channels of the constant fields in the same way
//	repeat      a single frame is repeated to a history of so many
//	steps       frames to forecast
//	downscale   answer with means over blocks of so many points along each axis
//
// Those of /v1/simulate, of which /v1/start takes the first six:
//
//	system      a name from /v1/systems
//	seed        of parameters and initial state
//	grid        at most as many points as the system's own, which is the default
//	parameters  {"name": number}, within the ranges of the system; others are drawn
//	initial     a frame to start from, as in frames; what is not free follows from the rest
//	constants   the constant fields that go with it, as /v1/start gave them
//	boundaries  in place of the system's own
//	history     frames that the network sees; the default is what it was trained with
//	steps, downscale
//
// The history is what the solver makes of the initial state, and so is the truth. If
// the solver cannot do with the boundaries, the initial state is repeated instead and
// there is no truth.
//
// The binary form (Content-Type: application/x-walrus) is one record:
//
//	uint32  length of the header, little endian
//	uint32  length of the payload in bytes
//	header  the JSON above; a key "arrays" lists what the payload holds:
//	        [{"name": "frames", "count": 12288}, {"name": "constants", "count": 2048}]
//	payload float32, little endian, array after array; frames of one request form one array
//
// # Answers
//
// The header Accept chooses the form:
//
//	application/json      one object, when all is done: what "start" and "end" below
//	                      hold, and "history" and "frames", arrays of numbers
//	text/event-stream     server-sent events; arrays are base64 of little-endian float32
//	application/x-walrus  records as above, whose header has a key "type"
//
// In both streams a record of type start comes first (channels, grid, boundaries,
// steps, interval, truth, history_from, and advice where the weights were not trained on
// such a window: [{"kind": "strides", "axis": 0, "share": 0, "text": "…"}], the fields of
// walrus.Advice), for /v1/simulate then one of type history for
// each frame of the history (step −5 … 0, array values), then one of type frame for each
// step as soon as it is there (step, seconds, array forecast; with a truth also array truth
// and, for each channel, vrmse and persistence, the VRMSE of the last frame of the
// history), and last end or error.
//
// # Errors
//
//	{"error": {"code": "invalid", "field": "frames[2]", "message": "frames[2]: expected …, got …"}}
//
// 400 is for what cannot be read, 413 for bodies that are too long, 415 for other
// media types, 422 for what can be read and is wrong, 429 with Retry-After when the
// queue is full or the client's share of it is used up, 503 while loading or shutting
// down, 504 when time is up.
//
// # Order of service
//
// Whoever is admitted gets turns: one step each, from that client first which has used
// the least time of the workers. Long forecasts therefore do not hold up short ones,
// and many requests of one client do not hold up another's. A forecast whose client
// leaves ends before its next step.
//
// # What a defect does
//
// A panic while a request is handled, or while operations of a backend run in its
// goroutine, is the end of that request alone: 500, with the stack in the log and a count
// in walrus_panics_total, or an error of that forecast. A panic in another goroutine
// ends the process. The pure Go backend as package walrus/backend opens it starts a
// goroutine for every operation; a server should take "go:ops_sequential" instead, as
// command serve does (its backend.go says what it costs).
//
// A forecast that is under way with [walrus.EmulatorOptions.Cache] keeps keys and values
// between its turns: choose [Options.Queue] so that they fit.
package server
