// The MPI calls of package mpi. One thread, the one that called gw_open, makes all of
// them but gw_wake.
#ifndef GOWALRUS_MPI_SHIM_H
#define GOWALRUS_MPI_SHIM_H

#include <stdint.h>

// Transfers that can be in progress at once: GW_PIECES pieces of values and, in slot
// GW_PIECES, one comparison of calls.
#define GW_PIECES 4
#define GW_SLOTS (GW_PIECES + 1)

// Bytes of a slot's buffer, the longest piece.
#define GW_BYTES (4 << 20)

// Numbers that gw_agree compares, each with its negative.
#define GW_HEADER 6

// Room for MPI's text of an error.
#define GW_TEXT 1024

// MPI's results are its error codes, 0 for success. The results of this file are:
#define GW_OK 0
#define GW_NO_MEMORY -1
#define GW_FOREIGN -2 // another part of the program has initialised MPI
#define GW_THREADS -3 // MPI does not support threads

int gw_open(int *rank, int *size);
int gw_close(void);
void gw_abort(int status);
int gw_text(int code, char *text);

void *gw_buffer(int slot);
int gw_sum(int slot, int values);
int gw_broadcast(int slot, int bytes, int root);
int gw_agree(int slot);

int gw_poll(int *slot);
void gw_wake(void);

#endif
