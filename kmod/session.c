// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions: who may freeze and thaw, and the state machine of what they do.
 * A session is keyed on its owner's socket, which it holds: port ids are
 * reused before the kernel tells that a socket has gone.
 */
#include "session.h"

#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <net/sock.h>

#include "freeze.h"
#include "param.h"
#include "thaw.h"
#include "watchdog.h"

/* How long a thaw may take before its stragglers are reported as stuck. */
#define KFREEZE_GRACE msecs_to_jiffies(5000)
/* The same after the deadline, when everybody has waited long enough. */
#define KFREEZE_EXPIRED_GRACE msecs_to_jiffies(1000)

/**
 * struct kfreeze_session - what one socket may do and is doing
 * @node: in kfreeze_sessions
 * @ref: one of the list's, one of each set that is alive
 * @sk: the owner, held
 * @portid: where to send its messages
 * @id: names the session to userspace
 * @state: what it is doing
 * @verdict: what the newest cycle was worth
 * @cause: what ended it
 * @was_frozen: FROZEN was reached in it
 * @loss_told: a THAW has been answered with the loss of it
 * @closed: the owner is gone
 * @set: filesystems of the newest cycle
 * @spare: messages, allocated before anything was frozen
 * @timeout: time limit of the freeze in jiffies
 * @deadline: of the freeze or of the thaw, in jiffies
 * @next_freeze: not before, in jiffies
 * @watchdog: keeps @deadline
 * @close: work that ends the session after its owner's death
 *
 * All but @ref is protected by kfreeze_session_lock.
 */
struct kfreeze_session {
	struct list_head node;
	struct kref ref;
	struct sock *sk;
	u32 portid;
	u32 id;
	enum kfreeze_state state;
	enum kfreeze_verdict verdict;
	enum kfreeze_cause cause;
	bool was_frozen;
	bool loss_told;
	bool closed;
	struct kfreeze_set *set;
	struct sk_buff_head spare;
	unsigned long timeout;
	unsigned long deadline;
	unsigned long next_freeze;
	struct kfreeze_watchdog watchdog;
	struct work_struct close;
};

static LIST_HEAD(kfreeze_sessions); /* by id */
static DEFINE_MUTEX(kfreeze_session_lock); /* protects all in this file */
static unsigned int kfreeze_nr_sessions; /* whose owner lives */
static u32 kfreeze_last_session;
static u32 kfreeze_last_cycle;
static bool kfreeze_session_barred;
static atomic_t kfreeze_nr_cycles; /* read without the lock */
static const struct kfreeze_session_ops *kfreeze_session_ops;
static DECLARE_WAIT_QUEUE_HEAD(kfreeze_session_idle);
static struct workqueue_struct *kfreeze_session_queue; /* for @close */

static void kfreeze_session_free(struct kref *ref)
{
	struct kfreeze_session *session = container_of(
		ref, struct kfreeze_session, ref);

	skb_queue_purge(&session->spare);
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

static void kfreeze_session_fill(struct kfreeze_session *session,
				 struct kfreeze_set *set,
				 struct kfreeze_status *status)
{
	long left = session->deadline - jiffies;

	memset(status, 0, sizeof(*status));
	status->session = session->id;
	status->state = session->state;
	if (session->state == KFREEZE_STATE_FREEZING ||
	    session->state == KFREEZE_STATE_FROZEN)
		status->remaining_ms = jiffies_to_msecs(max(left, 0L));
	if (!set)
		return;
	status->cycle = set->cycle;
	kfreeze_set_summary(set, &status->set);
	if (set != session->set)
		return;
	status->verdict = session->verdict;
	status->cause = session->cause;
}

/* @set: the session's, or an older one that had been given up. */
static void kfreeze_session_publish(struct kfreeze_session *session,
				    struct kfreeze_set *set,
				    enum kfreeze_event event)
{
	struct kfreeze_status status;

	kfreeze_session_fill(session, set, &status);
	if (!session->closed && event != KFREEZE_EVENT_UNSTUCK)
		kfreeze_session_ops->result(session->portid, &session->spare,
					    &status);
	kfreeze_session_ops->event(event, &session->spare, &status);
}

static enum kfreeze_verdict
kfreeze_session_judge(const struct kfreeze_session *session)
{
	switch (session->cause) {
	case KFREEZE_CAUSE_THAW:
		return session->was_frozen ? KFREEZE_VERDICT_OK
					   : KFREEZE_VERDICT_ABORTED;
	case KFREEZE_CAUSE_ERROR:
	case KFREEZE_CAUSE_FLUSH_DEADLINE:
		return KFREEZE_VERDICT_FAILED;
	case KFREEZE_CAUSE_DEADLINE:
		return KFREEZE_VERDICT_LOST;
	case KFREEZE_CAUSE_FOREIGN_THAW:
		return session->was_frozen ? KFREEZE_VERDICT_LOST
					   : KFREEZE_VERDICT_FAILED;
	default:
		return session->was_frozen ? KFREEZE_VERDICT_LOST
					   : KFREEZE_VERDICT_ABORTED;
	}
}

/* The cycle is over: judge it, let go of its filesystems, tell. */
static void kfreeze_session_finish(struct kfreeze_session *session)
{
	struct kfreeze_summary summary;

	kfreeze_set_summary(session->set, &summary);
	if (session->cause == KFREEZE_CAUSE_THAW && summary.nr_lost)
		session->cause = KFREEZE_CAUSE_FOREIGN_THAW;
	session->verdict = kfreeze_session_judge(session);
	WRITE_ONCE(session->state, KFREEZE_STATE_IDLE);
	if (summary.hold_ns)
		session->next_freeze =
			jiffies +
			msecs_to_jiffies(kfreeze_param_limits()->min_interval_ms);
	kfreeze_set_release(session->set);
	kfreeze_session_publish(session, session->set, KFREEZE_EVENT_OVER);
	atomic_dec(&kfreeze_nr_cycles);
	wake_up_all(&kfreeze_session_idle);
}

static void kfreeze_session_arm(struct kfreeze_session *session,
				unsigned long delay)
{
	session->deadline = jiffies + delay;
	kfreeze_watchdog_arm(&session->watchdog, delay);
}

/* The only way out of a cycle, whatever ends it. */
static void kfreeze_session_end(struct kfreeze_session *session,
				enum kfreeze_cause cause)
{
	bool expired = cause == KFREEZE_CAUSE_DEADLINE;

	if (session->state == KFREEZE_STATE_IDLE ||
	    session->state == KFREEZE_STATE_THAWING)
		return;
	session->state = KFREEZE_STATE_THAWING;
	session->cause = cause;
	if (expired ? kfreeze_set_expire(session->set)
		    : kfreeze_set_thaw(session->set))
		kfreeze_session_finish(session);
	else
		kfreeze_session_arm(session, expired ? KFREEZE_EXPIRED_GRACE
						     : KFREEZE_GRACE);
}

static void kfreeze_session_expired(struct kfreeze_watchdog *watchdog)
{
	struct kfreeze_session *session = container_of(
		watchdog, struct kfreeze_session, watchdog);

	mutex_lock(&kfreeze_session_lock);
	/* it may be an old deadline that was too late to be moved */
	if (time_before(jiffies, session->deadline))
		goto out_unlock;
	switch (session->state) {
	case KFREEZE_STATE_FREEZING:
	case KFREEZE_STATE_FROZEN:
		kfreeze_session_end(session, KFREEZE_CAUSE_DEADLINE);
		break;
	case KFREEZE_STATE_THAWING:
		if (kfreeze_set_give_up(session->set))
			kfreeze_session_finish(session);
		break;
	default:
		break;
	}
out_unlock:
	mutex_unlock(&kfreeze_session_lock);
}

static bool kfreeze_session_on_freezing(struct kfreeze_set *set)
{
	struct kfreeze_session *session = set->owner;
	bool go_on;

	mutex_lock(&kfreeze_session_lock);
	go_on = session->set == set && session->state == KFREEZE_STATE_FLUSHING;
	if (go_on) {
		session->state = KFREEZE_STATE_FREEZING;
		kfreeze_session_arm(session, session->timeout);
	}
	mutex_unlock(&kfreeze_session_lock);
	return go_on;
}

static void kfreeze_session_on_frozen(struct kfreeze_set *set)
{
	struct kfreeze_session *session = set->owner;

	mutex_lock(&kfreeze_session_lock);
	if (session->set == set && session->state == KFREEZE_STATE_FREEZING) {
		session->state = KFREEZE_STATE_FROZEN;
		session->was_frozen = true;
		kfreeze_session_publish(session, set, KFREEZE_EVENT_FROZEN);
	}
	mutex_unlock(&kfreeze_session_lock);
}

static void kfreeze_session_on_failed(struct kfreeze_set *set,
				      enum kfreeze_cause cause)
{
	struct kfreeze_session *session = set->owner;

	mutex_lock(&kfreeze_session_lock);
	if (session->set == set)
		kfreeze_session_end(session, cause);
	mutex_unlock(&kfreeze_session_lock);
}

static void kfreeze_session_on_lost(struct kfreeze_set *set)
{
	kfreeze_session_on_failed(set, KFREEZE_CAUSE_FOREIGN_THAW);
}

static void kfreeze_session_on_settled(struct kfreeze_set *set)
{
	struct kfreeze_session *session = set->owner;

	mutex_lock(&kfreeze_session_lock);
	kfreeze_session_finish(session);
	mutex_unlock(&kfreeze_session_lock);
}

static void kfreeze_session_on_unstuck(struct kfreeze_set *set)
{
	struct kfreeze_session *session = set->owner;

	mutex_lock(&kfreeze_session_lock);
	kfreeze_session_publish(session, set, KFREEZE_EVENT_UNSTUCK);
	mutex_unlock(&kfreeze_session_lock);
}

static void kfreeze_session_on_gone(struct kfreeze_set *set)
{
	struct kfreeze_session *session = set->owner;

	kref_put(&session->ref, kfreeze_session_free);
}

static const struct kfreeze_set_ops kfreeze_session_set_ops = {
	.freezing = kfreeze_session_on_freezing,
	.frozen = kfreeze_session_on_frozen,
	.failed = kfreeze_session_on_failed,
	.lost = kfreeze_session_on_lost,
	.settled = kfreeze_session_on_settled,
	.unstuck = kfreeze_session_on_unstuck,
	.gone = kfreeze_session_on_gone,
};

/* The owner is gone and its filesystems are being thawed: end the session. */
static void kfreeze_session_close(struct work_struct *work)
{
	struct kfreeze_session *session = container_of(
		work, struct kfreeze_session, close);

	wait_event(kfreeze_session_idle,
		   READ_ONCE(session->state) == KFREEZE_STATE_IDLE);
	kfreeze_watchdog_disarm_sync(&session->watchdog);
	mutex_lock(&kfreeze_session_lock);
	list_del(&session->node);
	mutex_unlock(&kfreeze_session_lock);
	if (session->set)
		kfreeze_set_put(session->set);
	kref_put(&session->ref, kfreeze_session_free);
}

/* How many there were to end. */
static u32 kfreeze_session_end_all(enum kfreeze_cause cause)
{
	struct kfreeze_session *session;
	u32 nr = 0;

	mutex_lock(&kfreeze_session_lock);
	list_for_each_entry(session, &kfreeze_sessions, node) {
		if (session->state == KFREEZE_STATE_IDLE)
			continue;
		nr++;
		kfreeze_session_end(session, cause);
	}
	mutex_unlock(&kfreeze_session_lock);
	return nr;
}

/**
 * kfreeze_session_init - prepare for sessions
 * @ops: how to reach the outside
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kfreeze_session_init(const struct kfreeze_session_ops *ops)
{
	kfreeze_session_ops = ops;
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

	mutex_lock(&kfreeze_session_lock);
	list_for_each_entry(session, &kfreeze_sessions, node) {
		if (session->closed || session->portid != portid ||
		    !sock_flag(session->sk, SOCK_DEAD))
			continue;
		session->closed = true;
		kfreeze_nr_sessions--;
		kfreeze_session_end(session, KFREEZE_CAUSE_OWNER);
		queue_work(kfreeze_session_queue, &session->close);
	}
	mutex_unlock(&kfreeze_session_lock);
}

/**
 * kfreeze_session_bar - end all cycles, start no more, wait for their thaw
 * @cause: why
 *
 * Context: may sleep, until everything is thawed or has had its grace time.
 */
void kfreeze_session_bar(enum kfreeze_cause cause)
{
	mutex_lock(&kfreeze_session_lock);
	kfreeze_session_barred = true;
	mutex_unlock(&kfreeze_session_lock);
	kfreeze_session_end_all(cause);
	wait_event(kfreeze_session_idle, !atomic_read(&kfreeze_nr_cycles));
}

/**
 * kfreeze_session_unbar - allow cycles again
 *
 * Context: may sleep.
 */
void kfreeze_session_unbar(void)
{
	mutex_lock(&kfreeze_session_lock);
	kfreeze_session_barred = false;
	mutex_unlock(&kfreeze_session_lock);
}

/* The caller holds the lock. */
static int kfreeze_session_add(struct kfreeze_session *session)
{
	if (kfreeze_session_find(session->sk))
		return -EBUSY;
	if (kfreeze_nr_sessions >= KFREEZE_MAX_SESSIONS)
		return -EUSERS;
	kfreeze_nr_sessions++;
	session->id = ++kfreeze_last_session;
	list_add_tail(&session->node, &kfreeze_sessions);
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
	session->portid = portid;
	session->next_freeze = jiffies;
	skb_queue_head_init(&session->spare);
	kfreeze_watchdog_init(&session->watchdog, kfreeze_session_expired);
	INIT_WORK(&session->close, kfreeze_session_close);
	mutex_lock(&kfreeze_session_lock);
	err = kfreeze_session_add(session);
	*id = session->id;
	mutex_unlock(&kfreeze_session_lock);
	if (err)
		kref_put(&session->ref, kfreeze_session_free);
	return err;
}

/* May this session start a cycle now? The caller holds the lock. */
static int kfreeze_session_admit(const struct kfreeze_session *session,
				 struct netlink_ext_ack *extack)
{
	if (!session) {
		NL_SET_ERR_MSG(extack, "this socket has no session: OPEN first");
		return -EPERM;
	}
	if (session->state != KFREEZE_STATE_IDLE) {
		NL_SET_ERR_MSG(extack, "a cycle is under way: THAW first");
		return -EBUSY;
	}
	if (kfreeze_session_barred) {
		NL_SET_ERR_MSG(extack,
			       "the system is about to suspend or reboot");
		return -EAGAIN;
	}
	if (time_before(jiffies, session->next_freeze)) {
		NL_SET_ERR_MSG(
			extack,
			"the last cycle ended less than min_interval_ms ago");
		return -EAGAIN;
	}
	return 0;
}

static void kfreeze_session_start(struct kfreeze_session *session,
				  struct kfreeze_set *set)
{
	if (!++kfreeze_last_cycle)
		++kfreeze_last_cycle;
	set->cycle = kfreeze_last_cycle;
	session->set = set;
	WRITE_ONCE(session->state, KFREEZE_STATE_FLUSHING);
	atomic_inc(&kfreeze_nr_cycles);
	session->verdict = KFREEZE_VERDICT_NONE;
	session->cause = KFREEZE_CAUSE_NONE;
	session->was_frozen = false;
	session->loss_told = false;
	kref_get(&session->ref);
	kfreeze_set_start(set, &kfreeze_session_set_ops, session);
}

/**
 * kfreeze_session_freeze - start a cycle
 * @sk: the owner
 * @set: its filesystems, pinned; the session's if this succeeds
 * @timeout_ms: time limit of the freeze
 * @flush_timeout_ms: time limit of the flush before it
 * @spare: KFREEZE_SESSION_SPARE messages; emptied if this succeeds
 * @cycle: where to put the cycle's id
 * @bad: where to put the index of the target that is at fault
 * @extack: where to put the reason of an error
 *
 * Context: process. Does not wait.
 * Return: 0 or a negative errno, see KFREEZE_CMD_FREEZE. If it is -EEXIST, or
 * -EBUSY with @bad below the set's number of targets, that target is at fault.
 */
int kfreeze_session_freeze(struct sock *sk, struct kfreeze_set *set,
			   u32 timeout_ms, u32 flush_timeout_ms,
			   struct sk_buff_head *spare, u32 *cycle, u32 *bad,
			   struct netlink_ext_ack *extack)
{
	struct kfreeze_session *session;
	struct kfreeze_set *old = NULL;
	int err;

	*bad = set->nr;
	mutex_lock(&kfreeze_session_lock);
	session = kfreeze_session_find(sk);
	err = kfreeze_session_admit(session, extack);
	if (err)
		goto out_unlock;
	err = kfreeze_set_claim(set, bad);
	if (err)
		goto out_unlock;
	old = session->set;
	session->timeout = msecs_to_jiffies(timeout_ms);
	set->flush_timeout = msecs_to_jiffies(flush_timeout_ms);
	skb_queue_splice_tail_init(spare, &session->spare);
	kfreeze_session_start(session, set);
	*cycle = set->cycle;
out_unlock:
	mutex_unlock(&kfreeze_session_lock);
	if (old)
		kfreeze_set_put(old);
	return err;
}

/* The caller holds the lock. */
static int kfreeze_session_end_owned(struct kfreeze_session *session,
				     struct netlink_ext_ack *extack)
{
	switch (session->state) {
	case KFREEZE_STATE_THAWING:
		NL_SET_ERR_MSG(extack, "the cycle is being thawed already");
		return -EALREADY;
	case KFREEZE_STATE_IDLE:
		if (session->verdict != KFREEZE_VERDICT_LOST ||
		    session->loss_told) {
			NL_SET_ERR_MSG(extack, "nothing is frozen");
			return -ESRCH;
		}
		session->loss_told = true;
		NL_SET_ERR_MSG(
			extack,
			"the freeze was lost: everything was thawed before");
		return -ESTALE;
	default:
		kfreeze_session_end(session, KFREEZE_CAUSE_THAW);
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
	int err = -EPERM;

	mutex_lock(&kfreeze_session_lock);
	session = kfreeze_session_find(sk);
	if (session)
		err = kfreeze_session_end_owned(session, extack);
	else
		NL_SET_ERR_MSG(extack, "this socket has no session: OPEN first");
	if (!err)
		*cycle = session->set->cycle;
	mutex_unlock(&kfreeze_session_lock);
	return err;
}

/**
 * kfreeze_session_rescue - end every session's cycle
 *
 * Context: process. Does not wait.
 * Return: how many there were.
 */
u32 kfreeze_session_rescue(void)
{
	return kfreeze_session_end_all(KFREEZE_CAUSE_RESCUE);
}

/**
 * kfreeze_session_is_owner - has a socket a session?
 * @sk: the socket
 *
 * Context: may sleep.
 * Return: true if it has.
 */
bool kfreeze_session_is_owner(struct sock *sk)
{
	bool owner;

	mutex_lock(&kfreeze_session_lock);
	owner = kfreeze_session_find(sk);
	mutex_unlock(&kfreeze_session_lock);
	return owner;
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

	mutex_lock(&kfreeze_session_lock);
	list_for_each_entry(session, &kfreeze_sessions, node) {
		if (session->id < from || (sk && session->sk != sk))
			continue;
		kfreeze_session_fill(session, session->set, status);
		err = 0;
		break;
	}
	mutex_unlock(&kfreeze_session_lock);
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

	mutex_lock(&kfreeze_session_lock);
	list_for_each_entry(session, &kfreeze_sessions, node) {
		if (session->id != id || !session->set ||
		    session->set->cycle != cycle || index >= session->set->nr)
			continue;
		kfreeze_set_record(session->set, index, record);
		err = 0;
	}
	mutex_unlock(&kfreeze_session_lock);
	return err;
}
