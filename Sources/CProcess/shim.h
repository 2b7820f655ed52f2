#pragma once
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// What Swift's own module of the C library does not show.

// Blocks come from one arena, where the next one finds its pages there already; what is larger, or free
// at the end, goes back to the system. Nothing is done where the C library has no such settings.
static inline void raibid_use_one_arena(int byte_count) {
#ifdef M_ARENA_MAX
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, byte_count);
  mallopt(M_TRIM_THRESHOLD, byte_count);
#else
  (void)byte_count;
#endif
}

// At most 15 bytes.
static inline void raibid_name_this_thread(const char *name) { prctl(PR_SET_NAME, name); }

// To the nice value of nice(1), and to the end of the queue of the disk; never up from where it is.
static inline void raibid_lower_priority(int thread) {
  if (getpriority(PRIO_PROCESS, (id_t)thread) < 10) setpriority(PRIO_PROCESS, (id_t)thread, 10);
#if defined(SYS_ioprio_get) && defined(SYS_ioprio_set)
  // linux/ioprio.h: who is a thread (1); classes: none (0), best effort (2), its lowest level (7).
  long priority = syscall(SYS_ioprio_get, 1, thread);
  if (priority >= 0 && (priority >> 13 == 0 || priority >> 13 == 2))
    syscall(SYS_ioprio_set, 1, thread, 2 << 13 | 7);
#endif
}
