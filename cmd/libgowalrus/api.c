#include "_cgo_export.h"
#include "gowalrus.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 * The last error of each thread, freed when the thread ends. A call from C runs on one thread
 * until it returns. A variable with _Thread_local would take the little memory that loaders
 * keep for libraries that are opened late, as Python does.
 */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

static void make_key(void) { pthread_key_create(&key, free); }

void gowalrusSetError(char *text, size_t length)
{
	pthread_once(&once, make_key);
	free(pthread_getspecific(key));
	char *message = length > 0 ? malloc(length + 1) : NULL;
	if (message) {
		memcpy(message, text, length);
		message[length] = 0;
	}
	pthread_setspecific(key, message);
}

const char *gowalrus_last_error(void)
{
	pthread_once(&once, make_key);
	const char *message = pthread_getspecific(key);
	return message ? message : "";
}

int64_t gowalrus_abi(void) { return GOWALRUS_ABI; }

int gowalrus_open(const char *weights, uint64_t seed, gowalrus_model *model)
{
	return gowalrusOpen((char *)weights, seed, model);
}

int gowalrus_close(gowalrus_model model) { return gowalrusClose(model); }

int gowalrus_describe(gowalrus_model model, char *text, size_t size, size_t *needed)
{
	return gowalrusDescribe(model, text, size, needed);
}

int gowalrus_forecast(gowalrus_model model, const gowalrus_window *window, int64_t steps,
		      float *out, size_t out_length)
{
	return gowalrusForecast(model, (gowalrus_window *)window, steps, 0, out, out_length);
}

int gowalrus_ensemble(gowalrus_model model, const gowalrus_window *window, int64_t steps,
		      int64_t members, float *out, size_t out_length)
{
	/* The forecast of a single run has 0 members, so that a mistake stays one. */
	return gowalrusForecast(model, (gowalrus_window *)window, steps, members > 0 ? members : -1, out, out_length);
}

int gowalrus_vjp(gowalrus_model model, const gowalrus_window *window, int64_t steps,
		 const float *cotangents, size_t cotangents_length, float *frames, size_t frames_length,
		 float *constants, size_t constants_length)
{
	return gowalrusVJP(model, (gowalrus_window *)window, steps, (float *)cotangents, cotangents_length, frames, frames_length,
			   constants, constants_length);
}
