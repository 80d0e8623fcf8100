/*
 * Bounded frames on a stream socket, the way parent and child talk (proc.h). On the wire: u32 big-endian length of what
 * follows (1 … FRAME_MAX), u8 type, payload.
 *
 * What was handled or sent is wiped at once: frames carry keys.
 */
#ifndef PROTOCOL_BASE_FRAME_H
#define PROTOCOL_BASE_FRAME_H

#include "protocol/base/buf.h"
#include "protocol/base/loop.h"

#define FRAME_HEAD      4        /* the length field */
#define FRAME_QUEUE_MAX 4194304U /* unsent bytes; a peer that reads nothing is killed by its ping long before */

struct frame {
	uint8_t type;
	struct bytes payload; /* borrowed */
	size_t size;          /* bytes the frame took; 0: more are needed */
};

/* The frame at the start of data. ERR_INPUT when its length is 0 or above FRAME_MAX. */
bool frame_decode(struct bytes data, struct frame *f, struct err *e) CHECKED;
bool frame_encode(uint8_t type, struct bytes payload, struct buf *out, struct err *e) CHECKED;

struct frame_pipe;

struct frame_events {
	void (*frame)(void *arg, uint8_t type, struct bytes payload);
	/* Said once; nothing is read afterwards. ERR_MISSING: the peer closed. ERR_INPUT: what it sent is no frame. */
	void (*broken)(void *arg, const struct err *why);
};

/* Takes over the descriptor and makes it non-blocking. May be freed inside either callback. */
struct frame_pipe *frame_pipe_new(struct loop *l, int fd, const struct frame_events *on, void *arg);
void frame_pipe_free(struct frame_pipe *p);
/* False when it is too long, the queue is full or the pipe broken. */
bool frame_pipe_send(struct frame_pipe *p, uint8_t type, struct bytes payload);
/* Handles what has arrived, without waiting. */
void frame_pipe_poll(struct frame_pipe *p);

#endif
