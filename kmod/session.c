// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions: who may freeze and thaw. A session is keyed on its owner's socket,
 * which it holds: port ids are reused before the kernel tells that a socket
 * has gone.
 */
#include "session.h"

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <net/sock.h>

/**
 * struct kfreeze_session - what one socket owns
 * @node: in kfreeze_sessions
 * @ref: one of the list's, one of each set that is alive
 * @sk: the owner, held
 * @cycle: what it is doing; the owner is gone when it is mute
 * @close: work that ends the session after its owner's death
 */
struct kfreeze_session {
	struct list_head node;
	struct kref ref;
	struct sock *sk;
	struct kfreeze_cycle cycle;
	struct work_struct close;
};

/* All under kfreeze_cycle_lock. */
static LIST_HEAD(kfreeze_sessions); /* by id; to change under both locks */
static unsigned int kfreeze_nr_sessions; /* whose owner lives */
static u32 kfreeze_last_session;
static unsigned long kfreeze_session_barred; /* a bit per cause */
static struct workqueue_struct *kfreeze_session_queue; /* for @close */

/* Whoever looks for a session in vain keeps the watchdog from no lock. */
static DEFINE_SPINLOCK(kfreeze_sessions_lock);

static void kfreeze_session_free(struct kref *ref)
{
	struct kfreeze_session *session = container_of(
		ref, struct kfreeze_session, ref);

	sock_put(session->sk);
	kfree(session);
	module_put(THIS_MODULE);
}

static struct kfreeze_session *kfreeze_session_find(const struct sock *sk)
{
	struct kfreeze_session *session;

	list_for_each_entry(session, &kfreeze_sessions, node)
		if (session->sk == sk)
			return session;
	return NULL;
}

static void kfreeze_session_on_gone(struct kfreeze_cycle *cycle)
{
	struct kfreeze_session *session = container_of(
		cycle, struct kfreeze_session, cycle);

	kref_put(&session->ref, kfreeze_session_free);
}

/* The owner is gone and its filesystems are being thawed: end the session. */
static void kfreeze_session_close(struct work_struct *work)
{
	struct kfreeze_session *session = container_of(
		work, struct kfreeze_session, close);

	kfreeze_cycle_wait(&session->cycle);
	mutex_lock(&kfreeze_cycle_lock);
	spin_lock(&kfreeze_sessions_lock);
	list_del(&session->node);
	spin_unlock(&kfreeze_sessions_lock);
	mutex_unlock(&kfreeze_cycle_lock);
	if (session->cycle.set)
		kfreeze_set_put(session->cycle.set);
	kref_put(&session->ref, kfreeze_session_free);
}

/* How many there were to end: those on the way are ended already. */
static u32 kfreeze_session_end_all(enum kfreeze_cause cause)
{
	struct kfreeze_session *session;
	u32 nr = 0;

	mutex_lock(&kfreeze_cycle_lock);
	list_for_each_entry(session, &kfreeze_sessions, node) {
		if (session->cycle.state == KFREEZE_STATE_IDLE ||
		    session->cycle.state == KFREEZE_STATE_THAWING)
			continue;
		nr++;
		kfreeze_cycle_end(&session->cycle, cause);
	}
	mutex_unlock(&kfreeze_cycle_lock);
	return nr;
}

/**
 * kfreeze_session_init - prepare for sessions
 * @ops: how to reach the outside
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kfreeze_session_init(const struct kfreeze_cycle_ops *ops)
{
	kfreeze_cycle_use(ops);
	kfreeze_session_queue = alloc_workqueue("kfreeze_session", WQ_UNBOUND, 0);
	return kfreeze_session_queue ? 0 : -ENOMEM;
}

/**
 * kfreeze_session_exit - undo kfreeze_session_init()
 *
 * No session is left: each one holds the module. Context: may sleep.
 */
void kfreeze_session_exit(void)
{
	destroy_workqueue(kfreeze_session_queue);
}

static bool kfreeze_session_has_port(u32 portid)
{
	struct kfreeze_session *session;
	bool found = false;

	spin_lock(&kfreeze_sessions_lock);
	list_for_each_entry(session, &kfreeze_sessions, node)
		found |= session->cycle.portid == portid;
	spin_unlock(&kfreeze_sessions_lock);
	return found;
}

/**
 * kfreeze_session_socket_died - end the session of a socket that was released
 * @portid: its port id, which may be another socket's by now: only a session
 *	whose own socket is dead ends
 *
 * Context: process. Does not wait.
 */
void kfreeze_session_socket_died(u32 portid)
{
	struct kfreeze_session *session;

	if (!kfreeze_session_has_port(portid))
		return;
	mutex_lock(&kfreeze_cycle_lock);
	list_for_each_entry(session, &kfreeze_sessions, node) {
		if (session->cycle.mute || session->cycle.portid != portid ||
		    !sock_flag(session->sk, SOCK_DEAD))
			continue;
		kfreeze_nr_sessions--;
		kfreeze_cycle_orphan(&session->cycle);
		queue_work(kfreeze_session_queue, &session->close);
	}
	mutex_unlock(&kfreeze_cycle_lock);
}

/**
 * kfreeze_session_bar - end all cycles, start no more, wait for their thaw
 * @cause: why
 *
 * Context: may sleep, until everything is thawed or has had its grace time.
 */
void kfreeze_session_bar(enum kfreeze_cause cause)
{
	mutex_lock(&kfreeze_cycle_lock);
	kfreeze_session_barred |= BIT(cause);
	mutex_unlock(&kfreeze_cycle_lock);
	kfreeze_session_end_all(cause);
	kfreeze_cycle_wait_all();
}

/**
 * kfreeze_session_unbar - allow cycles again
 * @cause: why there were none; others may be left
 *
 * Context: may sleep.
 */
void kfreeze_session_unbar(enum kfreeze_cause cause)
{
	mutex_lock(&kfreeze_cycle_lock);
	kfreeze_session_barred &= ~BIT(cause);
	mutex_unlock(&kfreeze_cycle_lock);
}

/* The caller holds the lock. */
static int kfreeze_session_add(struct kfreeze_session *session)
{
	if (kfreeze_session_find(session->sk))
		return -EBUSY;
	if (kfreeze_nr_sessions >= KFREEZE_MAX_SESSIONS)
		return -EUSERS;
	kfreeze_nr_sessions++;
	session->cycle.session = ++kfreeze_last_session;
	spin_lock(&kfreeze_sessions_lock);
	list_add_tail(&session->node, &kfreeze_sessions);
	spin_unlock(&kfreeze_sessions_lock);
	return 0;
}

/**
 * kfreeze_session_open - make a socket the owner of a new session
 * @sk: the socket; the caller has checked its rights
 * @portid: its port id
 * @id: where to put the session's id
 *
 * Context: may sleep.
 * Return: 0, -EBUSY if it has one, -EUSERS if there are too many, -ENODEV if
 * the module is being unloaded, -ENOMEM.
 */
int kfreeze_session_open(struct sock *sk, u32 portid, u32 *id)
{
	struct kfreeze_session *session;
	int err;

	session = kzalloc(sizeof(*session), GFP_KERNEL);
	if (!session)
		return -ENOMEM;
	/* requests are still answered while the module is being unloaded */
	if (!try_module_get(THIS_MODULE)) {
		kfree(session);
		return -ENODEV;
	}
	sock_hold(sk);
	kref_init(&session->ref);
	session->sk = sk;
	session->cycle.portid = portid;
	kfreeze_cycle_init(&session->cycle, kfreeze_session_on_gone);
	INIT_WORK(&session->close, kfreeze_session_close);
	mutex_lock(&kfreeze_cycle_lock);
	err = kfreeze_session_add(session);
	*id = session->cycle.session;
	mutex_unlock(&kfreeze_cycle_lock);
	if (err)
		kref_put(&session->ref, kfreeze_session_free);
	return err;
}

/**
 * kfreeze_session_is_owner - has a socket a session?
 * @sk: the socket
 *
 * Context: process. Does not wait.
 * Return: true if it has.
 */
bool kfreeze_session_is_owner(struct sock *sk)
{
	bool owner;

	spin_lock(&kfreeze_sessions_lock);
	owner = kfreeze_session_find(sk);
	spin_unlock(&kfreeze_sessions_lock);
	return owner;
}

/* May this session start a cycle now? The caller holds the lock. */
static int kfreeze_session_admit(const struct kfreeze_session *session,
				 struct netlink_ext_ack *extack)
{
	if (!session) {
		NL_SET_ERR_MSG(extack, "this socket has no session: OPEN first");
		return -EPERM;
	}
	if (session->cycle.state != KFREEZE_STATE_IDLE) {
		NL_SET_ERR_MSG(extack, "a cycle is under way: THAW first");
		return -EBUSY;
	}
	if (kfreeze_session_barred) {
		NL_SET_ERR_MSG(extack,
			       "the system is about to suspend or reboot");
		return -EAGAIN;
	}
	if (!kfreeze_cycle_may_start()) {
		NL_SET_ERR_MSG(
			extack,
			"the last cycle ended less than min_interval_ms ago");
		return -EAGAIN;
	}
	return 0;
}

/**
 * kfreeze_session_freeze - start a cycle
 * @sk: the owner
 * @set: its filesystems, pinned, with KFREEZE_CYCLE_SPARE messages; the
 *	session's if this succeeds
 * @timeout_ms: time limit of the freeze
 * @flush_timeout_ms: time limit of the flush before it
 * @cycle: where to put the cycle's id
 * @bad: where to put the index of the target that is at fault
 * @extack: where to put the reason of an error
 *
 * Context: process. Does not wait.
 * Return: 0 or a negative errno, see KFREEZE_CMD_FREEZE. If it is -EEXIST, or
 * -EBUSY with @bad below the set's number of targets, that target is at fault.
 */
int kfreeze_session_freeze(struct sock *sk, struct kfreeze_set *set,
			   u32 timeout_ms, u32 flush_timeout_ms, u32 *cycle,
			   u32 *bad, struct netlink_ext_ack *extack)
{
	struct kfreeze_session *session;
	struct kfreeze_set *old = NULL;
	int err;

	*bad = set->nr;
	mutex_lock(&kfreeze_cycle_lock);
	session = kfreeze_session_find(sk);
	err = kfreeze_session_admit(session, extack);
	if (err)
		goto out_unlock;
	err = kfreeze_set_claim(set, bad);
	if (err)
		goto out_unlock;
	old = session->cycle.set;
	session->cycle.timeout_ms = timeout_ms;
	session->cycle.flush_timeout_ms = flush_timeout_ms;
	kref_get(&session->ref); /* for the set, until it is gone */
	kfreeze_cycle_start(&session->cycle, set);
	*cycle = set->cycle;
out_unlock:
	mutex_unlock(&kfreeze_cycle_lock);
	if (old)
		kfreeze_set_put(old);
	return err;
}

/* The caller holds the lock. */
static int kfreeze_session_end_owned(struct kfreeze_session *session,
				     struct netlink_ext_ack *extack)
{
	switch (session->cycle.state) {
	case KFREEZE_STATE_THAWING:
		NL_SET_ERR_MSG(extack, "the cycle is being thawed already");
		return -EALREADY;
	case KFREEZE_STATE_IDLE:
		if (session->cycle.verdict != KFREEZE_VERDICT_LOST ||
		    session->cycle.loss_told) {
			NL_SET_ERR_MSG(extack, "nothing is frozen");
			return -ESRCH;
		}
		session->cycle.loss_told = true;
		NL_SET_ERR_MSG(extack,
			       "the freeze was lost: its cycle is over already");
		return -ESTALE;
	default:
		kfreeze_cycle_end(&session->cycle, KFREEZE_CAUSE_THAW);
		return 0;
	}
}

/**
 * kfreeze_session_thaw - end the owner's cycle
 * @sk: the owner
 * @cycle: where to put the cycle's id
 * @extack: where to put the reason of an error
 *
 * Context: process. Does not wait.
 * Return: 0 or a negative errno, see KFREEZE_CMD_THAW.
 */
int kfreeze_session_thaw(struct sock *sk, u32 *cycle,
			 struct netlink_ext_ack *extack)
{
	struct kfreeze_session *session;
	int err;

	if (!kfreeze_session_is_owner(sk)) {
		NL_SET_ERR_MSG(extack, "this socket has no session: OPEN first");
		return -EPERM;
	}
	mutex_lock(&kfreeze_cycle_lock);
	/* the request keeps the socket, and that its session */
	session = kfreeze_session_find(sk);
	err = kfreeze_session_end_owned(session, extack);
	if (!err)
		*cycle = session->cycle.set->cycle;
	mutex_unlock(&kfreeze_cycle_lock);
	return err;
}

/**
 * kfreeze_session_rescue - end every session's cycle
 *
 * Context: process. Does not wait.
 * Return: how many it ended.
 */
u32 kfreeze_session_rescue(void)
{
	return kfreeze_session_end_all(KFREEZE_CAUSE_RESCUE);
}

/**
 * kfreeze_session_status - the first session with at least a given id
 * @sk: only this socket's, or NULL for all
 * @from: the id
 * @status: filled in
 *
 * Context: may sleep.
 * Return: 0 or -ENOENT.
 */
int kfreeze_session_status(struct sock *sk, u32 from,
			   struct kfreeze_status *status)
{
	struct kfreeze_session *session;
	int err = -ENOENT;

	mutex_lock(&kfreeze_cycle_lock);
	list_for_each_entry(session, &kfreeze_sessions, node) {
		if (session->cycle.session < from || (sk && session->sk != sk))
			continue;
		kfreeze_cycle_fill(&session->cycle, status);
		err = 0;
		break;
	}
	mutex_unlock(&kfreeze_cycle_lock);
	return err;
}

/**
 * kfreeze_session_record - what became of one target
 * @id: the session
 * @cycle: its cycle
 * @index: the target
 * @record: filled in
 *
 * Context: may sleep.
 * Return: 0, or -ENOENT if there is no such target, or no such cycle any more.
 */
int kfreeze_session_record(u32 id, u32 cycle, u32 index,
			   struct kfreeze_record *record)
{
	struct kfreeze_session *session;
	int err = -ENOENT;

	mutex_lock(&kfreeze_cycle_lock);
	list_for_each_entry(session, &kfreeze_sessions, node) {
		if (session->cycle.session != id || !session->cycle.set ||
		    session->cycle.set->cycle != cycle ||
		    index >= session->cycle.set->nr)
			continue;
		kfreeze_set_record(session->cycle.set, index, record);
		err = 0;
	}
	mutex_unlock(&kfreeze_cycle_lock);
	return err;
}
