//go:build mpi && cgo

#include "shim.h"

#include <errno.h>
#include <mpi.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

// After a poll without result the thread polls GW_SPINS times more without a pause,
// then with pauses that double from GW_PAUSE to the longest allowed, in nanoseconds.
// Transfers advance only while they are polled; pauses leave the processor to the
// computation.
#define GW_SPINS 32
#define GW_PAUSE 10000L
#define GW_PAUSE_BUSY 80000L
#define GW_PAUSE_IDLE 10000000L

_Static_assert(MPI_MAX_ERROR_STRING <= GW_TEXT, "GW_TEXT is too small for this MPI");

static MPI_Comm comm;
static MPI_Request requests[GW_SLOTS];
static void *buffers[GW_SLOTS];

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond;
static int woken;

static int make_cond(void) {
	pthread_condattr_t attr;
	if (pthread_condattr_init(&attr) != 0)
		return GW_NO_MEMORY;
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	int bad = pthread_cond_init(&cond, &attr);
	pthread_condattr_destroy(&attr);
	return bad ? GW_NO_MEMORY : GW_OK;
}

static int make_slots(void) {
	for (int i = 0; i < GW_SLOTS; i++) {
		requests[i] = MPI_REQUEST_NULL;
		buffers[i] = malloc(i < GW_PIECES ? GW_BYTES : GW_HEADER * sizeof(int64_t));
		if (buffers[i] == NULL)
			return GW_NO_MEMORY;
	}
	return make_cond();
}

// gw_open initialises MPI and creates a separate communicator, so that other messages
// of the program cannot interfere. From then on errors are returned.
int gw_open(int *rank, int *size) {
	int before, level, code;
	if ((code = MPI_Initialized(&before)) != MPI_SUCCESS)
		return code;
	if (before)
		return GW_FOREIGN;
	if ((code = make_slots()) != GW_OK)
		return code;
	if ((code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level)) != MPI_SUCCESS)
		return code;
	if (level < MPI_THREAD_FUNNELED)
		return GW_THREADS;
	if ((code = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN)) != MPI_SUCCESS ||
	    (code = MPI_Comm_dup(MPI_COMM_WORLD, &comm)) != MPI_SUCCESS ||
	    (code = MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN)) != MPI_SUCCESS ||
	    (code = MPI_Comm_rank(comm, rank)) != MPI_SUCCESS)
		return code;
	return MPI_Comm_size(comm, size);
}

int gw_close(void) {
	int code = MPI_Comm_free(&comm);
	if (code != MPI_SUCCESS)
		return code;
	if ((code = MPI_Finalize()) != MPI_SUCCESS)
		return code;
	for (int i = 0; i < GW_SLOTS; i++)
		free(buffers[i]);
	return MPI_SUCCESS;
}

void gw_abort(int status) { MPI_Abort(MPI_COMM_WORLD, status); }

// gw_text writes MPI's text for code into text, which has room for GW_TEXT characters,
// and returns its length, 0 if there is none.
int gw_text(int code, char *text) {
	int n = 0;
	if (MPI_Error_string(code, text, &n) != MPI_SUCCESS)
		return 0;
	return n;
}

void *gw_buffer(int slot) { return buffers[slot]; }

// gw_sum starts replacing the float32 values of a slot by their sums.
int gw_sum(int slot, int values) {
	return MPI_Iallreduce(MPI_IN_PLACE, buffers[slot], values, MPI_FLOAT, MPI_SUM, comm, &requests[slot]);
}

// gw_broadcast starts replacing the bytes of a slot by those of root.
int gw_broadcast(int slot, int bytes, int root) {
	return MPI_Ibcast(buffers[slot], bytes, MPI_BYTE, root, comm, &requests[slot]);
}

// gw_agree starts replacing the GW_HEADER numbers of a slot by their maxima.
int gw_agree(int slot) {
	return MPI_Iallreduce(MPI_IN_PLACE, buffers[slot], GW_HEADER, MPI_INT64_T, MPI_MAX, comm, &requests[slot]);
}

// test checks every transfer once. It sets busy to whether any is in progress and slot
// to one that has ended, or -1. Without transfers it still lets MPI advance: the last
// bytes of a transfer that has ended here may not have been sent.
static int test(int *slot, int *busy) {
	*busy = 0;
	*slot = -1;
	for (int i = 0; i < GW_SLOTS; i++) {
		int done = 0;
		if (requests[i] == MPI_REQUEST_NULL)
			continue;
		*busy = 1;
		int code = MPI_Test(&requests[i], &done, MPI_STATUS_IGNORE);
		if (code != MPI_SUCCESS || done) {
			*slot = i;
			return code;
		}
	}
	if (*busy)
		return MPI_SUCCESS;
	int flag;
	return MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm, &flag, MPI_STATUS_IGNORE);
}

// pause_until_woken sleeps until gw_wake is called, at most ns nanoseconds; 0 means not
// at all. It returns 1 if gw_wake was called since the last time it returned 1.
static int pause_until_woken(long ns) {
	struct timespec end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += ns;
	end.tv_sec += end.tv_nsec / 1000000000L;
	end.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&mutex);
	while (!woken && ns > 0 && pthread_cond_timedwait(&cond, &mutex, &end) != ETIMEDOUT) {
	}
	int was = woken;
	woken = 0;
	pthread_mutex_unlock(&mutex);
	return was;
}

// gw_poll advances all transfers until one ends, and returns its slot, or until gw_wake
// is called; slot is then -1.
int gw_poll(int *slot) {
	long pause = 0;
	for (int round = 0;; round++) {
		int busy;
		int code = test(slot, &busy);
		if (code != MPI_SUCCESS || *slot >= 0)
			return code;
		if (pause_until_woken(pause))
			return MPI_SUCCESS;
		if (round < GW_SPINS) {
			sched_yield();
			continue;
		}
		long most = busy ? GW_PAUSE_BUSY : GW_PAUSE_IDLE;
		pause = pause == 0 ? GW_PAUSE : 2 * pause;
		if (pause > most)
			pause = most;
	}
}

// gw_wake makes gw_poll return, or its next call if none runs. Any thread may call it.
void gw_wake(void) {
	pthread_mutex_lock(&mutex);
	woken = 1;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&mutex);
}
