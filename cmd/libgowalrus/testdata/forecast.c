/* Forecasts with walrus-nano, differentiates the forecast, and misuses every function. usage: forecast HISTORY FORECAST */
#include "gowalrus.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { T = 6, C = 3, N = 16, STEPS = 2, FRAME = C * N * N };

static float history[T * FRAME], forecast[STEPS * FRAME], ensemble[2 * FRAME], gradient[T * FRAME];

#define EXPECT(code, call)                                                                              \
	do {                                                                                             \
		int got = (call);                                                                        \
		if (got != (code)) {                                                                     \
			fprintf(stderr, "line %d: expected %d, got %d: %s\n", __LINE__, code, got, gowalrus_last_error()); \
			exit(1);                                                                         \
		}                                                                                        \
		if ((code) != GOWALRUS_OK && !gowalrus_last_error()[0]) {                                 \
			fprintf(stderr, "line %d: expected a text\n", __LINE__);                          \
			exit(1);                                                                         \
		}                                                                                        \
	} while (0)

static gowalrus_window window(void)
{
	gowalrus_window w = {"pressure,velocity:vector", "wall/open,wall/open", 2, {N, N, 1}, T, history, T * FRAME, NULL, 0};
	return w;
}

struct job {
	gowalrus_model model;
	float out[STEPS * FRAME];
	int code;
};

static void *run(void *p)
{
	struct job *j = p;
	gowalrus_window w = window();
	j->code = gowalrus_forecast(j->model, &w, STEPS, j->out, STEPS * FRAME);
	return NULL;
}

static void threads(gowalrus_model model)
{
	static struct job jobs[3];
	pthread_t t[3];
	for (int i = 0; i < 3; i++) {
		jobs[i].model = model;
		if (pthread_create(&t[i], NULL, run, &jobs[i]))
			exit(1);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], NULL);
		if (jobs[i].code || memcmp(jobs[i].out, forecast, sizeof forecast)) {
			fprintf(stderr, "thread %d: expected the forecast of the main thread, got code %d\n", i, jobs[i].code);
			exit(1);
		}
	}
}

static void misuse(gowalrus_model model)
{
	gowalrus_window w = window();
	size_t n = STEPS * FRAME;
	EXPECT(GOWALRUS_NULL, gowalrus_forecast(model, NULL, STEPS, forecast, n));
	EXPECT(GOWALRUS_NULL, gowalrus_forecast(model, &w, STEPS, NULL, n));
	EXPECT(GOWALRUS_LENGTH, gowalrus_forecast(model, &w, STEPS, forecast, n - 1));
	EXPECT(GOWALRUS_WINDOW, gowalrus_forecast(model, &w, 0, forecast, n));
	EXPECT(GOWALRUS_WINDOW, gowalrus_forecast(model, &w, INT64_MAX, forecast, n));
	EXPECT(GOWALRUS_WINDOW, gowalrus_ensemble(model, &w, 1, 0, forecast, n));
	w.frames = NULL;
	EXPECT(GOWALRUS_NULL, gowalrus_forecast(model, &w, STEPS, forecast, n));
	w = window(), w.frames_length--;
	EXPECT(GOWALRUS_LENGTH, gowalrus_forecast(model, &w, STEPS, forecast, n));
	w = window(), w.constants_length = 5;
	EXPECT(GOWALRUS_NULL, gowalrus_forecast(model, &w, STEPS, forecast, n));
	w = window(), w.fields = "pressure,wind:vector";
	EXPECT(GOWALRUS_WINDOW, gowalrus_forecast(model, &w, STEPS, forecast, n));
	w = window(), w.boundaries = "nothing";
	EXPECT(GOWALRUS_WINDOW, gowalrus_forecast(model, &w, STEPS, forecast, n));
	w = window(), w.axes = 4;
	EXPECT(GOWALRUS_WINDOW, gowalrus_forecast(model, &w, STEPS, forecast, n));
	w = window(), w.grid[0] = w.grid[1] = INT64_MAX;
	EXPECT(GOWALRUS_WINDOW, gowalrus_forecast(model, &w, STEPS, forecast, n));
	w = window(), w.history = -1;
	EXPECT(GOWALRUS_WINDOW, gowalrus_forecast(model, &w, STEPS, forecast, n));
	float kept = history[7];
	history[7] = 0.0f / (kept - kept);
	w = window();
	EXPECT(GOWALRUS_WINDOW, gowalrus_forecast(model, &w, STEPS, forecast, n));
	history[7] = kept;
	EXPECT(GOWALRUS_MODEL, gowalrus_forecast(model + 1, &w, STEPS, forecast, n));
	EXPECT(GOWALRUS_NULL, gowalrus_vjp(model, NULL, STEPS, forecast, n, gradient, T * FRAME, NULL, 0));
	EXPECT(GOWALRUS_NULL, gowalrus_vjp(model, &w, STEPS, NULL, n, gradient, T * FRAME, NULL, 0));
	EXPECT(GOWALRUS_NULL, gowalrus_vjp(model, &w, STEPS, forecast, n, NULL, T * FRAME, NULL, 0));
	EXPECT(GOWALRUS_NULL, gowalrus_vjp(model, &w, STEPS, forecast, n, gradient, T * FRAME, NULL, 1));
	EXPECT(GOWALRUS_LENGTH, gowalrus_vjp(model, &w, STEPS, forecast, n - 1, gradient, T * FRAME, NULL, 0));
	EXPECT(GOWALRUS_LENGTH, gowalrus_vjp(model, &w, STEPS, forecast, n, gradient, FRAME, NULL, 0));
	EXPECT(GOWALRUS_LENGTH, gowalrus_vjp(model, &w, STEPS, forecast, n, gradient, T * FRAME, ensemble, 1));
	EXPECT(GOWALRUS_WINDOW, gowalrus_vjp(model, &w, 0, forecast, 0, gradient, T * FRAME, NULL, 0));
	EXPECT(GOWALRUS_MODEL, gowalrus_vjp(model + 1, &w, STEPS, forecast, n, gradient, T * FRAME, NULL, 0));
	EXPECT(GOWALRUS_MODEL, gowalrus_close(0));
	EXPECT(GOWALRUS_NULL, gowalrus_open(NULL, 1, &model));
	EXPECT(GOWALRUS_NULL, gowalrus_open("nano", 1, NULL));
	EXPECT(GOWALRUS_WEIGHTS, gowalrus_open("no/such/weights", 1, &model));
}

int main(int argc, char **argv)
{
	FILE *f = argc == 3 ? fopen(argv[1], "rb") : NULL;
	if (!f || fread(history, sizeof(float), T * FRAME, f) != T * FRAME || gowalrus_abi() != GOWALRUS_ABI)
		return 2;
	fclose(f);
	gowalrus_model model = 0;
	char text[8192];
	size_t needed = 0;
	EXPECT(GOWALRUS_OK, gowalrus_open("nano", 7, &model));
	EXPECT(GOWALRUS_LENGTH, gowalrus_describe(model, text, 3, &needed));
	EXPECT(GOWALRUS_NULL, gowalrus_describe(model, NULL, 0, &needed));
	EXPECT(GOWALRUS_OK, gowalrus_describe(model, text, sizeof text, NULL));
	if (needed != strlen(text) + 1 || !strstr(text, "\"pressure\""))
		return 3;
	misuse(model);
	gowalrus_window w = window();
	EXPECT(GOWALRUS_OK, gowalrus_forecast(model, &w, STEPS, forecast, STEPS * FRAME));
	if (gowalrus_last_error()[0])
		return 4;
	EXPECT(GOWALRUS_OK, gowalrus_ensemble(model, &w, 1, 2, ensemble, 2 * FRAME));
	if (!memcmp(ensemble, ensemble + FRAME, FRAME * sizeof(float)))
		return 5;
	/* The derivatives of half the sum of all squares of the forecast. */
	EXPECT(GOWALRUS_OK, gowalrus_vjp(model, &w, STEPS, forecast, STEPS * FRAME, gradient, T * FRAME, NULL, 0));
	threads(model);
	EXPECT(GOWALRUS_OK, gowalrus_close(model));
	EXPECT(GOWALRUS_MODEL, gowalrus_close(model));
	EXPECT(GOWALRUS_MODEL, gowalrus_forecast(model, &w, STEPS, forecast, STEPS * FRAME));
	f = fopen(argv[2], "wb");
	if (!f || fwrite(forecast, sizeof forecast, 1, f) != 1 || fwrite(gradient, sizeof gradient, 1, f) != 1 || fclose(f))
		return 6;
	return 0;
}
