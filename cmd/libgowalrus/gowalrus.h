/*
 * gowalrus.h: forecasts of physical fields with Walrus, for C and all languages that call C.
 *
 * Build the library with
 *
 *     GOEXPERIMENT=simd go build -buildmode=c-shared -o libgowalrus.so ./cmd/libgowalrus
 *
 * Every function returns GOWALRUS_OK or the code of an error, whose text
 * gowalrus_last_error returns. Null pointers, wrong lengths and closed models are errors.
 * All functions may be called from several threads at once. Arrays belong to the caller and
 * are not kept. No function ends the process.
 *
 * Arrays are row-major float32 in physical units. A frame is [channels, x, y, z], with as
 * many axes as the grid. Scalars have one channel, vectors one per axis, in the order of the
 * axes, tensors one per pair of axes.
 *
 * Names and layouts in this file do not change without a new GOWALRUS_ABI; functions may be
 * added.
 */
#ifndef GOWALRUS_H
#define GOWALRUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GOWALRUS_ABI 1

enum {
	GOWALRUS_OK = 0,
	GOWALRUS_NULL = 1,     /* a pointer that is needed is null */
	GOWALRUS_LENGTH = 2,   /* an array has another length than the window says */
	GOWALRUS_MODEL = 3,    /* the model is not open: never opened, or closed */
	GOWALRUS_WINDOW = 4,   /* fields, boundaries, grid, counts or values are not valid */
	GOWALRUS_WEIGHTS = 5,  /* the weights cannot be opened */
	GOWALRUS_FORECAST = 6, /* the forecast or its derivatives failed, for example because it diverged */
	GOWALRUS_INTERNAL = 7  /* a fault of the library: please report its text */
};

/* A model that was opened. 0 is none. */
typedef int64_t gowalrus_model;

/* The frames from which a forecast starts. */
typedef struct {
	/* Fields of the channels, in their order: "pressure,velocity:vector,mask:constant". */
	const char *fields;
	/* Boundaries of the axes: "periodic,wall", or "wall/open" for the low and the high end. */
	const char *boundaries;
	/* Number of axes, 1 to 3, and points along each of them. */
	int64_t axes;
	int64_t grid[3];
	/* Number of frames, and the frames: [history, channels, x, y, z], without constant fields. */
	int64_t history;
	const float *frames;
	size_t frames_length;
	/* Constant fields: [channels, x, y, z], or null and 0. */
	const float *constants;
	size_t constants_length;
} gowalrus_window;

/* The value of GOWALRUS_ABI with which the library was built. */
int64_t gowalrus_abi(void);

/*
 * Opens weights: "nano", which come with the library, or the path of a checkpoint. The same
 * seed gives the same forecasts. The environment variable GOMLX_BACKEND chooses the backend.
 */
int gowalrus_open(const char *weights, uint64_t seed, gowalrus_model *model);

/* Frees a model. Forecasts of other threads end with GOWALRUS_FORECAST. */
int gowalrus_close(gowalrus_model model);

/*
 * Writes a description as JSON, ended by 0, to text: the name of the network, the number of
 * its parameters and the names of the channels that it knows. needed, which may be null, gets
 * the size that text must have. A size that is too small is GOWALRUS_LENGTH; then nothing is
 * written.
 */
int gowalrus_describe(gowalrus_model model, char *text, size_t size, size_t *needed);

/*
 * Forecasts steps frames into out, [steps, channels, x, y, z], whose length must be exactly
 * that. After an error out is not defined.
 */
int gowalrus_forecast(gowalrus_model model, const gowalrus_window *window, int64_t steps,
		      float *out, size_t out_length);

/*
 * Forecasts an ensemble into out, [steps, members, channels, x, y, z]. Members differ in
 * their random draws.
 */
int gowalrus_ensemble(gowalrus_model model, const gowalrus_window *window, int64_t steps,
		      int64_t members, float *out, size_t out_length);

/*
 * The derivatives of a function of a forecast with respect to the window, in reverse mode.
 * cotangents, [steps, channels, x, y, z], are the derivatives of the function with respect to
 * every value that gowalrus_forecast returns for the same window. frames gets those with
 * respect to every value of the window's frames, in their layout, and constants those with
 * respect to the constant fields; without constant fields it is null and its length 0. It takes
 * about four times as long as the forecast.
 */
int gowalrus_vjp(gowalrus_model model, const gowalrus_window *window, int64_t steps,
		 const float *cotangents, size_t cotangents_length, float *frames, size_t frames_length,
		 float *constants, size_t constants_length);

/*
 * The text of the last error of this thread, "" if there was none. It is valid until the next
 * call of this thread.
 */
const char *gowalrus_last_error(void);

#ifdef __cplusplus
}
#endif

#endif
