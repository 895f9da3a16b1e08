// Package serve answers requests for forecasts over HTTP, and serves a page on which a user
// paints a field and watches its forecast. A [Server] is an http.Handler, which a program
// can mount:
//
//	b, err := serve.OpenBackend(false)
//	…
//	model, err := serve.OpenModel("nano", walrus.EmulatorOptions{Backend: b, Seed: 1})
//	…
//	s, err := serve.New(model, serve.Options{})
//	…
//	http.Handle("/walrus/", http.StripPrefix("/walrus", s))
//
// [Server.Serve] runs it alone, with timeouts and a graceful end.
//
// # Endpoints
//
//	GET  /             the page
//	GET  /api          the formats below, with examples
//	GET  /openapi.json the endpoints in OpenAPI 3.0, for programs
//	GET  /v1/model     the network, its fields, the limits
//	GET  /v1/systems   systems with a solver
//	POST /v1/start     an initial state of a system
//	POST /v1/simulate  forecast of a system from a simulated or given state, with the truth
//	POST /v1/forecast  forecast of a window of the client's
//	GET  /metrics      for Prometheus
//	GET  /healthz      200 while the process lives
//	GET  /readyz       200 while new forecasts are accepted, else 503
//
// # Requests
//
// A request is JSON (Content-Type: application/json). An unknown key is an error, and
// so is a key that is given twice. The
// keys of /v1/forecast are
//
//	fields      [{"name": "velocity", "order": 1, "constant": false}, …]
//	grid        points along each of 1 to 3 axes, [32, 64]
//	boundaries  one for each axis: "periodic", "wall", "open", or low/high: "wall/open"
//	frames      the history: for each frame its channels, one after the other, row
//	            major over the grid: an array of numbers, or base64 of little-endian float32
//	constants   the channels of the constant fields in the same way
//	repeat      copies of a single frame that form the history
//	steps       frames to forecast
//	downscale   points along each axis of the blocks whose means are the answer
//
// The keys of /v1/simulate are the following; /v1/start uses the first six.
//
//	system      a name from /v1/systems
//	seed        of parameters and initial state
//	grid        at most as many points as the system's default
//	parameters  {"name": number}, within the ranges of the system; others are drawn
//	initial     a frame to start from, as in frames; dependent channels are computed
//	constants   the constant fields of that frame, as /v1/start returned them
//	boundaries  instead of the system's default
//	history     frames that the network sees; default: as in its training
//	steps, downscale
//
// The solver computes the history from the initial state, and then the truth. If it
// does not support the boundaries, the initial state is repeated instead and there is
// no truth.
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
// In both streams the first record has type start (channels, grid, boundaries, steps,
// interval, truth, history_from). It has a key advice if the weights were not trained
// on such a window: [{"kind": "strides", "axis": 0, "share": 0, "text": "…"}], the
// fields of walrus.Advice. For /v1/simulate a record of type history follows for each
// frame of the history (step −5 … 0, array values). Then each step gives a record of
// type frame as soon as it is computed (step, seconds, array forecast). If the request has a
// key members, the forecast is the mean of an ensemble of that size, whose initial frames are
// perturbed by 2 %, and the arrays lower and upper hold the bounds of their central 90 %
// (level). Without members, frames have lower and upper if there is a calibration for the
// weights ([walrus.Calibration]). If there is a truth, it also holds the array truth and,
// for each channel, vrmse and persistence, the VRMSE of the last frame of the history. The
// last record has type end or error.
//
// # Errors
//
//	{"error": {"code": "invalid", "field": "frames[2]", "message": "frames[2]: expected …, got …"}}
//
// The status is 400 if a body cannot be read, 401 without the server's token, 403 for pages
// of other origins, 408 if a body arrives too slowly, 413 if it is too long, 415 for other
// media types, 421 if the header Host does not name the server, 422 if a body can be read
// but is invalid, 429 with Retry-After if the queue is full, the client has used up its
// share, or the requests in flight hold the memory for their values, 503 while loading or
// shutting down, and 504 on timeout.
//
// # Limits
//
// A body is decoded while it arrives. It is refused at the first key, type or length that
// the endpoint does not expect. The values of all requests in flight share
// [Options.MaxMemory]. A request takes a place in the queue when its body is complete, so
// that slow clients keep nobody else out.
//
// Requests must address the server by an IP address, as localhost, or by one of
// [Options.Hosts]. Pages of other origins must be in [Options.Origins]. With
// [Options.Token], requests to /v1/… and /metrics need the header
// "Authorization: Bearer …".
//
// # Order of service
//
// Admitted forecasts take turns of one step each. The next turn goes to the client that
// has used the least time of the workers. Long forecasts therefore do not delay short
// ones, and many requests of one client do not delay another client's. If a client
// leaves, its forecast ends before its next step.
//
// # Panics
//
// A panic in a handler, or in operations that a backend runs in the handler's
// goroutine, ends only that request: it is answered with 500, or with an error of the
// forecast; the log has the stack, and walrus_panics_total counts it. A panic in
// another goroutine ends the process. The pure Go backend as package walrus/backend
// opens it starts a goroutine for every operation; [OpenBackend] opens it in a
// configuration without them.
//
// With [walrus.EmulatorOptions.Cache] a running forecast keeps keys and values between
// its turns. Choose [Options.Queue] so that they fit into memory.
package serve
