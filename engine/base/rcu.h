/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rcu.h - userspace RCU, the only door to liburcu (flavour "bp": any thread may read, none need register).
 *
 * Rules     (1) no system call, lock or allocation inside a read section.  (2) what a section reached through
 *           rcu_load() stays valid until its end.  (3) rcu_wait() returns when every section that had begun is over;
 *           never call it inside one.
 * ThreadSanitizer does not see liburcu's ordering: the calls carry the annotations it needs.
 * Source    Desnoyers et al., "User-Level Implementations of Read-Copy Update", IEEE TPDS 23(2), 2012.
 */
#ifndef BASE_RCU_H
#define BASE_RCU_H

void rcu_begin(void);
void rcu_end(void);
void rcu_wait(void);

#define rcu_load(p)      __atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define rcu_store(p, v)  __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)

#endif
