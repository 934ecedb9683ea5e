/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * kfreeze: freeze many filesystems as one transaction, over generic netlink.
 *
 * This file is the contract between kfreeze.ko and its users, and its manual.
 *
 * SESSIONS
 *
 * A session belongs to the netlink socket that sent %KFREEZE_CMD_OPEN. That
 * socket, not the process or the port id, is the authority for everything
 * that follows: the owner may drop its capabilities after OPEN, and whoever
 * inherits or is passed the descriptor is the owner too. When the last
 * descriptor of the socket is closed, however that happens, everything the
 * session holds is thawed. Set SOCK_CLOEXEC. A process that dumps core keeps
 * its descriptors open meanwhile: owners should set PR_SET_DUMPABLE to 0.
 *
 * A session runs one cycle at a time:
 *
 *   IDLE -> FLUSHING -> FREEZING -> FROZEN -> THAWING -> IDLE
 *
 * Requests are answered at once: no request waits for I/O. After an error
 * nothing has been touched. A reply and the ACK, which comes when NLM_F_ACK
 * asks for it, tell that the request was accepted. The outcome follows as a
 * unicast %KFREEZE_CMD_RESULT message with sequence number 0. It may overtake
 * both. A cycle sends:
 *
 *   - one RESULT with state FROZEN when every target is frozen, then one
 *     RESULT with state IDLE when the cycle is over; or
 *   - only the RESULT with state IDLE, when the freeze failed, was aborted or
 *     ran out of time.
 *
 * With state IDLE everything that had been frozen is thawed, but for the
 * targets counted in %KFREEZE_A_NR_STUCK.
 *
 * A RESULT that does not fit into the socket's receive buffer is lost and
 * the socket reports ENOBUFS: ask with %KFREEZE_CMD_STATUS.
 *
 * Messages of the kernel come from port id 0. Ignore all others.
 *
 * DEADLINE
 *
 * %KFREEZE_A_TIMEOUT_MS counts from the moment the first writer can block.
 * When it has passed, everything frozen is thawed and the verdict is LOST.
 * A filesystem whose freeze is still under way in the kernel cannot be
 * interrupted (%KFREEZE_TARGET_STUCK): it thaws itself the moment its freeze
 * returns. It does not delay the others: only when 512 are stuck, as many as
 * some kernels let thaw at a time, does the next one wait. It does not keep the
 * session from starting a new cycle with other filesystems.
 *
 * Flushing happens before, while nothing is blocked, and is bounded by
 * %KFREEZE_A_FLUSH_TIMEOUT_MS; when that passes nothing is frozen.
 *
 * INTERVAL
 *
 * Writers get %KFREEZE_A_MIN_INTERVAL_MS between two freezes, whoever asks for
 * the second: a FREEZE that comes sooner is told EAGAIN. It counts from the end
 * of a cycle that got as far as FREEZING, whatever its verdict, and anew from
 * the thaw of its last stuck target.
 *
 * COMMANDS
 *
 * What a request carries beyond its "in", or what is malformed, gets EINVAL;
 * a nest of 1 to 3 bytes, which is too short for an attribute, gets ERANGE. An
 * unknown command gets EOPNOTSUPP; so do %KFREEZE_CMD_STATUS without
 * NLM_F_DUMP and all others with it. A reply that does not fit into the
 * socket's receive buffer is lost as a RESULT is; THAW and RESCUE also do
 * without it when there is no memory for it.
 *
 * Where a command needs CAP_SYS_ADMIN, that is in the initial user namespace,
 * and both the caller's and the one of whoever opened the socket.
 *
 * %KFREEZE_CMD_INFO: what this module is and can do. Anybody.
 *   in:  nothing
 *   out: VERSION, HOLDER, MAX_TARGETS, MAX_SESSIONS, TIMEOUT_MS (the default),
 *        MAX_TIMEOUT_MS, FLUSH_TIMEOUT_MS (the default), MIN_INTERVAL_MS
 *   ENOMEM
 *
 * %KFREEZE_CMD_OPEN: make this socket the owner of a new session.
 *   Needs CAP_SYS_ADMIN. The family exists in the initial network namespace
 *   only.
 *   in:  nothing
 *   out: SESSION
 *   EPERM   no CAP_SYS_ADMIN
 *   EBUSY   this socket has a session already
 *   EUSERS  MAX_SESSIONS sessions are open
 *   ENODEV  the module is being unloaded
 *   ENOMEM
 *
 * %KFREEZE_CMD_FREEZE: flush, then freeze all targets, or none. Owner only.
 *   in:  TARGETS, a nest of up to MAX_TARGETS nests TARGET, each with
 *          TARGET_FD     s32, any open file of the filesystem; O_PATH will do.
 *                        The kernel keeps the filesystem, not the file: close
 *                        the descriptor when the request is answered. A
 *                        subvolume of btrfs stands for the whole filesystem.
 *          TARGET_LEVEL  u8, optional, default 0. Higher levels freeze first
 *                        and thaw last; filesystems of one level freeze in
 *                        parallel. One that lies on another (a loop device on
 *                        its backing file) needs the higher level. There are
 *                        KFREEZE_MAX_LEVELS of them.
 *          TARGET_DISK   u32, optional. Those with the same number share a disk
 *                        and are flushed one after the other: together they
 *                        would only keep writers waiting. Without a number,
 *                        or with 0, that is what is on partitions of one disk;
 *                        what lies below a volume only userspace knows.
 *        TIMEOUT_MS, optional: 1 .. MAX_TIMEOUT_MS
 *        FLUSH_TIMEOUT_MS, optional: 1 .. KFREEZE_MAX_FLUSH_TIMEOUT_MS
 *   out: CYCLE, then RESULT as described above
 *   EPERM       this socket has no session
 *   EINVAL      an attribute is missing, malformed or unknown
 *   ERANGE      a timeout or level is out of bounds
 *   E2BIG       more than MAX_TARGETS targets
 *   EBADF       TARGET_FD is not an open descriptor
 *   EOPNOTSUPP  a target is not a filesystem on a block device, or is one of
 *               FUSE, whose server the freeze might block
 *   EEXIST      two targets are the same filesystem
 *   EBUSY       a cycle is under way in this session, or a target is held by
 *               another one, or by an earlier cycle in which it got stuck
 *   EAGAIN      the last cycle ended less than MIN_INTERVAL_MS ago, or the
 *               system is about to suspend or reboot
 *   ENOMEM
 *   The error's extended ack has a text, but for ENOMEM, and the offset of the
 *   attribute that is at fault, if it is one.
 *
 * %KFREEZE_CMD_THAW: end the cycle. Owner only.
 *   Before FROZEN is reached it aborts the cycle.
 *   in:  nothing
 *   out: CYCLE, then RESULT with state IDLE
 *   EPERM   this socket has no session
 *   EALREADY  the cycle is being thawed
 *   ESTALE    its freeze was lost: it is over, as its RESULT told. Told once.
 *   ESRCH     there is no cycle, and no loss that has not been told
 *
 * %KFREEZE_CMD_STATUS: dump. Owner: its own session. CAP_SYS_ADMIN: all.
 *   in:  nothing
 *   out: per session one message without TARGET:
 *          SESSION, STATE, and if there was a cycle CYCLE, VERDICT, CAUSE,
 *          ERROR, NR_TARGETS, NR_FROZEN, NR_STUCK, REMAINING_MS (0 unless
 *          FREEZING or FROZEN), HOLD_NS
 *        then per target of its newest cycle one message with SESSION, CYCLE
 *        and TARGET; the order is the order of the request. Records of a
 *        finished cycle stay until the next FREEZE that is accepted.
 *   EPERM   neither the owner of a session nor CAP_SYS_ADMIN
 *
 * %KFREEZE_CMD_RESCUE: thaw whatever any session holds. Needs CAP_SYS_ADMIN.
 *   The owners get a RESULT with verdict LOST (or ABORTED) and cause RESCUE.
 *   in:  nothing
 *   out: NR_SESSIONS, the number of cycles ended by this request: those that
 *        were being thawed already do not count
 *   EPERM   no CAP_SYS_ADMIN
 *
 * MESSAGES OF THE KERNEL
 *
 * %KFREEZE_CMD_RESULT, unicast to the owner:
 *   SESSION, CYCLE, STATE, VERDICT, CAUSE, ERROR, NR_TARGETS, NR_FROZEN,
 *   NR_STUCK, REMAINING_MS (0 unless FREEZING or FROZEN), HOLD_NS, and TARGET:
 *   the first target that is to blame, if any. When a time limit passes before
 *   all is frozen, that is the first one whose flush or freeze was still under
 *   way, with ERROR ETIMEDOUT.
 *
 * %KFREEZE_CMD_EVENT, to the multicast group %KFREEZE_MCGRP_EVENTS, which
 * only CAP_SYS_ADMIN may join: EVENT and what RESULT carries. With UNSTUCK the
 * state is the session's, which may be in a newer cycle than CYCLE: VERDICT and
 * CAUSE are NONE then.
 *
 * COMPATIBILITY
 *
 * Enums are only ever appended to. Unknown attributes in requests are an
 * error; in messages of the kernel they must be ignored.
 */
#ifndef _UAPI_LINUX_KFREEZE_H
#define _UAPI_LINUX_KFREEZE_H

#include <linux/types.h>

#define KFREEZE_GENL_NAME "kfreeze"
#define KFREEZE_GENL_VERSION 1
#define KFREEZE_MCGRP_EVENTS "events"

#define KFREEZE_MAX_TARGETS 1024
#define KFREEZE_MAX_LEVELS 64
#define KFREEZE_MAX_SESSIONS 16
#define KFREEZE_MAX_FLUSH_TIMEOUT_MS 600000

enum kfreeze_cmd {
	KFREEZE_CMD_UNSPEC,
	KFREEZE_CMD_INFO,
	KFREEZE_CMD_OPEN,
	KFREEZE_CMD_FREEZE,
	KFREEZE_CMD_THAW,
	KFREEZE_CMD_STATUS,
	KFREEZE_CMD_RESCUE,
	KFREEZE_CMD_RESULT,
	KFREEZE_CMD_EVENT,

	__KFREEZE_CMD_MAX
};

#define KFREEZE_CMD_MAX (__KFREEZE_CMD_MAX - 1)

/**
 * enum kfreeze_attr - top level attributes
 * @KFREEZE_A_UNSPEC: unused
 * @KFREEZE_A_PAD: padding for 64 bit values
 * @KFREEZE_A_VERSION: string, version of the module
 * @KFREEZE_A_HOLDER: u32, enum kfreeze_holder
 * @KFREEZE_A_MAX_TARGETS: u32
 * @KFREEZE_A_MAX_SESSIONS: u32
 * @KFREEZE_A_TIMEOUT_MS: u32, from the first blocked writer to the thaw
 * @KFREEZE_A_MAX_TIMEOUT_MS: u32, upper bound of TIMEOUT_MS
 * @KFREEZE_A_FLUSH_TIMEOUT_MS: u32, for the flush before the freeze
 * @KFREEZE_A_MIN_INTERVAL_MS: u32, from the end of a freeze to the next one
 * @KFREEZE_A_SESSION: u32, id of a session
 * @KFREEZE_A_CYCLE: u32, id of a cycle, never 0, unique until it wraps
 * @KFREEZE_A_TARGETS: nest of KFREEZE_A_TARGET
 * @KFREEZE_A_TARGET: nest of enum kfreeze_target_attr
 * @KFREEZE_A_STATE: u32, enum kfreeze_state
 * @KFREEZE_A_VERDICT: u32, enum kfreeze_verdict
 * @KFREEZE_A_CAUSE: u32, enum kfreeze_cause: why the cycle ended
 * @KFREEZE_A_ERROR: s32, 0 or negative errno of the target that is to blame
 * @KFREEZE_A_NR_TARGETS: u32, targets of the cycle
 * @KFREEZE_A_NR_FROZEN: u32, in state FROZEN: targets frozen now; in state
 *	IDLE: targets that stayed frozen until the cycle's own thaw
 * @KFREEZE_A_NR_STUCK: u32, targets that are still being frozen or thawed
 * @KFREEZE_A_NR_SESSIONS: u32, cycles ended by RESCUE
 * @KFREEZE_A_REMAINING_MS: u32, until the deadline; 0 unless FREEZING or FROZEN
 * @KFREEZE_A_HOLD_NS: u64, from the first writer that could block to the end
 *	of the last thaw so far; 0 before the first
 * @KFREEZE_A_EVENT: u32, enum kfreeze_event_kind
 * @__KFREEZE_A_MAX: one more than the last
 */
enum kfreeze_attr {
	KFREEZE_A_UNSPEC,
	KFREEZE_A_PAD,
	KFREEZE_A_VERSION,
	KFREEZE_A_HOLDER,
	KFREEZE_A_MAX_TARGETS,
	KFREEZE_A_MAX_SESSIONS,
	KFREEZE_A_TIMEOUT_MS,
	KFREEZE_A_MAX_TIMEOUT_MS,
	KFREEZE_A_FLUSH_TIMEOUT_MS,
	KFREEZE_A_MIN_INTERVAL_MS,
	KFREEZE_A_SESSION,
	KFREEZE_A_CYCLE,
	KFREEZE_A_TARGETS,
	KFREEZE_A_TARGET,
	KFREEZE_A_STATE,
	KFREEZE_A_VERDICT,
	KFREEZE_A_CAUSE,
	KFREEZE_A_ERROR,
	KFREEZE_A_NR_TARGETS,
	KFREEZE_A_NR_FROZEN,
	KFREEZE_A_NR_STUCK,
	KFREEZE_A_NR_SESSIONS,
	KFREEZE_A_REMAINING_MS,
	KFREEZE_A_HOLD_NS,
	KFREEZE_A_EVENT,

	__KFREEZE_A_MAX
};

#define KFREEZE_A_MAX (__KFREEZE_A_MAX - 1)

/**
 * enum kfreeze_target_attr - one filesystem of a cycle
 * @KFREEZE_A_TARGET_UNSPEC: unused
 * @KFREEZE_A_TARGET_PAD: padding for 64 bit values
 * @KFREEZE_A_TARGET_FD: s32, request only
 * @KFREEZE_A_TARGET_LEVEL: u8
 * @KFREEZE_A_TARGET_INDEX: u32, position in the request, from 0
 * @KFREEZE_A_TARGET_MAJOR: u32, device as in /proc/self/mountinfo
 * @KFREEZE_A_TARGET_MINOR: u32, device as in /proc/self/mountinfo
 * @KFREEZE_A_TARGET_FSTYPE: string, as in /proc/filesystems
 * @KFREEZE_A_TARGET_STATE: u32, enum kfreeze_target_state
 * @KFREEZE_A_TARGET_STEP: u32, enum kfreeze_step: where ERROR happened
 * @KFREEZE_A_TARGET_ERROR: s32, 0 or negative errno
 * @KFREEZE_A_TARGET_FLUSH_NS: u64, duration of the flush
 * @KFREEZE_A_TARGET_FREEZE_NS: u64, duration of the freeze
 * @KFREEZE_A_TARGET_HOLD_NS: u64, from the start of the freeze, when the first
 *	writer can block, to the end of the thaw; 0 until then
 * @KFREEZE_A_TARGET_THAW_NS: u64, duration of the thaw
 * @KFREEZE_A_TARGET_DISK: u32, request only
 * @__KFREEZE_A_TARGET_MAX: one more than the last
 */
enum kfreeze_target_attr {
	KFREEZE_A_TARGET_UNSPEC,
	KFREEZE_A_TARGET_PAD,
	KFREEZE_A_TARGET_FD,
	KFREEZE_A_TARGET_LEVEL,
	KFREEZE_A_TARGET_INDEX,
	KFREEZE_A_TARGET_MAJOR,
	KFREEZE_A_TARGET_MINOR,
	KFREEZE_A_TARGET_FSTYPE,
	KFREEZE_A_TARGET_STATE,
	KFREEZE_A_TARGET_STEP,
	KFREEZE_A_TARGET_ERROR,
	KFREEZE_A_TARGET_FLUSH_NS,
	KFREEZE_A_TARGET_FREEZE_NS,
	KFREEZE_A_TARGET_HOLD_NS,
	KFREEZE_A_TARGET_THAW_NS,
	KFREEZE_A_TARGET_DISK,

	__KFREEZE_A_TARGET_MAX
};

#define KFREEZE_A_TARGET_MAX (__KFREEZE_A_TARGET_MAX - 1)

/**
 * enum kfreeze_state - what a session is doing
 * @KFREEZE_STATE_IDLE: no cycle is under way
 * @KFREEZE_STATE_FLUSHING: dirty data is written, nobody is blocked
 * @KFREEZE_STATE_FREEZING: some targets may be frozen, writers may block
 * @KFREEZE_STATE_FROZEN: every target is frozen
 * @KFREEZE_STATE_THAWING: targets are being thawed
 */
enum kfreeze_state {
	KFREEZE_STATE_IDLE,
	KFREEZE_STATE_FLUSHING,
	KFREEZE_STATE_FREEZING,
	KFREEZE_STATE_FROZEN,
	KFREEZE_STATE_THAWING,
};

/**
 * enum kfreeze_verdict - what a cycle was worth
 * @KFREEZE_VERDICT_NONE: not over; once it is THAWING the cause is known
 * @KFREEZE_VERDICT_OK: every target stayed frozen from FROZEN until THAW
 * @KFREEZE_VERDICT_FAILED: a target could not be flushed or frozen, or somebody
 *	else thawed it before FROZEN; everything was rolled back
 * @KFREEZE_VERDICT_ABORTED: ended before FROZEN, by THAW, RESCUE, the owner's
 *	death, suspend or reboot
 * @KFREEZE_VERDICT_LOST: writers got through before THAW, or the deadline
 *	passed; a snapshot taken meanwhile is not consistent
 */
enum kfreeze_verdict {
	KFREEZE_VERDICT_NONE,
	KFREEZE_VERDICT_OK,
	KFREEZE_VERDICT_FAILED,
	KFREEZE_VERDICT_ABORTED,
	KFREEZE_VERDICT_LOST,
};

/**
 * enum kfreeze_cause - what ended a cycle
 * @KFREEZE_CAUSE_NONE: it has not ended
 * @KFREEZE_CAUSE_THAW: the owner's THAW
 * @KFREEZE_CAUSE_ERROR: a target failed
 * @KFREEZE_CAUSE_FLUSH_DEADLINE: the flush took too long
 * @KFREEZE_CAUSE_DEADLINE: TIMEOUT_MS passed
 * @KFREEZE_CAUSE_OWNER: the owner's socket was closed
 * @KFREEZE_CAUSE_FOREIGN_THAW: somebody else thawed a target
 * @KFREEZE_CAUSE_RESCUE: RESCUE
 * @KFREEZE_CAUSE_SUSPEND: the system suspends or hibernates
 * @KFREEZE_CAUSE_REBOOT: the system reboots or powers off
 */
enum kfreeze_cause {
	KFREEZE_CAUSE_NONE,
	KFREEZE_CAUSE_THAW,
	KFREEZE_CAUSE_ERROR,
	KFREEZE_CAUSE_FLUSH_DEADLINE,
	KFREEZE_CAUSE_DEADLINE,
	KFREEZE_CAUSE_OWNER,
	KFREEZE_CAUSE_FOREIGN_THAW,
	KFREEZE_CAUSE_RESCUE,
	KFREEZE_CAUSE_SUSPEND,
	KFREEZE_CAUSE_REBOOT,
};

/**
 * enum kfreeze_target_state - what became of one filesystem
 * @KFREEZE_TARGET_PENDING: not touched yet, or never
 * @KFREEZE_TARGET_FLUSHING: dirty data is being written
 * @KFREEZE_TARGET_FLUSHED: waits for the others' flush, or for its level
 * @KFREEZE_TARGET_FREEZING: the kernel is freezing it, writers may block
 * @KFREEZE_TARGET_FROZEN: frozen
 * @KFREEZE_TARGET_THAWING: the kernel is thawing it
 * @KFREEZE_TARGET_THAWED: frozen and thawed by this cycle
 * @KFREEZE_TARGET_FAILED: could not be flushed, frozen or thawed: see ERROR
 * @KFREEZE_TARGET_LOST: somebody else thawed it
 * @KFREEZE_TARGET_STUCK: freezing or thawing did not return in time; a late
 *	freeze thaws itself the moment it returns
 */
enum kfreeze_target_state {
	KFREEZE_TARGET_PENDING,
	KFREEZE_TARGET_FLUSHING,
	KFREEZE_TARGET_FLUSHED,
	KFREEZE_TARGET_FREEZING,
	KFREEZE_TARGET_FROZEN,
	KFREEZE_TARGET_THAWING,
	KFREEZE_TARGET_THAWED,
	KFREEZE_TARGET_FAILED,
	KFREEZE_TARGET_LOST,
	KFREEZE_TARGET_STUCK,
};

/**
 * enum kfreeze_step - where a target's error happened
 * @KFREEZE_STEP_NONE: nowhere
 * @KFREEZE_STEP_FLUSH: flushing its dirty data
 * @KFREEZE_STEP_FREEZE: freezing it
 * @KFREEZE_STEP_THAW: thawing it
 */
enum kfreeze_step {
	KFREEZE_STEP_NONE,
	KFREEZE_STEP_FLUSH,
	KFREEZE_STEP_FREEZE,
	KFREEZE_STEP_THAW,
};

/**
 * enum kfreeze_holder - how this kernel tells our freeze from others
 * @KFREEZE_HOLDER_NONE: it does not; a foreign thaw undoes ours, and is noticed
 * @KFREEZE_HOLDER_KERNEL: userspace cannot undo ours
 * @KFREEZE_HOLDER_EXCL: nobody else can undo ours
 */
enum kfreeze_holder {
	KFREEZE_HOLDER_NONE,
	KFREEZE_HOLDER_KERNEL,
	KFREEZE_HOLDER_EXCL,
};

/**
 * enum kfreeze_event_kind - what an EVENT message tells
 * @KFREEZE_EVENT_UNSPEC: unused
 * @KFREEZE_EVENT_FROZEN: a cycle has reached FROZEN
 * @KFREEZE_EVENT_OVER: a cycle is over; VERDICT and CAUSE tell how
 * @KFREEZE_EVENT_UNSTUCK: the last stuck target of an ended cycle is thawed
 */
enum kfreeze_event_kind {
	KFREEZE_EVENT_UNSPEC,
	KFREEZE_EVENT_FROZEN,
	KFREEZE_EVENT_OVER,
	KFREEZE_EVENT_UNSTUCK,
};

#endif /* _UAPI_LINUX_KFREEZE_H */
