package main

/*
#include "gowalrus.h"

void gowalrusSetError(char *text, size_t length);
*/
import "C"

import (
	"fmt"
	"runtime/debug"
	"unsafe"
)

// finish turns the error or the panic of a call into a code, and keeps its text for the
// thread. Deferred calls of it recover.
func finish(code *C.int, err *error) {
	if fault := recover(); fault != nil {
		*err = failed(codeInternal, fmt.Errorf("%v\n%s", fault, debug.Stack()))
	}
	*code = C.int(codeOf(*err))
	text := []byte{0}
	if *err != nil {
		text = append([]byte((*err).Error()), 0)
	}
	C.gowalrusSetError((*C.char)(unsafe.Pointer(&text[0])), C.size_t(len(text)-1))
}

//export gowalrusOpen
func gowalrusOpen(weights *C.char, seed C.uint64_t, model *C.gowalrus_model) (code C.int) {
	var err error
	defer finish(&code, &err)
	if weights == nil || model == nil {
		err = null("weights and model")
		return
	}
	*model = 0
	id, err := open(C.GoString(weights), uint64(seed))
	*model = C.gowalrus_model(id)
	return
}

//export gowalrusClose
func gowalrusClose(model C.gowalrus_model) (code C.int) {
	var err error
	defer finish(&code, &err)
	err = closeModel(int64(model))
	return
}

//export gowalrusDescribe
func gowalrusDescribe(model C.gowalrus_model, text *C.char, size C.size_t, needed *C.size_t) (code C.int) {
	var err error
	defer finish(&code, &err)
	description, err := describe(int64(model))
	if err != nil {
		return
	}
	if needed != nil {
		*needed = C.size_t(len(description) + 1)
	}
	switch {
	case text == nil:
		err = null("text")
	case uint64(size) < uint64(len(description)+1):
		err = failed(codeLength, fmt.Errorf("expected a text of at least %d bytes, got %d", len(description)+1, uint64(size)))
	default:
		dst := unsafe.Slice((*byte)(unsafe.Pointer(text)), len(description)+1)
		copy(dst, description)
		dst[len(description)] = 0
	}
	return
}

//export gowalrusForecast
func gowalrusForecast(model C.gowalrus_model, window *C.gowalrus_window, steps, members C.int64_t, out *C.float, length C.size_t) (code C.int) {
	var err error
	defer finish(&code, &err)
	if out == nil {
		err = null("out")
		return
	}
	s, _, err := startOf(window, int64(steps), int64(members), array{"out", outOf, uint64(length)})
	if err != nil {
		return
	}
	err = forecast(int64(model), s, int(steps), int(members), floats(out, int64(length)))
	return
}

//export gowalrusVJP
func gowalrusVJP(model C.gowalrus_model, window *C.gowalrus_window, steps C.int64_t, cotangents *C.float, cotangentsLength C.size_t, frames *C.float, framesLength C.size_t, constants *C.float, constantsLength C.size_t) (code C.int) {
	var err error
	defer finish(&code, &err)
	if cotangents == nil || frames == nil || constants == nil && constantsLength > 0 {
		err = null("cotangents, frames, and constants unless their length is 0")
		return
	}
	s, z, err := startOf(window, int64(steps), 0, array{"cotangents", outOf, uint64(cotangentsLength)},
		array{"gradient of the frames", framesOf, uint64(framesLength)}, array{"gradient of the constants", constantsOf, uint64(constantsLength)})
	if err != nil {
		return
	}
	err = vjp(int64(model), s, floats(cotangents, z.out), floats(frames, z.frames), floats(constants, z.constants))
	return
}

// startOf returns the start of a forecast and the lengths of its arrays. It compares the
// lengths, and those of other arrays, before it reads any array.
func startOf(window *C.gowalrus_window, steps, members int64, others ...array) (s start, z sizes, err error) {
	if window == nil || window.fields == nil || window.boundaries == nil || window.frames == nil || window.constants == nil && window.constants_length > 0 {
		return s, z, null("window, its fields, boundaries and frames, and its constants unless their length is 0")
	}
	s = start{fields: C.GoString(window.fields), boundaries: C.GoString(window.boundaries), axes: int64(window.axes), history: int64(window.history)}
	for i := range s.grid {
		s.grid[i] = int64(window.grid[i])
	}
	if z, err = s.sizes(steps, members); err != nil {
		return s, z, err
	}
	arrays := append([]array{{"frames", framesOf, uint64(window.frames_length)}, {"constants", constantsOf, uint64(window.constants_length)}}, others...)
	if err = z.compare(arrays...); err != nil {
		return s, z, err
	}
	s.frames, s.constants = floats(window.frames, z.frames), floats(window.constants, z.constants)
	return s, z, nil
}

// floats returns the array at a pointer.
func floats(p *C.float, n int64) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(p)), n)
}
